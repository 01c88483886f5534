"""The period that figures are about, and the one before it that they are compared with.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

LONGEST = timedelta(days=1096)
PRESETS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Period:
    """From the start of the day `first` to the end of the day `last`, on the clock of `zone`."""

    first: date
    last: date
    zone: tzinfo

    @classmethod
    def asked(cls, query: Mapping[str, str], now: datetime, zone: tzinfo) -> Period:
        """From `?days=` or `?from=&to=` (dates, both included); else the last 7 days with today.

        What cannot be meant (no date, the end before the beginning, the future, more than three years) falls
        back to the 7 days.
        """
        today = now.astimezone(zone).date()
        days = int(query["days"]) if query.get("days") in {str(n) for n in PRESETS} else PRESETS[0]
        usual = cls(today - timedelta(days=days - 1), today, zone)
        try:
            first, last = date.fromisoformat(query.get("from", "")), date.fromisoformat(query.get("to", ""))
        except ValueError:
            return usual
        if not first <= last or first > today or last - first > LONGEST or first.year < 2000:
            return usual
        return cls(first, min(last, today), zone)

    @property
    def day(self) -> timedelta:
        return timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def from_(self) -> datetime:
        return datetime.combine(self.first, time.min, self.zone)

    @property
    def to(self) -> datetime:
        """Excluded."""
        return datetime.combine(self.last + timedelta(days=1), time.min, self.zone)

    @property
    def before(self) -> Period:
        """As many days, right before: the baseline."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1), self.zone)

    def preset(self, today: date) -> int | None:
        """Which of `PRESETS` this is."""
        return self.days if self.last == today and self.days in PRESETS else None
