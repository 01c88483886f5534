"""Which days are worked, what limits come to, and what is said where nobody knows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jiying.rules import calendars
from jiying.rules.pack import UNITS, Calendar, Limit, YearTable

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = ((540, 720), (810, 1050))
PLAIN_WEEK = Calendar(hours=HOURS)
OWN = Calendar(hours=HOURS, tables=(YearTable(2027, frozenset({date(2027, 1, 1)}), frozenset({date(2027, 1, 2)})),))
WORK = calendars.worktime(PLAIN_WEEK, "Asia/Shanghai")


@pytest.fixture(autouse=True)
def library_of_2026(monkeypatch):
    """The library as it is before the notice for 2027, whatever is installed."""
    monkeypatch.setattr(calendars, "library_knows", lambda year: 2004 <= year <= 2026)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 2, 13), True),
        (date(2026, 2, 14), True),    # a Saturday made up before Spring Festival
        (date(2026, 2, 16), False),
        (date(2026, 10, 1), False),
        (date(2026, 10, 10), True),   # a Saturday made up after National Day
        (date(2026, 11, 28), False),
    ],
)  # fmt: skip
def test_the_national_calendar_with_its_make_up_days_is_kept(day, worked):
    assert calendars.works(PLAIN_WEEK, day) is worked


def test_a_year_that_the_library_does_not_know_is_taken_from_the_packs_table():
    assert [calendars.works(OWN, date(2027, 1, day)) for day in (1, 2, 3, 4)] == [False, True, False, True]


def test_without_either_the_week_goes_from_monday_to_friday_and_that_is_told():
    assert [calendars.works(PLAIN_WEEK, date(2027, 1, day)) for day in (1, 2, 3, 4)] == [True, False, False, True]
    assert calendars.guessed(PLAIN_WEEK, at("2026-12-30T10:00"), at("2027-01-05T10:00"), SHANGHAI) == [2027]
    assert calendars.guessed(OWN, at("2026-12-30T10:00"), at("2027-01-05T10:00"), SHANGHAI) == []
    assert "2027" in calendars.guess_words([2027])


def test_the_packs_table_goes_before_the_library():
    table = YearTable(2026, frozenset({date(2026, 11, 24)}), frozenset())
    assert calendars.works(PLAIN_WEEK, date(2026, 11, 24))
    assert not calendars.works(Calendar(hours=HOURS, tables=(table,)), date(2026, 11, 24))


@pytest.mark.parametrize(
    ("amount", "unit", "due"),
    [
        (30, "emergency_minutes", "2026-02-14T17:50"),
        (30, "working_minutes", "2026-02-24T09:20"),
        (1, "working_days", "2026-02-24T17:20"),
        (3, "calendar_days", "2026-02-17T17:20"),
    ],
)
def test_the_four_units_before_a_long_holiday(amount, unit, due):
    begins = at("2026-02-14T17:20")
    assert calendars.due_at(Limit(amount, unit), begins, [], WORK) == at(due)


@pytest.mark.parametrize("unit", UNITS)
def test_without_a_calendar_every_limit_is_plain_time(unit):
    begins = at("2026-02-14T17:20")
    assert calendars.worktime_of(PLAIN_WEEK, calendars.PLAIN) is None
    assert calendars.worktime_of(None, "Asia/Shanghai") is None
    limit = Limit(2, unit)
    assert calendars.due_at(limit, begins, [], None) == begins + timedelta(minutes=limit.minutes)


@pytest.mark.parametrize(
    ("amount", "unit", "counted", "due"),
    [
        (60, "emergency_minutes", timedelta(hours=65), "2026-11-30T10:30"),
        (60, "working_minutes", timedelta(minutes=90), "2026-11-30T10:30"),
        (1, "working_days", timedelta(minutes=90), "2026-12-01T09:30"),
        (1, "calendar_days", timedelta(hours=65), "2026-12-01T09:30"),
    ],
)
def test_a_pause_over_a_weekend_moves_a_working_clock_by_its_working_time_alone(amount, unit, counted, due):
    """The clock began on Friday at 16:30, and stood still from 17:00 to Monday 10:00."""
    begins, pause = at("2026-11-27T16:30"), (at("2026-11-27T17:00"), at("2026-11-30T10:00"))
    assert calendars.counted(unit, begins, pause, WORK) == counted
    assert calendars.due_at(Limit(amount, unit), begins, [pause], WORK) == at(due)


def test_what_lies_before_the_clock_began_does_not_count_of_a_pause():
    begins, pause = at("2026-11-24T10:00"), (at("2026-11-24T09:00"), at("2026-11-24T10:30"))
    for unit in UNITS:
        still = calendars.due_at(Limit(1, unit), begins, [pause], WORK)
        assert still - calendars.due_at(Limit(1, unit), begins, [], WORK) == timedelta(minutes=30)


def test_pauses_that_overlap_count_once():
    begins = at("2026-11-24T09:00")
    pauses = [(at("2026-11-24T09:10"), at("2026-11-24T09:40")), (at("2026-11-24T09:20"), at("2026-11-24T09:50"))]
    assert calendars.due_at(Limit(30, "working_minutes"), begins, pauses, WORK) == at("2026-11-24T10:10")
    assert calendars.due_at(Limit(30, "emergency_minutes"), begins, pauses, WORK) == at("2026-11-24T10:10")


def test_a_step_on_the_way_of_a_working_clock_waits_for_the_morning():
    night = at("2026-11-24T20:00")
    assert calendars.after("working_minutes", night, 10, WORK) == at("2026-11-25T09:10")
    assert calendars.after("emergency_minutes", night, 10, WORK) == at("2026-11-24T20:10")


def test_the_clock_of_the_district_counts_and_not_that_of_the_asker():
    urumqi = calendars.worktime(PLAIN_WEEK, "Asia/Urumqi")
    begins = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    assert calendars.due_at(Limit(30, "working_minutes"), begins, [], WORK) == at("2026-11-24T09:30")
    assert calendars.due_at(Limit(30, "working_minutes"), begins, [], urumqi) == at("2026-11-24T11:30")


def test_the_library_is_asked_which_years_it_knows(monkeypatch):
    monkeypatch.undo()
    assert [calendars.library_knows(year) for year in (2003, 2004, 2026, 9999)] == [False, True, True, False]
