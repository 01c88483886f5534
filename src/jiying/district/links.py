"""From a number to its orders: the address of the desk that counts what the number counted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from jiying.district.period import Period

NOWHERE = "-"
"""What the desk calls orders without a town, a company or an estate."""


@dataclass(frozen=True)
class Links:
    """The desk's addresses for one place (`{"town": code, …}`, empty for all in reach) and a period."""

    places: dict[str, str]
    period: Period

    def due(self, promise: str, **more: str) -> str:
        """Orders with a promise (or `response`) that was due, kept or not."""
        return self._desk(promise=promise, **more)

    def reported(self, **more: str) -> str:
        """Orders reported in the period."""
        return self._desk(**more)

    def of(self, row: dict[str, Any], by: str) -> Links:
        """The same for a row of the table."""
        return Links({**self.places, by: row["key"] or NOWHERE}, self.period)

    def _desk(self, **more: str) -> str:
        return f"{self._base}{''.join(f'&{name}={value}' for name, value in more.items())}"

    @cached_property
    def _base(self) -> str:
        times = {"from": self.period.from_.isoformat(), "to": self.period.to.isoformat()}
        return f"/desk?{urlencode({**self.places, 'state': 'all', **times})}"
