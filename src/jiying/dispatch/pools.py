"""How far the dispatcher looks: which of the entitled may be sent, by town and skill.

Entitlement is a condition and is never made by a pool: contract, mandate, agreement.  A pool says how much of it is
used.  Without a line it is what it always was: the whole company, the stations, the centres; no alliance.  While a
surge runs a line may reach farther (`surge_reach`).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from jiying.dispatch import surges
from jiying.dispatch.models import Pool, Reach
from jiying.orders.models import Order

WIDTHS = (Reach.TEAM, Reach.COMPANY, Reach.TOWN, Reach.ALLIANCE, Reach.DISTRICT)
READ_EVERY_S = 20.0
UNSAID = frozenset({"team", "company", "town", "district"})


@dataclass(frozen=True, slots=True)
class Pools:
    """The lines in force on a day, most telling first, and the districts in which a surge runs."""

    lines: tuple[Pool, ...]
    surging: frozenset[str] = frozenset()

    @classmethod
    def on(cls, day: date, districts: Iterable[str]) -> Pools:
        """One query a district, every twenty seconds: what is changed counts within that time."""
        wanted = set(districts)
        rows = [line for district in wanted for line in _lines_of(district)]
        valid = [line for line in rows if line.valid_from <= day and (line.valid_to is None or day < line.valid_to)]
        lines = sorted(valid, key=lambda line: (*_telling(line), line.valid_from, line.pk), reverse=True)
        return cls(tuple(lines), frozenset(district for district in wanted if surges.running(district)))

    def of(self, order: Order, skill: str) -> frozenset[str]:
        """The reaches whose people may be sent to `order`."""
        line = self._line(order, skill)
        return UNSAID if line is None else within(self._reach(line))

    def widened(self, order: Order, skill: str) -> frozenset[str]:
        """Of these reaches those that are there because a surge runs."""
        line = self._line(order, skill)
        return frozenset() if line is None else within(self._reach(line)) - within(line.reach)

    @property
    def allied(self) -> bool:
        """Whether any line uses alliances, so that they have to be read."""
        return any("alliance" in within(self._reach(line)) for line in self.lines)

    def _line(self, order: Order, skill: str) -> Pool | None:
        """The one that counts."""
        for line in self.lines:
            if line.district == order.district and line.town_id in (None, order.town_id) and line.skill in ("", skill):
                return line
        return None

    def _reach(self, line: Pool) -> str:
        return (line.surge_reach if line.district in self.surging else "") or line.reach


_kept: dict[str, tuple[float, list[Pool]]] = {}


def _lines_of(district: str) -> list[Pool]:
    clock = time.monotonic()
    read_at, lines = _kept.get(district, (-READ_EVERY_S, []))
    if clock - read_at >= READ_EVERY_S:
        lines = list(Pool.objects.filter(district=district))
        _kept[district] = (clock, lines)
    return lines


def forget(**_signal: object) -> None:
    """Read the lines anew: one was entered, changed or taken out."""
    _kept.clear()


def within(reach: str) -> frozenset[str]:
    """A reach and all that it takes in.

    >>> sorted(within("town"))
    ['company', 'team', 'town']
    """
    return frozenset(str(one) for one in WIDTHS[: WIDTHS.index(Reach(reach)) + 1])


def _telling(line: Pool) -> tuple[bool, bool]:
    return (line.town_id is not None, bool(line.skill))


def overlapping() -> Iterator[tuple[Pool, Pool]]:
    """Lines that say something about the same town and skill on the same day: only one of them counts."""
    by_place: dict[tuple[str, uuid.UUID | None, str], list[Pool]] = {}
    for line in Pool.objects.select_related("town").order_by("valid_from", "pk"):
        by_place.setdefault((line.district, line.town_id, line.skill), []).append(line)
    for lines in by_place.values():
        for one, other in combinations(lines, 2):
            if one.valid_to is None or other.valid_from < one.valid_to:
                yield one, other
