"""The formulas of the figures (domain.md §6).  Pure: no database and no clock.

A share is 0..1; a share of nothing is None, never 0 or 1.  Minutes are integers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import Any

PROMISES = ("sign", "respond_30", "contact", "made_safe", "complete", "reply", "follow_up")
RESPONSE = ("sign", "contact", "respond_30")
"""The promises that responsiveness (响应度) counts: somebody noticed, called, came."""

LEFT_OUT = ("returned", "refused", "cancelled", "merged", "downgraded")
FAIRLY = 0.9
"""What "fairly satisfied" counts, against 1 for "satisfied"."""

Z95 = 1.959963984540054
"""The normal quantile of a 95 % interval."""


def share(part: float, whole: float) -> float | None:
    """`part` of `whole`; None of nothing.

    >>> share(3, 4)
    0.75
    >>> share(0, 0) is None
    True
    """
    return part / whole if whole else None


def quantile(minutes: Mapping[int, int], q: float) -> int | None:
    """The smallest value that at least the share `q` does not exceed (nearest rank), from value → count.

    >>> quantile({5: 1, 20: 2, 45: 1}, 0.5)
    20
    >>> quantile({}, 0.9) is None
    True
    """
    n = sum(minutes.values())
    if not n:
        return None
    wanted, seen = max(1, ceil(q * n - 1e-9)), 0
    for value in sorted(minutes):
        seen += minutes[value]
        if seen >= wanted:
            return value
    raise AssertionError("the counts add up to n")


def wilson(p: float, n: int, z: float = Z95) -> tuple[float, float]:
    """The interval of a share `p` seen in a sample of `n` > 0 (E. B. Wilson, JASA 22, 1927).

    >>> low, high = wilson(0.9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)
    """
    spread = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    middle, scale = p + z * z / (2 * n), 1 + z * z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


@dataclass(slots=True)
class Kept:
    """A promise's count: those due in the period.  Still running, paused and void ones are not in it.

    `claimed` are the met ones whose time was reported more than five minutes later; `grades` count the met
    ones by their proof of arrival.
    """

    met: int = 0
    missed: int = 0
    claimed: int = 0
    grades: Counter[str] = field(default_factory=Counter)

    @property
    def due(self) -> int:
        return self.met + self.missed

    def add(self, other: Kept) -> None:
        self.met += other.met
        self.missed += other.missed
        self.claimed += other.claimed
        self.grades += other.grades

    def shown(self) -> dict[str, Any]:
        return {
            "due": self.due,
            "met": self.met,
            "missed": self.missed,
            "share": share(self.met, self.due),
            "claimed": self.claimed,
            "grades": {grade: self.grades[grade] for grade in "ABC"} if self.grades else None,
        }


@dataclass(slots=True)
class Tally:
    """All that is counted about one town, company, estate or committee; `add` makes totals."""

    promises: dict[str, Kept] = field(default_factory=lambda: {name: Kept() for name in PROMISES})
    minutes: Counter[int] = field(default_factory=Counter)
    """Minutes from report to arrival → how many; of those not reached yet, their age."""
    orders: Counter[str] = field(default_factory=Counter)
    """submitted, done, closed, fixed_first, reopened, complaints, refused, cancelled, returned, downgraded."""
    ratings: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    """Residents' last words: solved, unsolved."""
    households: int = 0

    def add(self, other: Tally) -> None:
        for name, kept in other.promises.items():
            self.promises[name].add(kept)
        self.minutes += other.minutes
        self.orders += other.orders
        self.ratings += other.ratings
        self.answers += other.answers
        self.households += other.households

    def shown(self, days: float) -> dict[str, Any]:
        """The figures as the contract writes them; `days` is the length of the period."""
        orders = self.orders
        submitted = orders["submitted"]
        return {
            "promises": {name: kept.shown() for name, kept in self.promises.items()},
            "responsiveness": self.responsiveness(),
            "median_min": quantile(self.minutes, 0.5),
            "p90_min": quantile(self.minutes, 0.9),
            "submitted": submitted,
            "reopened": orders["reopened"],
            "done": orders["done"],
            "rework": share(orders["reopened"], orders["done"]),
            "first_time_fix": share(orders["fixed_first"], orders["closed"]),
            "left_out": {name: share(orders[name], submitted) for name in LEFT_OUT},
            "satisfaction": self.satisfaction(),
            "resolution": {
                "share": share(self.answers["solved"], self.answers.total()),
                "n": self.answers.total(),
            },
            "complaints": orders["complaints"],
            "complaints_per_1000": per_1000(orders["complaints"], self.households, days),
            "households": self.households,
        }

    def responsiveness(self) -> dict[str, Any]:
        """Response promises met ÷ due."""
        whole = Kept()
        for name in RESPONSE:
            whole.add(self.promises[name])
        return {"due": whole.due, "met": whole.met, "share": share(whole.met, whole.due)}

    def satisfaction(self) -> dict[str, Any]:
        """(satisfied + 0.9 × fairly) ÷ answers, with its 95 % interval and size."""
        n = self.ratings.total()
        if not n:
            return {"share": None, "low": None, "high": None, "n": 0}
        p = (self.ratings["satisfied"] + FAIRLY * self.ratings["fairly"]) / n
        low, high = wilson(p, n)
        return {"share": p, "low": low, "high": high, "n": n}


MONTH_DAYS = 30.4375


def per_1000(count: int, households: int, days: float) -> float | None:
    """`count` per 1,000 households and month; None without households.

    >>> per_1000(4, 2000, 30.4375)
    2.0
    """
    return count * 1000 / households * MONTH_DAYS / days if households and days else None
