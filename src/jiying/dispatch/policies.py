"""Which line of a district's policies counts for an order.  A batch of orders asks once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from jiying.dispatch.models import Policy
from jiying.dispatch.plan import Rules
from jiying.orders.models import Order


@dataclass(frozen=True, slots=True)
class Policies:
    """The lines in force on a day, most telling first."""

    lines: tuple[Policy, ...]

    @classmethod
    def on(cls, day: date, districts: Iterable[str]) -> Policies:
        """One query."""
        rows = Policy.objects.valid_on(day).filter(district__in=set(districts))
        return cls(tuple(sorted(rows, key=lambda line: (*_telling(line), line.valid_from, line.pk), reverse=True)))

    def of(self, order: Order) -> Rules:
        """What counts for `order`; the cautious defaults where nothing was decided."""
        traits = (order.district, order.company_id, order.category, order.urgency)
        line = next((line for line in self.lines if _meets(line, *traits)), None)
        if line is None:
            return Rules()
        return Rules(line.mode, line.after_s, line.depart_min, line.most_replaced, line.cap_m, line.load_cap)


def _telling(line: Policy) -> tuple[bool, bool, bool]:
    return (line.company_id is not None, bool(line.category), bool(line.urgency))


def _meets(line: Policy, district: str, company: uuid.UUID | None, category: str, urgency: str) -> bool:
    return (
        line.district == district
        and line.company_id in (None, company)
        and line.category in ("", category)
        and line.urgency in ("", urgency)
    )
