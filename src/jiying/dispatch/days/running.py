"""A day under a named policy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from jiying.dispatch.days.judging import judge
from jiying.dispatch.days.reading import Day
from jiying.dispatch.engine.fleet.history import History
from jiying.dispatch.engine.fleet.policies import POLICIES, Policy
from jiying.dispatch.engine.fleet.prices import Road
from jiying.dispatch.engine.fleet.run import Run
from jiying.dispatch.engine.fleet.tables import NEVER, OPEN, ORDER
from jiying.dispatch.engine.fleet.world import EMERGENCY_MIN, ORDINARY_MIN, world_of


@dataclass(frozen=True)
class Played:
    """A day that was run: its trips, which row of the table each order of the trips is, and what is told of it."""

    trips: np.ndarray
    feed_rows: np.ndarray
    figures: dict[str, Any]
    run: Run


def play(
    day: Day, policy: str | Policy, until: float | None = None, history: Day | None = None, *, timed: bool = True
) -> Played:
    """Run `day` up to `until` (a minute; the whole day without it); `history`: another day to expect from.

    `timed`: whether each decision is timed.  Without it a simple policy runs in one compiled piece, ten times as fast,
    and makes the same plan.
    """
    rules = POLICIES[policy] if isinstance(policy, str) else policy
    _compile(rules)
    begun = time.perf_counter()
    run, feed_rows = ready(day, rules, history)
    last = max((end for own in day.shifts for _, end in own), default=0.0)
    (run.until if timed or rules.simple < 0 else run.whole)(last if until is None else min(until, last))
    trips = run.written
    arrived = np.full(len(day.orders), np.inf)
    served = trips["order"] >= 0
    arrived[feed_rows[trips["order"][served]]] = trips["arrive"][served]
    seen = np.ones(len(day.orders), bool) if until is None else day.reported < until
    figures = {
        "policy": rules.name,
        **judge(day, arrived, seen),
        "decision_ms": _shape(run.decision_s),
        "batch_ms": _shape(run.batch_s),
        "wall_s": round(time.perf_counter() - begun, 3),
    }
    return Played(trips, feed_rows, figures, run)


def _compile(rules: Policy) -> None:
    """Load what is compiled, or compile it, so that no decision is charged with it: a minute with one order."""
    one, name = np.zeros(1, np.int64), ("",)
    tiny = Day(
        orders=name, reported=np.array([0.05]), order_places=np.zeros((1, 2)), order_skill=one,
        emergency=np.ones(1, np.int64), service=np.ones(1), order_town=name, order_team=name,
        workers=name, worker_places=np.zeros((1, 2)), worker_skills=np.ones(1, np.int64), shifts=(((0.0, 1.0),),),
        worker_town=name, worker_team=name, skills=name, why_never={},
    )  # fmt: skip
    ready(tiny, rules)[0].until(1.0)


def ready(day: Day, rules: Policy, history: Day | None = None) -> tuple[Run, np.ndarray]:
    """The day before its first minute, and the rows of its orders by time."""
    road = Road()
    feed_rows = np.argsort(day.reported, kind="stable")
    worker_town, order_town = _numbers(day.worker_town, day.order_town)
    worker_team, order_team = _numbers(day.worker_team, day.order_team)
    feed = np.zeros(len(feed_rows), ORDER)
    feed["x"], feed["y"] = day.order_places[feed_rows].T if len(feed_rows) else ((), ())
    feed["reported"] = day.reported[feed_rows]
    feed["emergency"] = day.emergency[feed_rows]
    feed["limit"] = feed["reported"] + np.where(feed["emergency"] == 1, EMERGENCY_MIN, ORDINARY_MIN)
    feed["skill"] = day.order_skill[feed_rows]
    feed["town"], feed["team"] = order_town[feed_rows], order_team[feed_rows]
    feed["worker"] = -1
    never = np.zeros(len(feed), bool)
    never[list(day.why_never)] = True
    feed["state"] = np.where(never[feed_rows], NEVER, OPEN)
    past = None
    if history is not None:
        past = History(
            history.reported, history.order_places, history.emergency,
            np.array([day.skills.index(history.skills[s]) if s >= 0 and history.skills[s] in day.skills else -1
                      for s in history.order_skill], np.int64),
            history.service,
        )  # fmt: skip
    world = world_of(
        day.worker_places, day.worker_skills, day.shifts,
        worker_team, worker_town, len(day.skills), len(feed), road, rules.prices, past,
    )  # fmt: skip
    return Run(world, feed, day.service[feed_rows], road, rules), feed_rows


def _numbers(*lists: tuple[str, ...]) -> tuple[np.ndarray, ...]:
    """The same lists, each name by its number."""
    number: dict[str, int] = {}
    return tuple(
        np.fromiter((number.setdefault(name, len(number)) for name in names), np.int64, len(names)) for names in lists
    )


def _shape(seconds: list[float]) -> dict[str, float | None]:
    if not seconds:
        return {"p50": None, "p99": None}
    return {name: round(1000 * float(np.quantile(seconds, at)), 3) for name, at in (("p50", 0.5), ("p99", 0.99))}
