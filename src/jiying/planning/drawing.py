"""A day drawn from a model.  Pure; what is drawn depends on the model, the seed and the number of the day alone.

Common random numbers: each purpose has a stream of its own, so that staff and pools change nothing of the demand.
Demand is drawn in layers, each as much as today's: twice the demand is today's orders and as many more; one and a half
times keeps of the second layer those whose own chance is below a half.  So more demand always contains less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from jiying.core.errors import BadInput
from jiying.dispatch.days.reading import MOST_SKILLS, NO_DUTY, NO_SKILL, Day
from jiying.dispatch.engine.fleet.world import SERVICE_MEDIAN_MIN, SERVICE_SPREAD
from jiying.planning.changes import Change
from jiying.planning.model import Hand, Model

FACTOR, ARRIVALS, MINUTES, PLACES, SERVICE, THINNING = range(6)
"""The streams."""

HOURS = 24
NEIGHBOURS, NEIGHBOURS_SHARE = 40, 0.05
"""From how many past orders around its time of day an order takes its place: so many, or that share of its kind."""

LEAST_FINISHED = 20
"""Of so many visits at least is learnt how long they take; else of all of the skill, then of all."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Orders of a day, arrays by order, in the order of layers: row of the past each was modelled on, minute,
    skill, emergency, minutes on the spot; `key` tells an order by layer and number whatever the demand."""

    key: tuple[str, ...]
    row: np.ndarray
    minute: np.ndarray
    skill: np.ndarray
    emergency: np.ndarray
    service: np.ndarray


def stream(seed: int, number: int, purpose: int, layer: int = 0) -> np.random.Generator:
    """The random numbers of one purpose on the `number`-th day."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(number, purpose, layer))))


