"""Days and blocks of days: how a period is put together from what is summed already.  Pure.

Counts are kept for single days and for blocks of 8 and of 64 days, all counted from the same first day, so that
a month is about ten rows and three years about thirty, whatever day they begin on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

SPANS = (64, 8, 1)


def block_of(day: int, span: int) -> int:
    """The first day (ordinal) of the block of `span` days that `day` lies in.

    >>> block_of(739_200, 64), block_of(739_201, 8), block_of(739_201, 1)
    (739200, 739200, 739201)
    """
    return day - day % span


def blocks(first: int, end: int) -> Iterator[tuple[int, int]]:
    """(span, first day) of the blocks that make up the days from `first` up to but not including `end`.

    >>> list(blocks(739_199, 739_210))
    [(1, 739199), (8, 739200), (1, 739208), (1, 739209)]
    """
    day = first
    while day < end:
        span = next(span for span in SPANS if day % span == 0 and day + span <= end)
        yield span, day
        day += span


def midnight(day: date, zone: tzinfo) -> datetime:
    """The first instant of a day where the district is, in UTC: times of one zone compare by their hands alone."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Days:
    """A period as whole days (ordinals, `end` excluded) and what is left of it at its edges."""

    first: int
    end: int
    edges: tuple[tuple[datetime, datetime], ...]

    @classmethod
    def of(cls, from_: datetime, to: datetime, zone: tzinfo) -> Days:
        """Cut a period, `to` excluded, at midnights."""
        from_, to = from_.astimezone(UTC), to.astimezone(UTC)
        first, last = from_.astimezone(zone).date(), to.astimezone(zone).date()
        if midnight(first, zone) < from_:
            first += timedelta(days=1)
        begin, finish = midnight(first, zone), midnight(last, zone)
        if begin > finish:
            return cls(first.toordinal(), first.toordinal(), ((from_, to),))
        edges = [(from_, begin)] if from_ < begin else []
        edges += [(finish, to)] if finish < to else []
        return cls(first.toordinal(), last.toordinal(), tuple(edges))
