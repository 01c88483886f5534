"""`decide`: one look at the world, and what is to be done, each with its reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jiying.dispatch.engine.fleet.field import LOAD
from jiying.dispatch.engine.fleet.kernels import REVEALED, decide_batch
from jiying.dispatch.engine.fleet.policies import POLICIES, Policy
from jiying.dispatch.engine.fleet.prices import Road
from jiying.dispatch.engine.fleet.tables import GOING, MOVING, NEVER, OFF, OPEN
from jiying.dispatch.engine.fleet.world import World

SENT, TURNED, WAITS, LATE, NOBODY, MOVED, STANDS = "sent", "turned", "waits", "late", "nobody", "moved", "stands"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: `why` is a code.

    sent      the worker sets off for the order
    turned    the same, taken back from the order `instead_of`
    waits     the order waits: for somebody who will be free, or since holding people back is worth more now
    late      an emergency that nobody can reach in time any more; it waits its turn
    nobody    nobody can ever serve it
    moved     the worker goes to wait at `place` (km), where they will be missed
    stands    the worker is sent nowhere any more and waits

    `minutes`: way and access; `price`: what sending the worker costs in coverage, in emergencies that are late.
    """

    why: str
    worker: int | None = None
    order: int | None = None
    instead_of: int | None = None
    minutes: float | None = None
    price: float | None = None
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Surge:
    """More than the people on duty can carry: `load` is the share of them that emergencies alone keep busy.

    `on`: pools widen to all tiers, dangers are made safe first and repaired later.  `recall`: so many more people on
    duty would bring the load back to where ordinary orders are served as usual.
    """

    on: bool
    load: float
    recall: int


def decide(
    world: World, now: float, policy: Policy = POLICIES["auto"], road: Road = Road()  # noqa: B008  (immutable)
) -> list[Decision]:  # fmt: skip
    """Decide all that is open at `now` (minutes).  Changes `world` to what was decided."""
    orders = world.orders[: world.tally[REVEALED]]
    was_order, was_state = world.workers["order"].copy(), world.workers["state"].copy()
    decide_batch(now, world, road, policy.prices)
    found = [_of_worker(world, road, one, int(was_order[one])) for one in _changed(world, was_order, was_state)]
    for index in np.flatnonzero((orders["state"] == OPEN) | (orders["state"] == NEVER)).tolist():
        order = orders[index]
        late = order["emergency"] == 1 and order["limit"] - road.access_min < now
        found.append(Decision(NOBODY if order["state"] == NEVER else LATE if late else WAITS, order=index))
    return found


def _changed(world: World, was_order: np.ndarray, was_state: np.ndarray) -> list[int]:
    state = world.workers["state"]
    return np.flatnonzero((world.workers["order"] != was_order) | ((state == MOVING) & (was_state != MOVING))).tolist()


def _of_worker(world: World, road: Road, one: int, before: int) -> Decision:
    worker = world.workers[one]
    x, y = float(worker["goal_x"]), float(worker["goal_y"])
    if worker["state"] != GOING:
        going = worker["state"] == MOVING and (x, y) != (float(worker["x"]), float(worker["y"]))
        return Decision(MOVED if going else STANDS, one, instead_of=before if before >= 0 else None, place=(x, y))
    minutes = road.min_per_km * float(np.hypot(worker["x"] - x, worker["y"] - y)) + road.access_min
    return Decision(
        TURNED if before >= 0 else SENT, one, int(worker["order"]), before if before >= 0 else None,
        round(minutes, 2), round(max(float(worker["price"]), 0.0), 4),
    )  # fmt: skip


def surge(world: World, policy: Policy = POLICIES["auto"]) -> Surge:
    """Whether there is more than people on duty can carry, as of the last decision."""
    load = float(world.field.known[LOAD])
    staff = int(np.count_nonzero(world.workers["state"] != OFF))
    needed = load * staff / policy.prices.surge_from
    return Surge(load > policy.prices.surge_full, round(load, 3), max(int(np.ceil(needed - staff)), 0))
