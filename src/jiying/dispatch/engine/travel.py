"""How far it is and how long it takes, behind an interface: a road matrix can stand in its place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from jiying.dispatch.engine.world import Settings, Spot

EARTH_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Trip:
    """`metres` in a straight line; `minutes` door to door."""

    metres: float
    minutes: float


class Travel(Protocol):
    """What the engine asks about ways."""

    def trip(self, start: Spot, end: Spot) -> Trip:
        """From `start` to `end`."""


@dataclass(frozen=True, slots=True)
class Crow:
    """The straight line with a detour, at one speed, and some minutes to get in.

    >>> trip = Crow(15.0, 1.3, 2.0).trip(Spot(121.500, 31.2), Spot(121.500, 31.2))
    >>> trip.metres, trip.minutes
    (0.0, 2.0)
    """

    speed_km_h: float
    detour: float
    access_min: float

    @classmethod
    def of(cls, settings: Settings) -> Crow:
        return cls(settings.speed_km_h, settings.detour, settings.access_min)

    def trip(self, start: Spot, end: Spot) -> Trip:
        metres = straight_m(start, end)
        return Trip(metres, metres / 1000 * self.detour / self.speed_km_h * 60 + self.access_min)


def straight_m(a: Spot, b: Spot) -> float:
    """Metres along the great circle (haversine)."""
    lat1, lat2 = math.radians(a.lat), math.radians(b.lat)
    h = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    )
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(h)))
