"""Working time: minutes and days that count only while people work.  Pure; knows no country and no rule pack.

A `WorkTime` is made of a time zone, the hours of a working day in local time, and a function that says which days are
working days.  All arithmetic is on instants, so that a clock that is put forward or back in the night (daylight
saving) neither adds nor loses a minute; only "the same time of day" is a matter of the local clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

Span = tuple[datetime, datetime]
"""From an aware instant to a later one, the end not included."""

DAY_MIN = 1440
FAR = 3700
"""So many days without a working day mean that there is none to come."""


class NoWorkingTime(ValueError):
    """No working day comes within ten years: the calendar has no hours, or no days."""


def add_calendar_days(at: datetime, days: int, zone: tzinfo) -> datetime:
    """The same time of day in `zone`, so many days later (UTC).

    >>> add_calendar_days(datetime(2026, 11, 24, 1, tzinfo=UTC), 3, UTC).isoformat()
    '2026-11-27T01:00:00+00:00'
    """
    local = at.astimezone(zone)
    return (local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone, fold=local.fold).astimezone(UTC)


def total(spans: Iterable[Span]) -> timedelta:
    """How long spans are together; those that overlap count once.

    >>> nine = datetime(2026, 11, 24, 9, tzinfo=UTC)
    >>> total([(nine, nine.replace(hour=11)), (nine.replace(hour=10), nine.replace(hour=12))])
    datetime.timedelta(seconds=10800)
    """
    return sum((end - start for start, end in joined(spans)), timedelta())


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time as spans that neither touch nor overlap, in order; what ends before it begins is nothing."""
    apart: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], end))
        else:
            apart.append((start, end))
    return apart


@dataclass(frozen=True, slots=True)
class WorkTime:
    """When is worked: `hours` of every working day as (from, to) in minutes after local midnight, rising.

    `works`: whether a local day is a working day.  Instants are aware; those given back are in UTC.
    """

    zone: tzinfo
    hours: tuple[tuple[int, int], ...]
    works: Callable[[date], bool]
    _days: dict[date, tuple[Span, ...]] = field(default_factory=dict, compare=False, repr=False)

    def spans_of(self, day: date) -> tuple[Span, ...]:
        """The working time of a local day; empty where it is none."""
        if day not in self._days:
            spans = ((self._at(day, start), self._at(day, end)) for start, end in self.hours)
            self._days[day] = tuple(span for span in spans if span[0] < span[1]) if self.works(day) else ()
        return self._days[day]

    def _at(self, day: date, minute: int) -> datetime:
        extra, minute = divmod(minute, DAY_MIN)
        local = datetime.combine(day + timedelta(days=extra), time(minute // 60, minute % 60), self.zone)
        return local.astimezone(UTC)

    def spans_from(self, at: datetime) -> Iterator[Span]:
        """The working time after `at`, span by span, the first one cut at `at`.

        Raises:
            NoWorkingTime: instead of looking for ever.
        """
        day, idle = at.astimezone(self.zone).date(), 0
        while idle < FAR:
            for start, end in self.spans_of(day):
                if end > at:
                    idle = 0
                    yield max(start, at.astimezone(UTC)), end
            day, idle = day + timedelta(days=1), idle + 1
        raise NoWorkingTime(f"no working time within {FAR} days after {at:%Y-%m-%d}")

    def next_moment(self, at: datetime) -> datetime:
        """`at`, if then is worked; else when work begins next.  The end of the hours is no working moment."""
        return next(self.spans_from(at))[0]

    def add(self, at: datetime, working: timedelta) -> datetime:
        """The instant at which so much working time has passed since `at`.

        What is full at the end of the hours is due then, not the next morning.  Nothing added: `next_moment`.
        """
        left = working
        for start, end in self.spans_from(at):
            if left <= end - start:
                return start + left
            left -= end - start
        raise AssertionError("the spans never end")

    def add_days(self, at: datetime, days: int) -> datetime:
        """The same time of day on the so-manieth next working day; outside working time, from `next_moment`."""
        start = self.next_moment(at).astimezone(self.zone)
        day, left, idle = start.date(), days, 0
        while left:
            day, idle = day + timedelta(days=1), idle + 1
            if self.spans_of(day):
                left, idle = left - 1, 0
            if idle > FAR:
                raise NoWorkingTime(f"no working day within {FAR} days before {day}")
        return datetime.combine(day, start.time(), self.zone).astimezone(UTC)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time lies from `start` to `end`; nothing where `end` is not later."""
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        found = timedelta()
        while day <= last:
            for begins, stops in self.spans_of(day):
                found += max(min(stops, end) - max(begins, start), timedelta())
            day += timedelta(days=1)
        return found

    def within(self, spans: Iterable[Span]) -> timedelta:
        """How much working time lies in spans; those that overlap count once."""
        return sum((self.between(start, end) for start, end in joined(spans)), timedelta())
