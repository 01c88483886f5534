"""A day from its first minute to its last: what happens by itself, and between it the decisions, which are timed."""

from __future__ import annotations

import logging
import math
import time

import numpy as np

from jiying.dispatch.engine.fleet.kernels import MOVES, TRIPS, decide_batch, decide_one, reveal, serve_open
from jiying.dispatch.engine.fleet.motion import advance, depart, mend
from jiying.dispatch.engine.fleet.nearby import nearby_of, run_simple
from jiying.dispatch.engine.fleet.policies import Policy
from jiying.dispatch.engine.fleet.prices import Road
from jiying.dispatch.engine.fleet.simple import NEAREST
from jiying.dispatch.engine.fleet.tables import TRIP
from jiying.dispatch.engine.fleet.world import World

logger = logging.getLogger(__name__)

TICKS_A_MINUTE = 6
"""A batch every ten seconds."""


class Run:
    """A day under way.  `feed`: all orders by time, `service`: minutes of work of each; the decisions see neither.

    `served`: when a simple policy served all that was open.  `decision_s`, `batch_s`: seconds that each decision at
    once, and each batch, took.  `failed`: how often the engine failed and the nearest was sent instead.
    """

    def __init__(self, world: World, feed: np.ndarray, service: np.ndarray, road: Road, policy: Policy) -> None:
        self.world, self.feed, self.service, self.road, self.policy = world, feed, service, road, policy
        self.finish = np.full(len(world.workers), math.inf)
        self.trips = np.zeros(4 * len(world.workers) + 1024, TRIP)
        self.decision_s: list[float] = []
        self.batch_s: list[float] = []
        self.failed = 0
        self.served = -math.inf

    @property
    def written(self) -> np.ndarray:
        """The trips so far."""
        return self.trips[: self.world.tally[TRIPS]]

    @property
    def moved(self) -> int:
        """How many moves were decided."""
        return int(self.world.tally[MOVES])

    def until(self, end: float) -> None:
        """Run the day until `end`."""
        urgent = np.flatnonzero(self.feed["emergency"] == 1)
        times = [*self.feed["reported"][urgent].tolist(), math.inf]
        rows = urgent.tolist()
        following = tick = 0
        while (now := round(tick / TICKS_A_MINUTE, 4)) <= end:
            while times[following] < now:
                self._step(times[following], rows[following])
                following += 1
            self._step(now, -1)
            tick += 1
        while times[following] <= end:
            self._step(times[following], rows[following])
            following += 1

    def whole(self, end: float) -> None:
        """The same for a simple policy, compiled in one piece and not timed."""
        world, road, policy = self.world, self.road, self.policy
        self.trips = np.zeros(len(self.feed), TRIP)
        near = nearby_of(world, self.feed, policy.simple, policy.cap_km, road.min_per_km)
        run_simple(
            float(TICKS_A_MINUTE), end, self.feed, self.service, self.finish, self.trips, world, near, road,
            policy.prices,
        )  # fmt: skip

    def _step(self, now: float, reported: int) -> None:
        """Everything until `now`, and a decision: of the emergency `reported`, or, -1, of all that is open."""
        world = self.world
        advance(now, world.workers, world.orders, world.shifts, self.finish, world.field)
        reveal(now, self.feed, world, self.policy.prices)
        begun = time.perf_counter()
        self._decide(now, reported)
        (self.batch_s if reported < 0 else self.decision_s).append(time.perf_counter() - begun)
        if world.tally[TRIPS] + len(world.workers) > len(self.trips):
            self.trips = np.concatenate([self.trips, np.zeros_like(self.trips)])
        depart(now, world, self.service, self.finish, self.trips, self.road, self.policy.simple >= 0)

    def _decide(self, now: float, reported: int) -> None:
        world, road, policy = self.world, self.road, self.policy
        if policy.simple >= 0:
            serve_open(now, reported, world, road, policy.simple, policy.cap_km, self.served)
            if reported < 0:
                self.served = now
            return
        try:
            if reported < 0:
                decide_batch(now, world, road, policy.prices)
            else:
                decide_one(now, reported, world, road, policy.prices)
        except Exception:
            if not self.failed:
                logger.exception("the engine failed at minute %s; the nearest is sent", now)
            self.failed += 1
            mend(now, world.workers, world.orders[: world.tally[0]])
            serve_open(now, reported, world, road, NEAREST, policy.cap_km, -math.inf)
