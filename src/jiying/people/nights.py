"""When it is night: the hours in which the duty roster says who is told.  Pure.

A day that is not worked (a weekend, a holiday) is night as a whole: from the morning on it belongs to the night that
begins on it.  So every instant lies either in the working hours of a worked day or in exactly one night.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from jiying.rules.calendars import works
from jiying.rules.pack import Calendar

_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


def night_hours(text: str) -> tuple[int, int]:
    """`17:30-08:30` as minutes of the day: when nights begin, and when they end on the day after.

    Raises:
        ValueError: no hours, or they do not cross midnight.

    >>> night_hours("17:30-08:30")
    (1050, 510)
    """
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    from_h, from_m, to_h, to_m = map(int, found.groups())
    begins, ends = from_h * 60 + from_m, to_h * 60 + to_m
    if ends >= begins:
        raise ValueError(text)
    return begins, ends


@dataclass(frozen=True, slots=True)
class Nights:
    """The nights of a district: `begins` and `ends` in minutes of the day, `calendar` tells the worked days."""

    zone: ZoneInfo
    begins: int
    ends: int
    calendar: Calendar

    def night(self, day: date) -> tuple[datetime, datetime]:
        """The night that begins on `day`: from the evening, or from the morning where the day is not worked.

        >>> nights = Nights(ZoneInfo("Asia/Shanghai"), 1050, 510, Calendar(hours=()))
        >>> [str(at) for at in nights.night(date(2026, 11, 27))]
        ['2026-11-27 17:30:00+08:00', '2026-11-28 08:30:00+08:00']
        >>> str(nights.night(date(2026, 11, 28))[0])    # a Saturday
        '2026-11-28 08:30:00+08:00'
        """
        begins = self.begins if works(self.calendar, day) else self.ends
        return self.moment(day, begins), self.moment(day + timedelta(days=1), self.ends)

    def part(self, day: date, begins: int, ends: int) -> tuple[datetime, datetime]:
        """From one minute of the day to another in the night of `day`; what lies before its morning is the day after.

        What was asked for may end before it begins, or lie outside of the night: the caller looks.

        >>> nights = Nights(ZoneInfo("Asia/Shanghai"), 1050, 510, Calendar(hours=()))
        >>> [f"{at:%d %H:%M}" for at in nights.part(date(2026, 11, 27), 23 * 60, 5 * 60)]
        ['27 23:00', '28 05:00']
        """
        after = day + timedelta(days=1)
        return (
            self.moment(day if begins >= self.ends else after, begins),
            self.moment(day if ends > self.ends else after, ends),
        )

    def of(self, at: datetime) -> date | None:
        """The day on which the night around `at` (aware) began; None in working hours."""
        local = at.astimezone(self.zone)
        day = local.date()
        if local < self.moment(day, self.ends):
            return day - timedelta(days=1)
        return day if local >= self.night(day)[0] else None

    def moment(self, day: date, minute: int) -> datetime:
        """A minute of a day on the clock of the district."""
        return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=self.zone)
