"""What an event changed of an order's clocks: due earlier or later, begun, void.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jiying.orders.chain import Moment
from jiying.orders.promises import VOID, Clock, Judge
from jiying.rules.pack import Pack

DUE, NEW = "due", "new"


@dataclass(frozen=True, slots=True)
class Moved:
    """One promise that changed: `what` is `due` (another time), `new` (it began) or `void` (it counts no more)."""

    promise: str
    round: int
    from_due: datetime | None
    to_due: datetime | None
    what: str

    @classmethod
    def of(cls, data: dict[str, Any]) -> Moved:
        """From an event's data."""
        was, now = (datetime.fromisoformat(at) if at else None for at in (data["from_due"], data["to_due"]))
        return cls(data["promise"], data["round"], was, now, data["what"])

    def as_data(self) -> dict[str, Any]:
        """As it stands in an event."""
        return {
            "promise": self.promise,
            "round": self.round,
            "from_due": self.from_due.isoformat() if self.from_due else None,
            "to_due": self.to_due.isoformat() if self.to_due else None,
            "what": self.what,
        }


Standing = dict[tuple[str, int], tuple[datetime, str]]
"""When each clock was due and how it stood, by promise and round."""


def standing(clocks: Iterable[Clock]) -> Standing:
    """To compare with after something happened."""
    return {(clock.promise, clock.round): (clock.due_at, clock.state) for clock in clocks}


def compared(was: Standing, now: Sequence[Clock]) -> list[Moved]:
    """What differs; a clock that took the place of a stricter one is that promise, due at another time."""
    replaced = {(clock.promise, number) for clock in now for number in clock.heir_of}
    found = []
    for clock in now:
        key = (clock.promise, clock.round)
        old = was.get(key) or (was.get((clock.promise, clock.heir_of[-1])) if clock.heir_of else None)
        if key in replaced:
            continue
        if old is None:
            found.append(Moved(*key, None, clock.due_at, NEW))
        elif clock.state == VOID:
            found += [Moved(*key, old[0], None, VOID)] if old[1] != VOID else []
        elif clock.due_at != old[0]:
            found.append(Moved(*key, old[0], clock.due_at, DUE))
    return found


def changed_by(moments: Sequence[Moment], pack: Pack) -> dict[int, list[Moved]]:
    """What each `reclassify` among an order's events changed, by their versions; `pack` is that of its report."""
    judge, found = Judge(pack), {}
    for moment in moments:
        before = standing(judge.clocks) if moment.verb == "reclassify" else None
        judge.feed(moment)
        if before is not None:
            found[moment.version] = compared(before, judge.clocks)
    return found
