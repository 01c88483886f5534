"""Whether somebody is at work: by their shifts, unless they, or their company, said otherwise since.

Pure: knows no database.  What was said holds until the shifts turn (their next beginning or end), so that a
switch that somebody forgot does not last for days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

LONGEST = timedelta(hours=16)
"""How long a switch holds at most, where the shifts do not turn before."""

SHORTEST = timedelta(minutes=30)
"""A turn nearer than this is passed over: who goes home ten minutes early has not come back."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A shift: minutes of the day, past 1,440 into the next day; `weekdays` is a bit mask, Monday = 1."""

    start_min: int
    end_min: int
    weekdays: int = 127

    def covers(self, weekday: int, minute: int) -> bool:
        """Whether it runs at `minute` of `weekday` (Monday = 0).

        >>> Hours(1080, 1620).covers(1, 60)
        True
        """
        if self.weekdays >> weekday & 1 and self.start_min <= minute < self.end_min:
            return True
        yesterday = (weekday - 1) % 7
        return bool(self.weekdays >> yesterday & 1) and minute + 1440 < self.end_min


@dataclass(frozen=True, slots=True)
class Switch:
    """Somebody is at work (`on`) or is not, from `at` up to but not including `until`."""

    on: bool
    at: datetime
    until: datetime


def is_on(hours: Iterable[Hours], switches: Iterable[Switch], at: datetime, zone: tzinfo) -> bool:
    """Whether they are at work at `at` (aware): the latest switch that holds then, else the shifts in `zone`."""
    holding = [switch for switch in switches if switch.at <= at < switch.until]
    if holding:
        return max(holding, key=lambda switch: switch.at).on
    return _by_hours(hours, at, zone)


def _by_hours(hours: Iterable[Hours], at: datetime, zone: tzinfo) -> bool:
    local = at.astimezone(zone)
    return any(one.covers(local.weekday(), local.hour * 60 + local.minute) for one in hours)


def on_until(hours: Iterable[Hours], switches: Iterable[Switch], at: datetime, zone: tzinfo) -> datetime | None:
    """Until when somebody who is at work at `at` stays, by the latest switch or the shift that runs; None when off."""
    holding = [switch for switch in switches if switch.at <= at < switch.until]
    if holding:
        latest = max(holding, key=lambda switch: switch.at)
        return latest.until if latest.on else None
    return max((end for start, end in spans(hours, at, zone) if start <= at < end), default=None)


def spans(
    hours: Iterable[Hours], at: datetime, zone: tzinfo, days: Iterable[int] = (-1, 0)
) -> list[tuple[datetime, datetime]]:
    """The shifts that begin on `days`, counted from the day of `at`, as beginning and end; one that ends before it
    begins is none.
    """
    midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    for offset in days:
        day = midnight + timedelta(days=offset)
        for one in hours:
            if one.weekdays >> day.weekday() & 1 and one.start_min < one.end_min:
                found.append((day + timedelta(minutes=one.start_min), day + timedelta(minutes=one.end_min)))
    return found


def holds_until(hours: Sequence[Hours], at: datetime, zone: tzinfo) -> datetime:
    """Until when a switch made at `at` holds: the shifts' next turn that is not too near, at most `LONGEST` later."""
    turns = [turn for turn in _turns(hours, at, zone) if turn >= at + SHORTEST]
    return min(turns, default=at + LONGEST)


def _turns(hours: Iterable[Hours], at: datetime, zone: tzinfo) -> Iterator[datetime]:
    """When shifts begin or end within `LONGEST` after `at`."""
    midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for days in (-1, 0, 1):
        day = midnight + timedelta(days=days)
        for one in hours:
            if one.weekdays >> day.weekday() & 1:
                for minute in (one.start_min, one.end_min):
                    turn = day + timedelta(minutes=minute)
                    if at < turn <= at + LONGEST:
                        yield turn
