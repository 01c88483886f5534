"""The people of a district as the world in memory knows them: where they belong, what they can do, when they work.

What is wrong with somebody's data leaves them out of the coverage and stops nothing: no place, no skill, no shift, a
shift that ends before it begins, a place on another continent.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from jiying.dispatch.engine.fleet.world import near
from jiying.dispatch.engine.outlook import Plane
from jiying.dispatch.engine.world import Spot
from jiying.dispatch.hands import spot_of
from jiying.dispatch.standby.queries import waiting
from jiying.estates.duty import Hours, Switch, spans
from jiying.estates.models import Worker
from jiying.estates.queries import duty_of

DAYS = (-1, 0, 1)
Span = tuple[datetime, datetime]


@dataclass(slots=True)
class Person:
    """One active worker; `waits`: where they said that they would wait, once they are there."""

    id: uuid.UUID
    company: uuid.UUID
    skills: frozenset[str]
    home: Spot
    hours: list[Hours] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)
    waits: Spot | None = None

    @property
    def place(self) -> Spot:
        """Where they are while no order of theirs is active."""
        return self.waits or self.home

    def duty(self, now: datetime, zone: ZoneInfo) -> list[Span]:
        """When they work from yesterday until tomorrow: in order and apart, with what was switched."""
        found = sorted(spans(self.hours, now, zone, DAYS))
        for switch in sorted(self.switches, key=lambda one: one.at):
            found = _without(found, (switch.at, switch.until))
            if switch.on:
                found.append((switch.at, switch.until))
        return _merged(sorted(found))


def _without(rows: list[Span], cut: Span) -> list[Span]:
    kept = []
    for begin, end in rows:
        kept += [span for span in ((begin, min(end, cut[0])), (max(begin, cut[1]), end)) if span[0] < span[1]]
    return kept


def _merged(rows: list[Span]) -> list[Span]:
    kept: list[Span] = []
    for begin, end in rows:
        if kept and begin <= kept[-1][1]:
            kept[-1] = (kept[-1][0], max(kept[-1][1], end))
        else:
            kept.append((begin, end))
    return kept


def read(district: str, now: datetime) -> tuple[list[Person], Plane]:
    """The active workers of `district` whose place is known, by id, and the plane around them.  Four queries."""
    rows = Worker.objects.filter(active=True, company__district=district).order_by("pk")
    placed = []
    columns = ("pk", "company_id", "skills", "home_estate__lon", "home_estate__lat")
    for pk, company, skills, lon, lat in rows.values_list(*columns):
        home = spot_of(lon, lat)
        if home is not None and home.is_somewhere:
            placed.append(Person(pk, company, frozenset(skills), home))
    middle = Spot(0.0, 0.0)
    if placed:
        middle = Spot(*(float(np.median([getattr(one.home, name) for one in placed])) for name in ("lon", "lat")))
    plane = Plane(middle)
    sure = near(np.array([plane.km(one.home) for one in placed]).reshape(-1, 2))
    people = {one.id: one for one, is_sure in zip(placed, sure.tolist(), strict=True) if is_sure}
    hours, switches = duty_of({"worker__company__district": district, "worker__active": True}, now)
    waits = waiting({"worker__company__district": district}, now)
    for pk, person in people.items():
        person.hours, person.switches = hours[pk], switches[pk]
        person.waits = waits.get(pk)
    return list(people.values()), plane
