"""How simulated people behave: delays in minutes, chances as shares.  All are assumptions.

Delays are log-normal, which fits how long people take: a median and a long tail.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Delay:
    """A log-normal delay: half of all are shorter than `median` minutes; `spread` is sigma of the logarithm."""

    median: float
    spread: float = 0.6

    def draw(self, rng: random.Random) -> float:
        """Minutes, at least a few seconds."""
        return max(0.05, self.median * math.exp(rng.gauss(0.0, self.spread)))


@dataclass(frozen=True, slots=True)
class Habits:
    """What the simulation assumes about people."""

    sign: dict[str, Delay] = field(default_factory=lambda: {"emergency": Delay(1.6, 0.7), "ordinary": Delay(6, 0.8)})
    assign: dict[str, Delay] = field(default_factory=lambda: {"emergency": Delay(1.0, 0.6), "ordinary": Delay(8, 0.8)})
    contact: Delay = Delay(2.0)
    depart: Delay = Delay(1.5)
    speed_kmh: float = 20.0
    detour: float = 1.3
    access_min: float = 2.0
    service_median: Callable[[str, str], float] = lambda _category, urgency: 45.0 if urgency == "emergency" else 35.0
    service_spread: float = 0.5
    make_safe: Delay = Delay(8)
    answer: Delay = Delay(240, 1.0)
    follow_up_call: Delay = Delay(420, 0.5)
    close: Delay = Delay(180, 0.8)
    answers_by_themselves: float = 0.35
    answers_the_call: float = 0.85
    solved: float = 0.95
    rates: float = 0.4
    urges_when_late: float = 0.3
    cancels: float = 0.01
    shows_the_code: float = 0.7
    satisfaction: tuple[tuple[str, float], ...] = (("satisfied", 0.72), ("fairly", 0.2), ("dissatisfied", 0.08))

    def service_min(self, category: str, urgency: str, rng: random.Random) -> float:
        """Minutes of work on the spot."""
        return Delay(self.service_median(category, urgency), self.service_spread).draw(rng)

    def travel_min(self, metres: float) -> float:
        """Minutes from here to there: the way with its detour, and getting in."""
        return metres / 1000 * self.detour / self.speed_kmh * 60 + self.access_min
