"""Who may be asked to wait elsewhere at all: by mandate, and by what a district has set."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

from jiying.dispatch.standby.models import Moving, Wish
from jiying.estates.models import Worker
from jiying.estates.queries import holders, own_posts


@dataclass(frozen=True, slots=True)
class Movings:
    """The lines of a district in force on a day, most telling first; who holds a mandate there."""

    lines: tuple[Moving, ...]
    mandated: frozenset[uuid.UUID]

    @classmethod
    def on(cls, day: date, district: str) -> Movings:
        """Two queries."""
        rows = Moving.objects.valid_on(day).filter(district=district)
        lines = sorted(rows, key=lambda line: (line.company_id is not None, line.valid_from, line.pk), reverse=True)
        return cls(tuple(lines), frozenset(holders(district, day)))

    def of(self, company: uuid.UUID) -> tuple[str, bool]:
        """What counts for a company's people: the mode, and whether those of an estate's own post may be asked.

        Without a line stations and centres are suggested, others are not.
        """
        has_one = company in self.mandated
        for line in self.lines:
            if line.company_id == company or (line.company_id is None and has_one):
                return line.mode, line.posts
        return (Wish.SUGGEST if has_one else Wish.OFF), False


def may_move(district: str, day: date, worker: uuid.UUID | None = None) -> dict[uuid.UUID, str]:
    """Worker id → mode, of the active workers of `district` (or of one) who may be asked.  Four queries.

    At the post of an estate is who belongs to one that their own company serves.
    """
    movings = Movings.on(day, district)
    posts = own_posts(district, day)
    rows = Worker.objects.filter(active=True, company__district=district)
    if worker is not None:
        rows = rows.filter(pk=worker)
    found = {}
    for pk, company, home in rows.values_list("pk", "company_id", "home_estate_id"):
        mode, with_posts = movings.of(company)
        if mode != Wish.OFF and (with_posts or (company, home) not in posts):
            found[pk] = mode
    return found
