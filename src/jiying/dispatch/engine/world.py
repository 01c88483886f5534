"""What a decision looks at: who could go, what is to be done, and within which limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Tier(IntEnum):
    """Who may go, in the order in which they are asked."""

    TEAM = 1
    STATION = 2
    CENTRE = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """A place: degrees, WGS-84."""

    lon: float
    lat: float

    @property
    def is_somewhere(self) -> bool:
        """Whether the numbers are a place on earth."""
        return math.isfinite(self.lon) and math.isfinite(self.lat) and abs(self.lon) <= 180 and abs(self.lat) <= 90


class Doing(StrEnum):
    """What somebody is about: nothing, an order they have not reached yet, or one they are at."""

    FREE = "free"
    GOING = "going"
    WORKING = "working"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who is entitled to go.

    `at`: where they are taken to be; None when nobody knows.  `load`: their open orders.  `home`: the order is at
    the estate they belong to.  `barred`: a code of why they are not to be asked about this order, or "".
    `busy_min`: minutes since they arrived where they work.  `duty_min`: minutes left of their shift; None where that
    is not known.  `urgent_in_hand`: another emergency is theirs and they are not through with it.
    `pool`: by which reach they may be sent: team, company, town, alliance or district.
    """

    worker: str
    tier: Tier
    at: Spot | None
    skills: frozenset[str]
    on_duty: bool
    load: int = 0
    home: bool = False
    barred: str = ""
    doing: Doing = Doing.FREE
    busy_min: float = 0.0
    duty_min: float | None = None
    urgent_in_hand: bool = False
    pool: str = "company"


@dataclass(frozen=True, slots=True)
class Job:
    """One open order.  `asked`: how far up the tiers have been asked; `skill` "" wants none in particular.

    `left_min`: minutes until somebody is to be there; negative when that has passed, None when there is no such time.
    """

    order: str
    at: Spot | None
    skill: str
    urgency: str
    asked: Tier = Tier.TEAM
    left_min: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and speeds.

    `cap_m`: by urgency, metres in a straight line beyond which nobody is sent: without a cap travel eats the
    capacity.  `load_cap`: with so many open orders nobody gets another.  `busy_from`: with so many a worker of the
    house no longer goes before nearer colleagues.  Speed, detour and access are those of an electric bicycle in a
    town; `load_min`: minutes that each order in hand counts as when people are compared.
    """

    cap_m: Mapping[str, float] = field(default_factory=lambda: {"emergency": 5_000.0, "ordinary": 8_000.0})
    load_cap: int = 5
    busy_from: int = 2
    load_min: float = 8.0
    speed_km_h: float = 15.0
    detour: float = 1.3
    access_min: float = 2.0
    soon_min: float = 10.0

    def cap(self, urgency: str) -> float:
        """The cap of an urgency; the tightest of all for one that has none."""
        return self.cap_m.get(urgency, min(self.cap_m.values()))


DEFAULTS = Settings()
"""Limits and speeds where a district has decided nothing else."""
