"""The `staff` section: how many workers a replayed district has, when they work and how fast they are."""

from __future__ import annotations

import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

DAY_MIN = 24 * 60
SHIFT = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])-([01]?[0-9]|2[0-4]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Staff:
    """Who works in a replay.  All defaults are assumptions for a city on motor scooters.

    Attributes:
        workers_per_100_orders: workers of all shifts together, for each 100 orders of the file.
        shifts: (from, to) in minutes after local midnight; `to` is beyond 1440 where the shift ends next day.
        skills_from: the value whose different contents are the skills (`category`), or None: all can do all.
        cap_km: nobody is sent farther than this.
        speed_kmh: on the way, by the great circle.
        travel_overhead_min: minutes of each trip that do not depend on its length.
        service_min: median minutes on the spot, by category or by urgency (`emergency`, `ordinary`).
    """

    workers_per_100_orders: float = 10.0
    shifts: tuple[tuple[int, int], ...] = ((480, 1200), (1200, 1920))
    skills_from: str | None = None
    cap_km: float = 8.0
    speed_kmh: float = 18.0
    travel_overhead_min: float = 4.0
    service_min: Dict[str, float] = field(
        default_factory=lambda: MappingProxyType({"emergency": 40.0, "ordinary": 35.0})
    )

    def service_minutes(self, category: str, urgency: str) -> float:
        """The median minutes on the spot: the category's own, else the urgency's.

        >>> Staff(service_min={"lift": 60.0, "ordinary": 30.0}).service_minutes("lift", "ordinary")
        60.0
        """
        known = self.service_min
        return known.get(category, known.get(urgency, known.get("ordinary", 35.0)))

    def travel_minutes(self, metres: float) -> float:
        """Minutes on the way for a distance in metres along the great circle."""
        return self.travel_overhead_min + metres / 1000 / self.speed_kmh * 60


def parse_shift(text: str) -> tuple[int, int]:
    """Minutes after midnight of a shift's beginning and end; an end not after the beginning is next day's.

    >>> parse_shift("07:30-16:00"), parse_shift("22:00-06:00")
    ((450, 960), (1320, 1800))

    Raises:
        ValueError: it is not written `HH:MM-HH:MM`.
    """
    match = SHIFT.fullmatch(text)
    numbers = [int(part) for part in match.groups()] if match else []
    if not numbers or max(start := numbers[0] * 60 + numbers[1], end := numbers[2] * 60 + numbers[3]) > DAY_MIN:
        raise ValueError("write a shift as 07:30-16:00")
    return start, end if end > start else end + DAY_MIN


def staff_from(section: Dict[str, Any]) -> Staff:
    """The dataclass from a section that the schema has checked."""
    known = dict(section)
    if "shifts" in known:
        known["shifts"] = tuple(parse_shift(text) for text in known["shifts"])
    if "service_min" in known:
        known["service_min"] = MappingProxyType({**Staff().service_min, **known["service_min"]})
    return Staff(**known)
