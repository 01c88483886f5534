"""The days and hours in a pack's file: read, and checked line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from jiying.rules.faults import Fault
from jiying.rules.marks import Marked
from jiying.rules.pack import Calendar, YearTable

_HOURS = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])\Z")
_YEAR = re.compile(r"[0-9]{4}\Z")
MIDNIGHT = 1440


def day_faults(marked: Marked) -> list[Fault]:
    """What is wrong with days and hours.

    Codes: `bad_date` (a day that is none), `dates_reversed` (an end before the beginning), `bad_hours` (hours that are
    none, end before they begin, or do not rise), `wrong_year` (a day in another year's table), `day_twice` (off and
    worked), `missing_year` (a gap between the years of the table).
    """
    faults = list(_validity(marked))
    calendar = marked.document.get("calendar")
    if calendar is not None:
        faults += _hours(marked, calendar["hours"])
        faults += _holidays(marked, calendar.get("holidays", {}))
    return faults


def calendar_of(line: dict[str, Any] | None) -> Calendar | None:
    """The calendar in a checked document; None where it has none."""
    if line is None:
        return None
    tables = (
        YearTable(
            int(year), frozenset(map(date.fromisoformat, days["off"])), frozenset(map(date.fromisoformat, days["work"]))
        )
        for year, days in sorted(line.get("holidays", {}).items())
    )
    return Calendar(
        hours=tuple(hours for text in line["hours"] if (hours := _minutes(text)) is not None),
        tables=tuple(tables),
        source=line.get("source", ""),
        assumption=line.get("assumption", False),
    )


def _minutes(text: str) -> tuple[int, int] | None:
    """The hours as minutes after midnight; None where they are none."""
    found = _HOURS.match(text)
    if found is None:
        return None
    from_h, from_m, to_h, to_m = map(int, found.groups())
    start, end = from_h * 60 + from_m, to_h * 60 + to_m
    return (start, end) if start < end <= MIDNIGHT else None


def _validity(marked: Marked) -> Iterator[Fault]:
    days: dict[str, date] = {}
    for key in ("valid_from", "valid_to"):
        text = marked.document.get(key)
        if text is None:
            continue
        day = _day(text)
        if day is None:
            yield Fault(line=marked.line(key), code="bad_date", message=_no_day(text))
        else:
            days[key] = day
    if len(days) == 2 and days["valid_to"] < days["valid_from"]:
        message = f"The pack ends on {days['valid_to']}, before it begins on {days['valid_from']}."
        yield Fault(line=marked.line("valid_to"), code="dates_reversed", message=message)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _no_day(text: str) -> str:
    return f"“{text}” is no day; write it as 2026-01-31."


def _hours(marked: Marked, hours: list[str]) -> Iterator[Fault]:
    last = -1
    for place, text in enumerate(hours):
        line, found = marked.line("calendar", "hours", place), _minutes(text)
        if found is None:
            message = f"“{text}” are no hours of one day; write them as 09:00-12:00, the end after the beginning."
            yield Fault(line=line, code="bad_hours", message=message)
            continue
        if found[0] <= last:
            message = f"{text} must begin after the hours before it have ended."
            yield Fault(line=line, code="bad_hours", message=message)
        last = found[1]


def _holidays(marked: Marked, years: dict[str, dict[str, list[str]]]) -> Iterator[Fault]:
    good = sorted(int(year) for year in years if _YEAR.match(year))
    for year, days in years.items():
        line = marked.line("calendar", "holidays", year)
        if not _YEAR.match(year):
            yield Fault(line=line, code="bad_date", message=f"“{year}” is no year; write it as 2027.")
            continue
        if int(year) > good[0] and int(year) - 1 not in good:
            message = f"The table has {year}, and an earlier year, but not {int(year) - 1}: give every year between."
            yield Fault(line=line, code="missing_year", message=message)
        yield from _year(marked, year, days)


def _year(marked: Marked, year: str, days: dict[str, list[str]]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for sort in ("off", "work"):
        for place, text in enumerate(days[sort]):
            line, day = marked.line("calendar", "holidays", year, sort, place), _day(text)
            if day is None:
                yield Fault(line=line, code="bad_date", message=_no_day(text))
            elif str(day.year) != year:
                yield Fault(line=line, code="wrong_year", message=f"{text} is no day of {year}.")
            elif seen.setdefault(text, sort) != sort:
                yield Fault(line=line, code="day_twice", message=f"{text} cannot be both off and worked.")
