"""The formulas of the figures (domain.md §6).  Pure: no database and no clock.

A share is 0..1; a share of nothing is None, never 0 or 1.  Minutes are integers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, sqrt
from typing import Any

PROMISES = ("sign", "respond_30", "contact", "made_safe", "complete", "reply", "follow_up")
RESPONSE = ("sign", "contact", "respond_30")
"""The promises that responsiveness (响应度) counts: somebody noticed, called, came."""

ARRIVED, CONTACTED = "respond_30", "contact_30"
"""The two headlines of the thirty minutes: emergencies arrived at, and repairs whose resident was called."""

RATINGS = ("satisfied", "fairly", "dissatisfied")
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


@cache
def _ends(name: str) -> tuple[str, ...]:
    """The names under which a promise's ends are counted."""
    return tuple(f"{name}.{end}" for end in ("met", "missed", "claimed", *"ABC"))


@dataclass(frozen=True, slots=True)
class Kept:
    """A promise's count: those due in the period.  Still running, paused and void ones are not in it.

    `claimed` are the met ones whose time was reported more than five minutes later; `grades` count the met
    ones by their proof of arrival, A B C.
    """

    met: int = 0
    missed: int = 0
    claimed: int = 0
    grades: tuple[int, int, int] = (0, 0, 0)

    @classmethod
    def of(cls, tally: Tally, name: str) -> Kept:
        """From the names `name.met`, `name.missed` … of `counting`."""
        met, missed, claimed, *grades = map(tally.count, _ends(name))
        return cls(met, missed, claimed, (grades[0], grades[1], grades[2]))

    @property
    def due(self) -> int:
        return self.met + self.missed

    def shown(self) -> dict[str, Any]:
        return {
            "due": self.due,
            "met": self.met,
            "missed": self.missed,
            "share": share(self.met, self.due),
            "claimed": self.claimed,
            "grades": dict(zip("ABC", self.grades, strict=True)) if any(self.grades) else None,
        }


def histogram(counts: Mapping[str, int], bins: Sequence[int]) -> list[int]:
    """How many clocks have their minutes in each bin, from its lower bound up to the next.

    >>> histogram({"m.4": 1, "m.5": 2, "m.31": 1, "submitted": 9}, (0, 5, 30))
    [1, 2, 1]
    """
    out = [0] * len(bins)
    for minutes, n in minutes_of(counts).items():
        out[bisect_right(bins, minutes) - 1] += n
    return out


def minutes_of(counts: Mapping[str, int]) -> dict[int, int]:
    """Minutes to arrival → how many."""
    return {int(name[2:]): n for name, n in counts.items() if name.startswith("m.")}


class Tally:
    """All that is counted about one town, company, estate or committee.

    `households` are those of the place, `covered` the ones of them in estates with a running contract (None where
    that is no question: a company serves what it serves).
    """

    __slots__ = ("_parts", "covered", "households")

    def __init__(self, *parts: Mapping[str, int], households: int = 0, covered: int | None = None) -> None:
        """`parts` have the names of `counting`, and are added up when that is asked for."""
        self._parts = list(parts)
        self.households, self.covered = households, covered

    @property
    def counts(self) -> Counter[str]:
        """Everything, by its name."""
        first = self._parts[0] if len(self._parts) == 1 else None
        if isinstance(first, Counter):
            return first
        whole: Counter[str] = Counter()
        for part in self._parts:
            for name, n in part.items():
                whole[name] = whole.get(name, 0) + n
        self._parts = [whole]
        return whole

    def count(self, name: str) -> int:
        """One name alone, which does not add up the others: thousands of places are sorted by one figure."""
        n = 0
        for part in self._parts:
            if name in part:
                n += part[name]
        return n

    def add(self, other: Tally) -> None:
        """Take in another place."""
        self._parts += other._parts
        self.households += other.households
        if other.covered is not None:
            self.covered = (self.covered or 0) + other.covered

    def shown(self, days: float, **about: Any) -> Shown:
        """The figures as the contract writes them, and more; `days` is the length of the period.

        `about` (a key, a name) stands before them.
        """
        return Shown(self, days, about)

    def responsiveness(self) -> dict[str, Any]:
        """Response promises met ÷ due."""
        kept = [Kept.of(self, name) for name in RESPONSE]
        met, due = sum(one.met for one in kept), sum(one.due for one in kept)
        return {"due": due, "met": met, "share": share(met, due)}

    def satisfaction(self) -> dict[str, Any]:
        """(satisfied + 0.9 × fairly) ÷ answers, with its 95 % interval and size."""
        n = sum(self.count(f"rating.{rating}") for rating in RATINGS)
        if not n:
            return {"share": None, "low": None, "high": None, "n": 0}
        p = (self.count("rating.satisfied") + FAIRLY * self.count("rating.fairly")) / n
        low, high = wilson(p, n)
        return {"share": p, "low": low, "high": high, "n": n}

    def resolution(self) -> dict[str, Any]:
        """Orders whose resident's last word is that it is solved ÷ all with such a word."""
        solved, unsolved = self.count("answer.solved"), self.count("answer.unsolved")
        return {"share": share(solved, solved + unsolved), "n": solved + unsolved}

    def paused(self) -> dict[str, Any]:
        """Paused minutes ÷ all minutes from report to the end of the work, and by reason."""
        whole = self.count("open")
        reasons = {
            name.removeprefix("paused."): n for name, n in sorted(self.counts.items()) if name.startswith("paused.")
        }
        minutes = sum(reasons.values())
        return {
            "share": share(minutes, whole),
            "minutes": minutes,
            "of_minutes": whole,
            "reasons": {name: share(n, whole) for name, n in reasons.items()},
        }


