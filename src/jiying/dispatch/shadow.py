"""What plain nearness would have done, beside what was done: from the `advice` in the events of assignments.

Each decision keeps whom `nearest` would have sent out of those who may go.  It is compared, never acted upon.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from jiying.orders.models import Clock, Event
from jiying.orders.states import RULE

PROMISE = "respond_30"
KEPT, MISSED = "met", "missed"
CHUNK = 500


@dataclass(slots=True)
class Side:
    """Decisions of one kind: how many; of the emergencies among them whose 30 minutes are over, how many in time."""

    decisions: int = 0
    judged: int = 0
    kept: int = 0

    @property
    def share(self) -> float | None:
        """In time ÷ over; None where none is over."""
        return self.kept / self.judged if self.judged else None


@dataclass(slots=True)
class Compared:
    """Decisions of a period beside their shadow.  Minutes are estimates, door to door, summed over `timed` decisions
    of which both are known; `outside_*` is what the pool left out (`noted`), of the decisions that say so.
    """

    same: Side
    other: Side
    by_rule: int = 0
    timed: int = 0
    chosen_min: int = 0
    nearest_min: int = 0
    outside: int = 0
    outside_sooner: int = 0
    outside_saves_min: int = 0

    @property
    def decisions(self) -> int:
        return self.same.decisions + self.other.decisions

    @property
    def differs(self) -> float | None:
        """Share of the decisions in which nearest would have sent somebody else."""
        return self.other.decisions / self.decisions if self.decisions else None

    @property
    def chosen(self) -> float | None:
        """Mean minutes of those who were sent."""
        return self.chosen_min / self.timed if self.timed else None

    @property
    def nearest(self) -> float | None:
        """Mean minutes of those whom nearest would have sent."""
        return self.nearest_min / self.timed if self.timed else None

    def as_json(self) -> dict[str, Any]:
        """Numbers and shares; None where there is nothing to divide by."""
        return {
            "decisions": self.decisions,
            "by_rule": self.by_rule,
            "differs": self.differs,
            "minutes": {"chosen": self.chosen, "nearest": self.nearest, "decisions": self.timed},
            "kept": {
                name: {"decisions": side.decisions, "judged": side.judged, "share": side.share}
                for name, side in (("same", self.same), ("different", self.other))
            },
            "outside_the_pool": {
                "decisions": self.outside, "sooner": self.outside_sooner, "saves_min": self.outside_saves_min,
            },
        }  # fmt: skip


def compare(district: str, start: datetime, end: datetime, *, newest: int | None = None) -> Compared:
    """Decisions of a period; `newest`: of these only so many, the newest, so that a page stays quick.

    A promise is counted with the last decision about its order.
    """
    rows = Event.objects.filter(verb="assign", at__gte=start, at__lt=end, district=district).order_by("-at", "-seq")
    told = rows.values_list("order_id", "role", "canonical")
    found = Compared(Side(), Side())
    last: dict[uuid.UUID, bool] = {}
    for order, role, canonical in told[:newest] if newest else told.iterator(chunk_size=2000):
        data = json.loads(canonical)["data"]
        advice = data.get("advice", {})
        if "nearest" not in advice:
            continue
        _count(found, advice, same := advice["nearest"]["worker"] == data["worker"])
        found.by_rule += role == RULE
        last.setdefault(order, same)
    for chunk in _chunks(last):
        clocks = Clock.objects.filter(order_id__in=chunk, promise=PROMISE, state__in=(KEPT, MISSED)).order_by("round")
        for order, state in dict(clocks.values_list("order_id", "state")).items():
            side = found.same if last[order] else found.other
            side.judged += 1
            side.kept += state == KEPT
    return found


def _count(found: Compared, advice: dict[str, Any], same: bool) -> None:
    side = found.same if same else found.other
    side.decisions += 1
    if "minutes" in advice:
        found.timed += 1
        found.chosen_min += advice["minutes"]
        found.nearest_min += advice["nearest"]["minutes"]
    if outside := advice.get("outside"):
        found.outside += 1
        found.outside_sooner += outside["n"] > 0
        found.outside_saves_min += max(advice.get("minutes", 0) - outside["minutes"], 0) if outside["n"] else 0


def _chunks(keys: Iterable[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    left = iter(keys)
    while chunk := list(islice(left, CHUNK)):
        yield chunk
