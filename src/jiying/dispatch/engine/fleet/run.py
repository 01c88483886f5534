"""A day from its first minute to its last: what happens by itself, and between it the decisions, which are timed."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np

from jiying.dispatch.engine.fleet.kernels import REVEALED, TRIPS, decide_batch, decide_one, reveal
from jiying.dispatch.engine.fleet.motion import advance, depart
from jiying.dispatch.engine.fleet.prices import Prices, Road
from jiying.dispatch.engine.fleet.tables import TRIP
from jiying.dispatch.engine.fleet.world import World

TICKS_A_MINUTE = 6
"""A batch every ten seconds."""


@dataclass
class Run:
    """A day under way.  `feed`: all orders by time, `service`: minutes of work of each; the decisions see neither."""

    world: World
    feed: np.ndarray
    service: np.ndarray
    road: Road
    prices: Prices
    trips: np.ndarray = field(init=False)
    decision_s: list[float] = field(default_factory=list)
    batch_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.finish = np.full(len(self.world.workers), math.inf)
        self.trips = np.zeros(4 * len(self.world.workers) + 1024, TRIP)

    def until(self, end: float) -> None:
        """Run the day until `end`."""
        world, feed, road, prices = self.world, self.feed, self.road, self.prices
        clock = time.perf_counter
        urgent = np.flatnonzero(feed["emergency"] == 1)
        times = feed["reported"][urgent].tolist()
        urgent = urgent.tolist()
        following = 0
        tick = 0
        while True:
            now = round(tick / TICKS_A_MINUTE, 4)
            while following < len(times) and times[following] < now:
                at, index = times[following], urgent[following]
                following += 1
                if at > end:
                    break
                advance(at, world.workers, world.orders, world.shifts, self.finish, world.field)
                reveal(at, feed, world, prices)
                begun = clock()
                decide_one(at, index, world, road, prices)
                self.decision_s.append(clock() - begun)
                self.depart(at)
            if now > end:
                break
            advance(now, world.workers, world.orders, world.shifts, self.finish, world.field)
            reveal(now, feed, world, prices)
            begun = clock()
            decide_batch(now, world, road, prices)
            self.batch_s.append(clock() - begun)
            self.depart(now)
            tick += 1

    def depart(self, now: float) -> None:
        """Let those who have somewhere to go set off."""
        world = self.world
        if world.count[TRIPS] + len(world.workers) > len(self.trips):
            self.trips = np.concatenate([self.trips, np.zeros_like(self.trips)])
        world.count[TRIPS] = depart(
            now, world.workers, world.orders, self.service, self.finish, self.trips, world.count[TRIPS], self.road, False
        )
