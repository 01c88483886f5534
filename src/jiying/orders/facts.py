"""What the rules look at, of one order: from the data of its report, changed by reclassifications.  Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from jiying.rules import calendars
from jiying.rules.pack import Pack, PromiseRule, Traits


@dataclass(slots=True)
class Facts:
    """What the rules look at; `lot` says whether the order was drawn for follow-up by lot.

    `zone` is the time zone by whose clock working time is counted, or `calendars.PLAIN`.  `judged`: the category was
    given by somebody who may reclassify, not by whoever reported.  Of an imported order, `external_due` is the
    deadline that the other system gave it, and `knows` are the milestones that its ledger tells: a promise whose
    milestone nobody kept is not judged (None: all are).
    """

    kind: str
    category: str
    urgency: str
    part: str
    lot: bool
    appointment: datetime | None = None
    external_due: datetime | None = None
    knows: frozenset[str] | None = None
    estate_type: str = ""
    town: str = ""
    zone: str = calendars.USUAL_ZONE
    judged: bool = False

    @classmethod
    def of(cls, data: dict[str, Any]) -> Facts:
        """From the data of the `report` event."""
        window = data.get("appointment")
        return cls(
            kind=data["kind"],
            category=data["category"],
            urgency=data["urgency"],
            part=data.get("part", ""),
            lot=bool(data.get("lot")),
            appointment=datetime.fromisoformat(window["from"]) if window else None,
            external_due=datetime.fromisoformat(data["external_due"]) if data.get("external_due") else None,
            knows=frozenset(data["knows"]) if "knows" in data else None,
            estate_type=data.get("estate_type") or "",
            town=data.get("town") or "",
            zone=data.get("calendar") or calendars.USUAL_ZONE,
        )

    def changed(self, data: dict[str, Any]) -> Facts:
        """After a reclassification with this data."""
        new = {key: value for key, value in data.items() if key in ("kind", "category", "urgency", "part")}
        return replace(self, **new, judged=self.judged or "category" in new)

    def told(self, data: dict[str, Any]) -> Facts:
        """With what a later pack wants to know and the report did not say: see `Facts` for `zone`."""
        return replace(
            self, zone=data.get("calendar", self.zone), estate_type=data.get("estate_type", self.estate_type) or ""
        )

    def traits(self, pack: Pack) -> Traits:
        """As a pack's conditions look at them; a category that the pack does not have is the one above it."""
        code = pack.nearest(self.category)
        category = pack.categories.get(code)
        order = Traits(
            kind=self.kind,
            urgency=self.urgency,
            category=code,
            part=self.part,
            drawn=self.lot,
            approved=self.judged and category is not None and category.approval,
            estate_type=self.estate_type,
            town=self.town,
        )
        always = any(condition.matches(order) for condition in pack.follow_up.always)
        return replace(order, drawn=True) if always else order

    def drawn(self, pack: Pack) -> bool:
        """Whether a follow-up is owed: by the pack's conditions, or by lot."""
        return self.traits(pack).drawn

    def rules(self, pack: Pack) -> dict[str, PromiseRule]:
        """The rules that apply, by promise."""
        return {rule.promise: rule for rule in pack.rules_for(self.traits(pack))}
