"""One day under the engine, and what is kept of it: whole numbers, so that sums are exact in any order.  Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from jiying.dispatch.days.judging import TOLERANCE_MIN
from jiying.dispatch.days.reading import Day
from jiying.dispatch.engine.fleet.world import EMERGENCY_MIN, ORDINARY_MIN
from jiying.planning.causes import causes_of
from jiying.planning.changes import Change, changed
from jiying.planning.drawing import HOURS, Drawer
from jiying.planning.model import DAY_MIN, Model
from jiying.planning.pools import DISTRICT, NEAREST, alliances, labels

SLOT_MIN = 30
SLOTS = DAY_MIN // SLOT_MIN
MOST_WAIT = 240
"""Waits of emergencies are counted by minutes up to this; longer ones, and those never reached, together."""

Late = tuple[int, int, int, int]
"""Late emergencies are counted by skill, half-hour of the report, town and cause."""


@dataclass(frozen=True)
class Outcome:
    """What is kept of a day.

    `town_hour` [town, hour, 2]: emergencies, and of them late ones.  `skill_slot` [skill, half-hour]: emergencies.
    `late`: late ones by `Late`.  `waits`: emergencies by minutes of waiting, rounded up.  `usual`: ordinary orders, and
    of them those after 240 minutes.  `never`: emergencies that nobody reached.  `failed`: how often the engine failed.
    """

    town_hour: np.ndarray
    skill_slot: np.ndarray
    late: dict[Late, int]
    waits: np.ndarray
    usual: tuple[int, int]
    never: int
    failed: int = 0

    def as_data(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "town_hour": self.town_hour.tolist(), "skill_slot": self.skill_slot.tolist(),
            "late": [[*key, n] for key, n in sorted(self.late.items())], "waits": self.waits.tolist(),
            "usual": list(self.usual), "never": self.never, "failed": self.failed,
        }  # fmt: skip

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> Outcome:
        """The outcome that `as_data` wrote."""
        return cls(
            np.array(data["town_hour"], np.int64), np.array(data["skill_slot"], np.int64),
            {(a, b, c, d): n for a, b, c, d, n in data["late"]}, np.array(data["waits"], np.int64),
            (data["usual"][0], data["usual"][1]), data["never"], data["failed"],
        )  # fmt: skip


class Runner:
    """Runs days of a model; one to a process."""

    def __init__(self, model: Model, seed: int) -> None:
        self.model, self.seed, self.drawer = model, seed, Drawer(model)
        self._staff = lru_cache(maxsize=64)(lambda change: changed(model, change))
        self._group = lru_cache(maxsize=8)(lambda number: alliances(model, number))

    def run(self, change: Change, number: int) -> Outcome:
        """The `number`-th day under a change; its weekday is the number's, Monday first."""
        model, staff = self.model, self._staff(change)
        demand = self.drawer.demand(change, self.seed, number)
        day = self.drawer.day(demand, staff, number % 7)
        line = np.argsort(demand.minute, kind="stable")
        row = demand.row[line]
        town, group = model.past.town[row], self._group(change.alliances)
        of_orders = labels(
            change.pool, model, group, town,
            [model.teams[one] for one in model.past.team[row].tolist()],
            [model.companies[one] for one in model.past.company[row].tolist()],
        )  # fmt: skip
        of_staff = labels(
            change.pool, model, group, np.array([hand.town for hand in staff], np.int64),
            [hand.team for hand in staff], [hand.company for hand in staff],
        )  # fmt: skip
        arrived, failed = _arrivals(day, change, of_orders, of_staff)
        return _kept(model, day, arrived, town, of_orders, of_staff, failed)