Formula = Callable[[Tally, float], Any]

FORMULAS: dict[str, Formula] = {
    "promises": lambda tally, days: {name: Kept.of(tally, name).shown() for name in PROMISES},
    "arrived_30": lambda tally, days: Kept.of(tally, ARRIVED).shown(),
    "contacted_30": lambda tally, days: Kept.of(tally, CONTACTED).shown(),
    "responsiveness": lambda tally, days: tally.responsiveness(),
    "median_min": lambda tally, days: quantile(minutes_of(tally.counts), 0.5),
    "p90_min": lambda tally, days: quantile(minutes_of(tally.counts), 0.9),
    "submitted": lambda tally, days: tally.count("submitted"),
    "reopened": lambda tally, days: tally.count("reopened"),
    "done": lambda tally, days: tally.count("done"),
    "solved_remotely": lambda tally, days: tally.count("remote"),
    "closed": lambda tally, days: tally.count("closed"),
    "rework": lambda tally, days: share(tally.count("reopened"), tally.count("done")),
    "first_time_fix": lambda tally, days: share(tally.count("fixed_first"), tally.count("closed")),
    "left_out": lambda tally, days: {name: share(tally.count(name), tally.count("submitted")) for name in LEFT_OUT},
    "satisfaction": lambda tally, days: tally.satisfaction(),
    "resolution": lambda tally, days: tally.resolution(),
    "complaints": lambda tally, days: tally.count("complaints"),
    "complaints_repeated": lambda tally, days: tally.count("repeated"),
    "complaints_per_1000": lambda tally, days: per_1000(tally.count("complaints"), tally.households, days),
    "households": lambda tally, days: tally.households,
    "coverage": lambda tally, days: None if tally.covered is None else share(tally.covered, tally.households),
    "paused": lambda tally, days: tally.paused(),
}
"""Each figure by its name in the contract, from a tally and the days of the period."""


class Shown(Mapping[str, Any]):
    """The figures of one place, each worked out when it is first asked for.

    A page sorts thousands of estates by one of them and shows fifty; `dict` of it works out all.
    """

    __slots__ = ("_days", "_known", "_tally")

    def __init__(self, tally: Tally, days: float, about: Mapping[str, Any]) -> None:
        self._tally, self._days, self._known = tally, days, dict(about)

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = FORMULAS[name](self._tally, self._days)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        yield from [*(name for name in self._known if name not in FORMULAS), *FORMULAS]

    def __len__(self) -> int:
        return sum(1 for _name in self)

    def __repr__(self) -> str:
        return repr(dict(self))


MONTH_DAYS = 30.4375


def per_1000(count: int, households: int, days: float) -> float | None:
    """`count` per 1,000 households and month; None without households.

    >>> per_1000(4, 2000, 30.4375)
    2.0
    """
    return count * 1000 / households * MONTH_DAYS / days if households and days else None
