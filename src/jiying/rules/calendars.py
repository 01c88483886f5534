"""Which days are working days, and what a limit in one of the four units comes to.  Pure.

Asked for a day are, in this order: the pack's own table of its year; the national calendar as the library
`chinesecalendar` knows it, with holidays and make-up working days (调休); and where neither has the year, the plain
week from Monday to Friday, which is a guess and is told as one (`Calendar.guessed`).  The pack's table goes first
because it is dated with the pack and stays as it was when orders were judged by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import chinese_calendar

from jiying.core.worktime import Span, WorkTime, add_calendar_days, total
from jiying.rules.pack import Calendar, Limit

PLAIN = "none"
"""Instead of a time zone: every limit is plain time, a working minute a minute and a day 24 hours."""

USUAL_ZONE = "Asia/Shanghai"
WORKING = frozenset({"working_minutes", "working_days"})
FRIDAY = 4


@cache
def library_knows(year: int) -> bool:
    """Whether the library has the State Council's notice for the year."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def works(calendar: Calendar, day: date) -> bool:
    """Whether `day` is a working day.

    >>> plain = Calendar(hours=((540, 1020),))
    >>> works(plain, date(2026, 2, 16)), works(plain, date(2026, 2, 14))    # New Year's Eve; a Saturday made up
    (False, True)
    """
    table = calendar.table(day.year)
    if table is not None:
        return day in table.work or (day.weekday() <= FRIDAY and day not in table.off)
    if library_knows(day.year):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() <= FRIDAY


def knows(calendar: Calendar, year: int) -> bool:
    """Whether holidays of the year are known, from the pack or the library."""
    return calendar.table(year) is not None or library_knows(year)


def guessed(calendar: Calendar, start: datetime, end: datetime, zone: ZoneInfo) -> list[int]:
    """The years between two instants for which nobody knows holidays: Monday to Friday is assumed."""
    years = range(start.astimezone(zone).year, end.astimezone(zone).year + 1)
    return [year for year in years if not knows(calendar, year)]


def guess_words(years: Iterable[int]) -> str:
    """The warning about such years, for the command line."""
    told = ", ".join(map(str, years))
    return (
        f"holidays and make-up days of {told} are not known: Monday to Friday is assumed. "
        "Give the pack a table of that year, or install a newer chinesecalendar"
    )


@lru_cache(maxsize=256)
def worktime(calendar: Calendar, zone: str) -> WorkTime:
    """The working time of a pack's calendar in a time zone; one object for equal askers, since it remembers days."""
    return WorkTime(zone=ZoneInfo(zone), hours=calendar.hours, works=lambda day: works(calendar, day))


def worktime_of(calendar: Calendar | None, zone: str) -> WorkTime | None:
    """By what limits are counted; None: in plain time, since the pack has no calendar or `zone` is `PLAIN`."""
    return None if calendar is None or zone == PLAIN else worktime(calendar, zone)


def due_at(limit: Limit, begins: datetime, paused: Iterable[Span], work: WorkTime | None) -> datetime:
    """When a limit that begins at `begins` is due, if the clock stood still during `paused`.

    Only what lies after `begins` counts of a pause, and once where pauses overlap; on a working clock only its
    working minutes.  `emergency_minutes` run always.  `working_minutes`: so many minutes of working time.
    `working_days`: first the paused working time passes, then it is due at the same time of day on the n-th working
    day after; a day outside working time begins at the next working moment.  `calendar_days`: the same time of day,
    n days later.  Without `work` a minute is a minute and a day is 24 hours.
    """
    spans = [(max(start, begins), end) for start, end in paused]
    if work is not None and limit.unit in WORKING:
        stood = work.within(spans)
        if limit.unit == "working_minutes":
            return work.add(begins, timedelta(minutes=limit.amount) + stood)
        return work.add_days(work.add(work.next_moment(begins), stood), limit.amount)
    if work is not None and limit.unit == "calendar_days":
        return add_calendar_days(begins, limit.amount, work.zone) + total(spans)
    return begins + timedelta(minutes=limit.minutes) + total(spans)


def counted(unit: str, begins: datetime, span: Span, work: WorkTime | None) -> timedelta:
    """How much of one pause counts for a clock that began at `begins`: working time on a working clock."""
    start, end = max(span[0], begins), span[1]
    if work is not None and unit in WORKING:
        return work.between(start, end)
    return max(end - start, timedelta())


def after(unit: str, begins: datetime, minutes: int, work: WorkTime | None) -> datetime:
    """`minutes` into a clock of that unit: working minutes on a working clock, for what happens on the way."""
    if work is not None and unit in WORKING:
        return work.add(begins, timedelta(minutes=minutes))
    return begins + timedelta(minutes=minutes)