def _arrivals(day: Day, change: Change, of_orders: list[str], of_staff: list[str]) -> tuple[np.ndarray, int]:
    """The minute on the spot of each order, inf where nobody came; and how often the engine failed."""
    if change.sends_by == NEAREST:
        labelled = replace(day, order_town=tuple(of_orders), worker_town=tuple(of_staff))
        return _simple(labelled, "nearest" if change.pool == DISTRICT else "town"), 0
    arrived, failed = np.full(len(day.orders), np.inf), 0
    # Nobody goes beyond their pool, so that a district of pools is as many districts beside each other.
    orders, staff = (np.array(names) for names in (of_orders, of_staff))
    for pool in sorted(set(of_orders)):
        rows, people = np.flatnonzero(orders == pool), np.flatnonzero(staff == pool)
        if not len(people):
            continue
        # Only who runs days loads what compiles them.
        from jiying.dispatch.days.running import play

        played = play(_part(day, rows, people), "auto")
        served = played.trips["order"] >= 0
        arrived[rows[played.feed_rows[played.trips["order"][served]]]] = played.trips["arrive"][served]
        failed += played.run.failed
    return arrived, failed


def _simple(day: Day, policy: str) -> np.ndarray:
    from jiying.dispatch.days.running import ready
    from jiying.dispatch.engine.fleet.policies import POLICIES

    run, feed_rows = ready(day, POLICIES[policy])
    run.whole(max((end for own in day.shifts for _, end in own), default=0.0))
    trips = run.written
    served = trips["order"] >= 0
    arrived = np.full(len(day.orders), np.inf)
    arrived[feed_rows[trips["order"][served]]] = trips["arrive"][served]
    return arrived


def _part(day: Day, rows: np.ndarray, people: np.ndarray) -> Day:
    """Some orders and some workers of a day."""
    place = {int(row): new for new, row in enumerate(rows)}
    return replace(
        day,
        orders=_picked(day.orders, rows), reported=day.reported[rows], order_places=day.order_places[rows],
        order_skill=day.order_skill[rows], emergency=day.emergency[rows], service=day.service[rows],
        order_town=_picked(day.order_town, rows), order_team=_picked(day.order_team, rows),
        workers=_picked(day.workers, people), worker_places=day.worker_places[people],
        worker_skills=day.worker_skills[people], shifts=_picked(day.shifts, people),
        worker_town=_picked(day.worker_town, people), worker_team=_picked(day.worker_team, people),
        why_never={place[row]: why for row, why in day.why_never.items() if row in place},
    )  # fmt: skip


def _picked(names: tuple[Any, ...], which: np.ndarray) -> tuple[Any, ...]:
    return tuple(names[one] for one in which.tolist())


def _kept(
    model: Model, day: Day, arrived: np.ndarray, town: np.ndarray, of_orders: list[str], of_staff: list[str],
    failed: int,
) -> Outcome:  # fmt: skip
    wait = arrived - day.reported
    urgent = day.emergency == 1
    late = urgent & (wait > EMERGENCY_MIN + TOLERANCE_MIN)
    hour = np.minimum((day.reported // 60).astype(np.int64), HOURS - 1)
    slot = np.minimum((day.reported // SLOT_MIN).astype(np.int64), SLOTS - 1)
    town_hour = np.zeros((len(model.towns), HOURS, 2), np.int64)
    np.add.at(town_hour, (town[urgent], hour[urgent], 0), 1)
    np.add.at(town_hour, (town[late], hour[late], 1), 1)
    skill_slot = np.zeros((len(model.skills), SLOTS), np.int64)
    np.add.at(skill_slot, (day.order_skill[urgent], slot[urgent]), 1)
    rows = np.flatnonzero(late)
    why = causes_of(day, rows, of_orders, of_staff)
    cells = Counter(
        zip(day.order_skill[rows].tolist(), slot[rows].tolist(), town[rows].tolist(), why.tolist(), strict=True)
    )
    minutes = np.ceil(np.minimum(wait[urgent] - TOLERANCE_MIN, MOST_WAIT + 1.0)).astype(np.int64)
    usual = ~urgent
    return Outcome(
        town_hour, skill_slot, dict(cells),
        np.bincount(np.maximum(minutes, 0), minlength=MOST_WAIT + 2),
        (int(usual.sum()), int((usual & (wait > ORDINARY_MIN + TOLERANCE_MIN)).sum())),
        int((urgent & ~np.isfinite(arrived)).sum()), failed,
    )  # fmt: skip
