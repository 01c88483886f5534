"""What days are drawn from: past orders, the staff, the towns.  Pure.

Units: minutes since 00:00, kilometres on a plane.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from jiying.core.errors import BadInput

DAY_MIN = 1440
LEAST_SERVICE_MIN, MOST_SERVICE_MIN = 1.0, 600.0
"""A visit that is recorded as shorter or longer is a slip of the pen or a pause, and counts as this."""


@dataclass(frozen=True, slots=True)
class Town:
    """A town: its code, what it is called, its middle (km)."""

    code: str
    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Hand:
    """One of the staff.  `shifts`: (from, to, weekdays) in minutes, past 1,440 into the next day; Monday is bit 0.

    `team` and `company` are whom they may be pooled with, `town` is a place in `Model.towns`.
    """

    key: str
    x: float
    y: float
    skills: tuple[str, ...]
    shifts: tuple[tuple[float, float, int], ...]
    town: int
    team: str
    company: str

    def spans(self, weekday: int) -> tuple[tuple[float, float], ...]:
        """When they are at work on a `weekday` (Monday 0) that begins at minute 0, in order and apart.

        What is left of a shift of the day before comes first.

        >>> Hand("a", 0, 0, ("lift",), ((1080, 1620, 127),), 0, "", "").spans(0)
        ((0.0, 180.0), (1080.0, 1620.0))
        """
        found = [(float(a), float(b)) for a, b, days in self.shifts if days >> weekday & 1]
        before = (weekday - 1) % 7
        found += [(max(a - DAY_MIN, 0.0), float(b - DAY_MIN)) for a, b, days in self.shifts if days >> before & 1]
        apart: list[tuple[float, float]] = []
        for begin, end in sorted(span for span in found if span[1] > max(span[0], 0.0)):
            if apart and begin <= apart[-1][1]:
                apart[-1] = (apart[-1][0], max(apart[-1][1], end))
            else:
                apart.append((begin, end))
        return tuple(apart)


@dataclass(frozen=True, slots=True)
class Past:
    """Orders that were, arrays by order: minute of the day, place (km), skill and town as places in the model's lists,
    emergency 0 or 1, minutes on the spot (NaN where not known); `team` and `company` as places in their lists.
    """

    minute: np.ndarray
    x: np.ndarray
    y: np.ndarray
    skill: np.ndarray
    emergency: np.ndarray
    service: np.ndarray
    town: np.ndarray
    team: np.ndarray
    company: np.ndarray

    def __len__(self) -> int:
        return len(self.minute)


@dataclass(frozen=True)
class Model:
    """A district as days are drawn from it.

    `days`: how many days the past orders are of.  `spread`: how much busier or quieter whole days are than chance
    alone makes them (squared coefficient of variation; 0 where it is not known).  `first`, `last`: the days, in words.
    """

    name: str
    skills: tuple[str, ...]
    towns: tuple[Town, ...]
    teams: tuple[str, ...]
    companies: tuple[str, ...]
    past: Past
    staff: tuple[Hand, ...]
    days: int
    spread: float = 0.0
    first: str = ""
    last: str = ""
    remarks: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    """What codes of teams and companies are called; the code itself where nothing stands here."""

    def with_staff(self, staff: tuple[Hand, ...]) -> Model:
        return replace(self, staff=staff)

    @property
    def teams_are_companies(self) -> bool:
        """Whether the two can be told apart at all."""
        return all(hand.team == hand.company for hand in self.staff)

    def town_named(self, words: str) -> int:
        """The place of a town in `towns`, by its code or its name.

        Raises:
            BadInput: `unknown_town`.
        """
        for place, town in enumerate(self.towns):
            if words in (town.code, town.name):
                return place
        some = ", ".join(town.code for town in self.towns[:6])
        raise BadInput.of(
            "town", "unknown_town", f"there is no town {words!r}; there are {some}{' …' * (len(self.towns) > 6)}"
        )

    def skill_named(self, word: str) -> int:
        """The place of a skill in `skills`.

        Raises:
            BadInput: `unknown_skill`.
        """
        if word not in self.skills:
            raise BadInput.of(
                "staff", "unknown_skill", f"there is no skill {word!r}; there are {', '.join(self.skills)}"
            )
        return self.skills.index(word)


def checked(model: Model) -> Model:
    """The model, if days can be drawn from it at all.

    Raises:
        BadInput: `no_orders`, `no_emergencies`, `no_staff`, `no_shifts`.
    """
    if not len(model.past):
        raise BadInput.of("history", "no_orders", f"{model.name}: there are no repairs with a place to learn from")
    if not int(model.past.emergency.sum()):
        raise BadInput.of("history", "no_emergencies", f"{model.name}: there are no emergencies to learn from")
    if not model.staff:
        raise BadInput.of("staff", "no_staff", f"{model.name}: there are no workers with a skill and a place")
    if not any(hand.shifts for hand in model.staff):
        raise BadInput.of("staff", "no_shifts", f"{model.name}: none of the {len(model.staff)} workers has a shift")
    return model


def spread_of(daily: np.ndarray) -> float:
    """How much days vary beyond chance: (variance − mean) ÷ mean², at least 0; 0 for fewer than five days.

    That is the squared coefficient of variation of the day's own factor, if orders within a day come by chance.

    >>> spread_of(np.array([10, 10, 10, 10, 10]))
    0.0
    """
    if len(daily) < 5 or not daily.mean():
        return 0.0
    mean = float(daily.mean())
    return max(0.0, (float(daily.var(ddof=1)) - mean) / mean**2)


def service_of(minutes: float) -> float:
    """Minutes on the spot as they are learnt from; NaN stays."""
    return minutes if math.isnan(minutes) else min(max(minutes, LEAST_SERVICE_MIN), MOST_SERVICE_MIN)


def towns_of(codes: np.ndarray, x: np.ndarray, y: np.ndarray, known: dict[int, Town]) -> tuple[Town, ...]:
    """The towns `known` by place, their middles where none is set taken from their orders (`codes`, `x`, `y`).

    A town without a middle and without orders stands in the middle of the others.
    """
    out = []
    for place in sorted(known):
        town, mine = known[place], codes == place
        if not (math.isfinite(town.x) and math.isfinite(town.y)):
            where = mine if mine.any() else np.ones(len(codes), bool)
            town = (
                replace(town, x=float(x[where].mean()), y=float(y[where].mean()))
                if len(codes)
                else replace(town, x=0.0, y=0.0)
            )
        out.append(town)
    return tuple(out)