class Drawer:
    """Draws days of a model; what is counted once for all of them is kept."""

    def __init__(self, model: Model) -> None:
        if len(model.skills) > MOST_SKILLS:
            raise BadInput.of("skills", "invalid", f"more than {MOST_SKILLS} skills")
        self.model, past = model, model.past
        hour = np.minimum((past.minute // 60).astype(np.int64), HOURS - 1)
        self.rates = np.zeros((HOURS, len(model.skills), 2))
        np.add.at(self.rates, (hour, past.skill, past.emergency), 1.0 / model.days)
        self._rows: dict[tuple[int, int], np.ndarray] = {}
        for skill in range(len(model.skills)):
            for urgent in (0, 1):
                rows = np.flatnonzero((past.skill == skill) & (past.emergency == urgent))
                self._rows[skill, urgent] = rows[np.argsort(past.minute[rows], kind="stable")]
        self._minutes = {kind: self._finished(*kind) for kind in self._rows}

    def demand(self, change: Change, seed: int, number: int) -> Demand:
        """What is asked for on the `number`-th day, under the change's demand; nothing else of it matters."""
        factors = np.array([change.factor(skill) for skill in self.model.skills])
        spread = self.model.spread
        busy = float(stream(seed, number, FACTOR).gamma(1 / spread, spread)) if spread > 1e-9 else 1.0
        layers = [self._layer(seed, number, layer, busy, factors) for layer in range(math.ceil(factors.max()))]
        return Demand(
            tuple(key for layer in layers for key in layer.key),
            *(np.concatenate([getattr(layer, name) for layer in layers])
              for name in ("row", "minute", "skill", "emergency", "service")),
        )  # fmt: skip

    def _layer(self, seed: int, number: int, layer: int, busy: float, factors: np.ndarray) -> Demand:
        counts = stream(seed, number, ARRIVALS, layer).poisson(self.rates * busy)
        hour, skill, urgent = (axis.ravel() for axis in np.indices(counts.shape))
        hour, skill, urgent = (np.repeat(axis, counts.ravel()) for axis in (hour, skill, urgent))
        many = len(hour)
        draw = {
            purpose: stream(seed, number, purpose, layer).random(many)
            for purpose in (MINUTES, PLACES, SERVICE, THINNING)
        }
        minute = np.round(60 * (hour + draw[MINUTES]), 4)
        row, service = np.zeros(many, np.int64), np.zeros(many)
        for kind, rows in self._rows.items():
            mine = (skill == kind[0]) & (urgent == kind[1])
            if mine.any():
                row[mine] = self._places(rows, minute[mine], draw[PLACES][mine])
                service[mine] = np.round(_quantile(self._minutes[kind], draw[SERVICE][mine]), 3)
        stays = np.flatnonzero(draw[THINNING] < factors[skill] - layer)
        keys = tuple(f"{layer}-{one}" for one in stays.tolist())
        return Demand(keys, row[stays], minute[stays], skill[stays], urgent[stays], service[stays])

    def _places(self, rows: np.ndarray, minute: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """For each order a past one of its kind, of about the same time of day."""
        window = min(len(rows), max(NEIGHBOURS, int(NEIGHBOURS_SHARE * len(rows))))
        first = np.searchsorted(self.model.past.minute[rows], minute) - window // 2
        # The day is a circle: just after midnight one learns from just before it, too.
        return rows[(first + (chance * window).astype(np.int64)) % len(rows)]

    def _finished(self, skill: int, urgent: int) -> np.ndarray:
        """Minutes on the spot, sorted, from which a kind of order learns."""
        past = self.model.past
        known = np.isfinite(past.service)
        of_skill = past.skill == skill
        for mine in (known & of_skill & (past.emergency == urgent), known & of_skill, known):
            if np.count_nonzero(mine) >= LEAST_FINISHED:
                return np.sort(past.service[mine])
        normal = NormalDist(math.log(SERVICE_MEDIAN_MIN), SERVICE_SPREAD)
        return np.array([math.exp(normal.inv_cdf((n + 0.5) / 200)) for n in range(200)])

    def day(self, demand: Demand, staff: tuple[Hand, ...], weekday: int) -> Day:
        """The day for the engine.  Towns and teams are set by who runs it; orders come by time."""
        model = self.model
        line = np.argsort(demand.minute, kind="stable")
        row = demand.row[line]
        shifts = tuple(_spans(hand, weekday) for hand in staff)
        number = {skill: place for place, skill in enumerate(model.skills)}
        bits = np.array([sum(1 << number[skill] for skill in hand.skills) for hand in staff], np.int64)
        skill, minute = demand.skill[line], demand.minute[line]
        last = np.full(len(model.skills), -math.inf)
        for hand, spans in zip(staff, shifts, strict=True):
            for word in hand.skills:
                last[number[word]] = max([last[number[word]], *(end for _, end in spans)])
        never = {int(one): NO_SKILL for one in np.flatnonzero(~np.isfinite(last[skill]))}
        late = np.isfinite(last[skill]) & (minute >= last[skill])
        never |= {int(one): NO_DUTY for one in np.flatnonzero(late)}
        nowhere = ("",) * len(line)
        return Day(
            orders=tuple(demand.key[one] for one in line.tolist()), reported=minute,
            order_places=np.column_stack([model.past.x[row], model.past.y[row]]), order_skill=skill,
            emergency=demand.emergency[line], service=demand.service[line], order_town=nowhere, order_team=nowhere,
            workers=tuple(hand.key for hand in staff),
            worker_places=np.array([(hand.x, hand.y) for hand in staff], float).reshape(-1, 2),
            worker_skills=bits, shifts=shifts, worker_town=("",) * len(staff), worker_team=("",) * len(staff),
            skills=model.skills, why_never=never,
        )  # fmt: skip


@lru_cache(maxsize=20_000)
def _spans(hand: Hand, weekday: int) -> tuple[tuple[float, float], ...]:
    return hand.spans(weekday)


def _quantile(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The values at these shares (0..1) of a sorted list, between two in proportion."""
    out: np.ndarray = np.interp(at, (np.arange(len(values)) + 0.5) / len(values), values)
    return out
