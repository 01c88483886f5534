"""Working time, held against two oracles: a walk minute by minute, and the library businesstimedelta."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import businesstimedelta
import chinese_calendar
import pytest
import pytz
from hypothesis import given, settings
from hypothesis import strategies as st

from jiying.core.worktime import NoWorkingTime, Span, WorkTime, add_calendar_days, joined, total

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
HOURS = ((540, 720), (810, 1050))
"""09:00-12:00 and 13:30-17:30: 420 minutes a day."""
DAY_MIN = 420
MINUTE = timedelta(minutes=1)
THOUSANDS = settings(max_examples=1500, deadline=None)
HUNDREDS = settings(max_examples=500, deadline=None)


def work(zone: ZoneInfo = SHANGHAI) -> WorkTime:
    return WorkTime(zone, HOURS, chinese_calendar.is_workday)


CHINA = work()
AMERICA = work(NEW_YORK)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


START = at("2025-01-02T00:00")
moments = st.integers(0, 668 * 1440).map(lambda n: START + n * MINUTE)
lengths = st.integers(0, 6 * DAY_MIN) | st.integers(0, 8).map(lambda days: days * DAY_MIN)


# -- the first oracle: a walk ------------------------------------------------------------------------------


@cache
def is_workday(ordinal: int) -> bool:
    return chinese_calendar.is_workday(date.fromordinal(ordinal))


def number(moment: datetime) -> int:
    """A local minute as a number, so that a walk goes from one to the next."""
    return moment.toordinal() * 1440 + moment.hour * 60 + moment.minute


def named(n: int) -> datetime:
    day, minute = divmod(n, 1440)
    return datetime.combine(date.fromordinal(day), time(minute // 60, minute % 60), SHANGHAI)


def is_worked(n: int) -> bool:
    """Whether the local minute that begins there is worked."""
    minute = n % 1440
    return (540 <= minute < 720 or 810 <= minute < 1050) and is_workday(n // 1440)


def walked(moment: datetime, minutes: int, stands: Iterable[Span] = ()) -> datetime:
    """Minute by minute: the local moment at which so many worked minutes have passed outside `stands`."""
    n, spans = number(moment), [(number(start), number(end)) for start, end in stands]
    while minutes:
        minutes -= is_worked(n) and not any(start <= n < end for start, end in spans)
        n += 1
    return named(n)


@HUNDREDS
@given(moments, st.integers(1, 3 * DAY_MIN))
def test_adding_is_walking_minute_by_minute(moment, minutes):
    assert CHINA.add(moment, minutes * MINUTE) == walked(moment, minutes)


@HUNDREDS
@given(moments, st.integers(0, 6 * 1440))
def test_what_lies_between_is_what_is_counted_on_the_way(moment, minutes):
    end = moment + minutes * MINUTE
    counted = sum(is_worked(number(moment) + n) for n in range(minutes))
    assert CHINA.between(moment, end) == counted * MINUTE


@HUNDREDS
@given(moments)
def test_the_next_moment_is_the_first_worked_minute(moment):
    n = number(moment)
    while not is_worked(n):
        n += 1
    assert CHINA.next_moment(moment) == named(n)


@HUNDREDS
@given(moments, st.integers(1, 9))
def test_a_day_added_is_the_same_time_on_the_next_day_that_is_worked(moment, days):
    found, left = CHINA.next_moment(moment).astimezone(SHANGHAI), days
    while left:
        found += timedelta(days=1)
        left -= chinese_calendar.is_workday(found.date())
    assert CHINA.add_days(moment, days) == found


# -- the second oracle: businesstimedelta --------------------------------------------------------------------


class EveryDayOff(dict):  # type: ignore[type-arg]
    """What businesstimedelta takes as holidays: every day that is not worked, weekends too."""

    def __contains__(self, day: object) -> bool:
        assert isinstance(day, date)
        return not chinese_calendar.is_workday(day)

    def get(self, day: date, default: object = None) -> object:  # type: ignore[override]
        return "off" if day in self else default


PYTZ = pytz.timezone("Asia/Shanghai")
THEIR_DAY = businesstimedelta.WorkDayRule(time(9), time(17, 30), working_days=[0, 1, 2, 3, 4, 5, 6], tz=PYTZ)
THEIR_LUNCH = businesstimedelta.LunchTimeRule(time(12), time(13, 30), working_days=[0, 1, 2, 3, 4, 5, 6], tz=PYTZ)
THEIRS = businesstimedelta.Rules([THEIR_DAY, THEIR_LUNCH, businesstimedelta.HolidayRule(EveryDayOff(), tz=PYTZ)])


@settings(max_examples=250, deadline=None)
@given(moments, st.integers(0, 3 * DAY_MIN))
def test_businesstimedelta_finds_as_much_between_two_moments(moment, minutes):
    end = moment + 3 * minutes * MINUTE
    theirs = THEIRS.difference(moment.astimezone(PYTZ), end.astimezone(PYTZ)).timedelta
    assert CHINA.between(moment, end) == theirs


@settings(max_examples=250, deadline=None)
@given(moments, st.integers(1, 3 * DAY_MIN))
def test_businesstimedelta_adds_to_the_same_working_moment(moment, minutes):
    theirs = moment.astimezone(PYTZ) + businesstimedelta.BusinessTimeDelta(THEIRS, timedelta=minutes * MINUTE)
    ours = CHINA.add(moment, minutes * MINUTE)
    # Where the hours end, that and the next beginning are one working moment: ours is the earlier name of it.
    assert ours <= theirs and CHINA.between(ours, theirs) == timedelta()
    assert CHINA.next_moment(ours) == CHINA.next_moment(theirs)


# -- pauses, and what must always hold -------------------------------------------------------------------------


@THOUSANDS
@given(moments, lengths, st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 4000)), max_size=4))
def test_time_that_stands_still_is_added_and_nothing_else(moment, minutes, pauses):
    """A clock that stands still inside its time ends as a walk does that skips the standing minutes."""
    spans = [(moment + a * MINUTE, moment + b * MINUTE) for a, b in pauses]
    due = CHINA.add(moment, minutes * MINUTE + CHINA.within(spans))
    assert CHINA.between(moment, due) == minutes * MINUTE + CHINA.within(spans)
    inside = [span for span in spans if span[0] < span[1]]
    if minutes and all(end <= due for _start, end in inside):
        assert CHINA.add(moment, timedelta()) <= due
        ran = CHINA.between(moment, due) - CHINA.within(inside)
        assert ran == minutes * MINUTE


@HUNDREDS
@given(moments, st.integers(1, 2 * DAY_MIN), st.lists(st.tuples(st.integers(0, 900), st.integers(1, 900)), max_size=3))
def test_pauses_are_skipped_by_the_walk_too(moment, minutes, pauses):
    spans = [(moment + a * MINUTE, moment + (a + n) * MINUTE) for a, n in pauses]
    due, counting = CHINA.add(moment, minutes * MINUTE), []
    for span in sorted(spans):
        if span[0] < due:
            counting.append(span)
            due = CHINA.add(moment, minutes * MINUTE + CHINA.within(counting))
    assert CHINA.next_moment(due) == CHINA.next_moment(walked(moment, minutes, counting))


@THOUSANDS
@given(moments, lengths, lengths)
def test_adding_twice_is_adding_once(moment, one, two):
    together = CHINA.add(moment, (one + two) * MINUTE)
    apart = CHINA.add(CHINA.add(moment, one * MINUTE), two * MINUTE)
    assert CHINA.next_moment(together) == CHINA.next_moment(apart)


@THOUSANDS
@given(moments, lengths, lengths)
def test_later_or_longer_is_never_due_earlier(moment, one, two):
    assert CHINA.add(moment, min(one, two) * MINUTE) <= CHINA.add(moment, max(one, two) * MINUTE)
    assert CHINA.add(moment, one * MINUTE) <= CHINA.add(moment + two * MINUTE, one * MINUTE)
    days = one // DAY_MIN
    assert CHINA.add_days(moment, days) <= CHINA.add_days(moment + two * MINUTE, days)


@HUNDREDS
@given(moments, st.integers(0, 2000))
def test_a_zone_with_summer_time_neither_adds_nor_loses_a_minute(moment, minutes):
    due = AMERICA.add(moment, minutes * MINUTE)
    assert AMERICA.between(moment, due) == minutes * MINUTE


# -- by hand -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-11-24T09:00", 30, "2026-11-24T09:30"),
        ("2026-11-24T11:45", 30, "2026-11-24T13:45"),
        ("2026-11-24T12:10", 30, "2026-11-24T14:00"),
        ("2026-11-24T17:00", 30, "2026-11-24T17:30"),
        ("2026-11-24T17:01", 30, "2026-11-25T09:01"),
        ("2026-11-24T23:59", 30, "2026-11-25T09:30"),
        ("2026-11-27T20:00", 30, "2026-11-30T09:30"),
        # Spring Festival: Saturday the 14th is made up, the 15th to the 23rd are off.
        ("2026-02-13T18:00", 30, "2026-02-14T09:30"),
        ("2026-02-14T17:20", 30, "2026-02-24T09:20"),
    ],
)
def test_working_minutes_by_hand(start, minutes, due):
    assert CHINA.add(at(start), minutes * MINUTE) == at(due)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-24T10:15", 1, "2026-11-25T10:15"),
        ("2026-11-24T12:30", 1, "2026-11-25T13:30"),
        ("2026-11-24T20:00", 1, "2026-11-26T09:00"),
        ("2026-11-27T20:00", 1, "2026-12-01T09:00"),
        ("2026-11-27T10:00", 5, "2026-12-04T10:00"),
        ("2026-02-13T16:00", 1, "2026-02-14T16:00"),
        ("2026-02-13T16:00", 5, "2026-02-27T16:00"),
    ],
)
def test_working_days_by_hand(start, days, due):
    assert CHINA.add_days(at(start), days) == at(due)


def test_summer_time_keeps_the_time_of_day_and_not_the_hours():
    before = at("2026-03-06T10:00", NEW_YORK)
    after = AMERICA.add_days(before, 1)
    assert after.astimezone(NEW_YORK) == at("2026-03-09T10:00", NEW_YORK)
    assert after - before == timedelta(days=3, hours=-1)
    assert add_calendar_days(before, 3, NEW_YORK) == at("2026-03-09T10:00", NEW_YORK)


def test_the_hour_that_is_left_out_in_spring_is_not_worked():
    night = WorkTime(NEW_YORK, ((60, 240),), lambda _day: True)
    assert night.between(at("2026-03-08T00:00", NEW_YORK), at("2026-03-08T12:00", NEW_YORK)) == timedelta(hours=2)
    assert night.between(at("2026-11-01T00:00", NEW_YORK), at("2026-11-01T12:00", NEW_YORK)) == timedelta(hours=4)


def test_hours_may_end_at_midnight():
    whole = WorkTime(SHANGHAI, ((0, 1440),), lambda _day: True)
    assert whole.between(at("2026-11-24T00:00"), at("2026-11-26T06:00")) == timedelta(hours=54)


def test_a_calendar_without_a_working_day_is_said_to_be_one():
    never = WorkTime(SHANGHAI, HOURS, lambda _day: False)
    with pytest.raises(NoWorkingTime):
        never.add(at("2026-11-24T09:00"), MINUTE)
    once = WorkTime(SHANGHAI, HOURS, lambda day: day == date(2026, 11, 24))
    with pytest.raises(NoWorkingTime):
        once.add_days(at("2026-11-24T10:00"), 1)


def test_spans_that_overlap_or_touch_count_once():
    nine = at("2026-11-24T09:00")
    spans = [(nine, nine + 60 * MINUTE), (nine + 30 * MINUTE, nine + 90 * MINUTE), (nine + 90 * MINUTE, nine)]
    assert joined(spans) == [(nine, nine + 90 * MINUTE)]
    assert total(spans) == CHINA.within(spans) == 90 * MINUTE
