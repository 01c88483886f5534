"""A surge in figures, and who is at home: for the centre, which asks the companies to call people in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jiying.dispatch import outlooks, saying, surges
from jiying.dispatch.engine.surging import recall, recall_by_skill
from jiying.dispatch.models import Surge, SurgeSwitch
from jiying.estates.duty import is_on
from jiying.estates.models import Worker
from jiying.estates.queries import duty_of, zone_of


@dataclass(frozen=True, slots=True)
class Standing:
    """How a district stands: the surge that runs, what a person said, and the outlook of `at` (None: nothing is known).

    `load`: share of those on duty whom emergencies keep busy; `recall`: people wanted besides the `staff` on duty, and
    `by_skill` at least so many with each that is short.
    """

    district: str
    surge: Surge | None
    switch: SurgeSwitch | None
    at: datetime | None = None
    load: float = 0.0
    staff: int = 0
    recall: int = 0
    by_skill: dict[str, int] = field(default_factory=dict)

    @property
    def percent(self) -> int:
        """The load in whole percent, rounded down."""
        return int(100 * self.load)

    @property
    def skills(self) -> str:
        """The short skills in words: 水工 5 人、电梯 2 人; "" where none is."""
        return saying.people_by_trade(self.by_skill)

    def as_json(self) -> dict[str, Any]:
        """For command line and REST."""
        one, said = self.surge, self.switch
        return {
            "district": self.district,
            "running": one is not None,
            "began_at": one.began_at.isoformat() if one else None,
            "peak": round(one.peak, 3) if one else None,
            "by_hand": said.on if said else None,
            "until": said.until.isoformat() if said else None,
            "as_of": self.at.isoformat() if self.at else None,
            "load": round(self.load, 3) if self.at else None,
            "on_duty": self.staff if self.at else None,
            "recall": self.recall if self.at else None,
            "recall_by_skill": self.by_skill if self.at else None,
        }


def standing(district: str, now: datetime) -> Standing:
    """How `district` stands at `now`; one query where the rest was read a moment ago."""
    surge, switch = surges.running(district), surges.switched(district, now)
    known = outlooks.of(district, now)
    if known is None:
        return Standing(district, surge, switch)
    short = recall_by_skill(known)
    return Standing(district, surge, switch, known.at, known.load, known.staff, recall(known), short)


@dataclass(frozen=True, slots=True)
class AtHome:
    """Somebody who is off duty; `left`: they, or their company, said so, against their shifts."""

    name: str
    skills: str
    left: bool


@dataclass(slots=True)
class Crew:
    """The people of one company who are off duty; `by_skill` counts who has two skills for both."""

    company: str
    people: list[AtHome] = field(default_factory=list)
    by_skill: Counter[str] = field(default_factory=Counter)

    @property
    def skills(self) -> str:
        """How many with each skill, in words, always in the same order."""
        known = [skill for skill in saying.TRADES if skill in self.by_skill]
        others = sorted(self.by_skill.keys() - set(known))
        return saying.people_by_trade({skill: self.by_skill[skill] for skill in (*known, *others)})


def off_duty(district: str, now: datetime) -> list[Crew]:
    """Who of the district's active workers is off duty, by company, most people first; three queries."""
    zone = zone_of(district)
    hours, switches = duty_of({"worker__company__district": district, "worker__active": True}, now)
    crews: dict[Any, Crew] = {}
    rows = Worker.objects.filter(active=True, company__district=district).order_by("name", "pk")
    for pk, name, skills, company, company_name in rows.values_list(
        "pk", "name", "skills", "company_id", "company__name"
    ):
        if is_on(hours[pk], switches[pk], now, zone):
            continue
        crew = crews.setdefault(company, Crew(company_name))
        trades = [str(saying.TRADES.get(skill, skill)) for skill in skills]
        crew.people.append(AtHome(name, saying.listed(trades), is_on(hours[pk], (), now, zone)))
        crew.by_skill.update(skills)
    return sorted(crews.values(), key=lambda crew: (-len(crew.people), crew.company))
