"""One step of a day: orders are reported, decisions are made.  What the engine may know is in `World` alone."""

from __future__ import annotations

import numpy as np

from jiying.dispatch.engine.fleet.compiled import compiled
from jiying.dispatch.engine.fleet.cover import learn_order, look
from jiying.dispatch.engine.fleet.field import FILLED_AT, LOOKED_AT, MOVED_AT
from jiying.dispatch.engine.fleet.moves import decide_moves
from jiying.dispatch.engine.fleet.simple import TEAM, decide_simple
from jiying.dispatch.engine.fleet.tables import BEGUN, NEVER, OPEN
from jiying.dispatch.engine.fleet.urgent import decide_urgent
from jiying.dispatch.engine.fleet.usual import decide_usual

REVEALED, URGENT, USUAL, TRIPS, MOVES = range(5)
"""Places of `World.tally`: how many orders are known, emergencies and others are open, trips are written, moves were
decided."""

MOST_TOGETHER = 1500
"""So many emergencies are decided together, the oldest first: a batch is to stay short whatever comes in."""


@compiled
def reveal(now, feed, world, prices):
    """Take in what is reported until `now`; `feed` holds the day's orders by time, nobody else looks at it."""
    count = world.tally
    while count[REVEALED] < len(feed) and feed[count[REVEALED]].reported <= now:
        index = count[REVEALED]
        world.orders[index] = feed[index]
        count[REVEALED] += 1
        order = world.orders[index]
        if order.state == NEVER:
            continue
        learn_order(world.field, order, prices)
        if order.emergency:
            world.urgent[count[URGENT]] = index
            count[URGENT] += 1
        else:
            world.usual[count[USUAL]] = index
            count[USUAL] += 1


@compiled
def tidy(now, world, road):
    """Strike from the lists what somebody is committed to; emergencies that are late go to the others."""
    count, orders = world.tally, world.orders
    kept = 0
    for place in range(count[USUAL]):
        if orders[world.usual[place]].state < BEGUN:
            world.usual[kept] = world.usual[place]
            kept += 1
    count[USUAL] = kept
    kept = 0
    for place in range(count[URGENT]):
        index = world.urgent[place]
        if orders[index].state >= BEGUN:
            continue
        if orders[index].state == OPEN and orders[index].limit - road.access_min < now:
            world.usual[count[USUAL]] = index
            count[USUAL] += 1
            continue
        world.urgent[kept] = index
        kept += 1
    count[URGENT] = kept


@compiled
def turned_late(now, world, road):
    """Whether one of the emergencies, which stand in the order of their limits, cannot be reached in time any more."""
    for index in world.urgent[: world.tally[URGENT]]:
        if world.orders[index].limit - road.access_min >= now:
            return False
        if world.orders[index].state == OPEN:
            return True
    return False


@compiled
def open_of(orders, listed):
    """Those of `listed` that nobody is on the way to."""
    found = np.empty(len(listed), np.int64)
    many = 0
    for index in listed:
        if orders[index].state == OPEN:
            found[many] = index
            many += 1
    return found[:many]


@compiled
def decide_one(now, index, world, road, prices):
    """An emergency that was just reported: somebody goes at once."""
    rows = np.full(1, index, np.int64)
    return decide_urgent(now, rows, False, world.workers, world.orders, world.field, road, prices)[0]


@compiled
def decide_batch(now, world, road, prices):
    """Everything that is open, together."""
    known, workers, orders = world.field.known, world.workers, world.orders
    tidy(now, world, road)
    if now - known[LOOKED_AT] >= prices.look_every - 1e-3:
        look(now, workers, world.field, prices)
    if world.tally[URGENT]:
        many = min(world.tally[URGENT], MOST_TOGETHER)
        whole = many == world.tally[URGENT]
        decide_urgent(now, world.urgent[:many], whole, workers, orders, world.field, road, prices)
    if now - known[FILLED_AT] >= prices.usual_every - 1e-3:
        known[FILLED_AT] = now
        waiting = open_of(orders, world.usual[: world.tally[USUAL]])
        if len(waiting):
            decide_usual(now, waiting, workers, orders, world.roster, world.field, road, prices)
    if prices.moves_most > 0 and now - known[MOVED_AT] >= prices.move_every - 1e-3:
        known[MOVED_AT] = now
        world.tally[MOVES] += decide_moves(now, workers, world.field, road, prices)


@compiled
def serve_open(now, reported, world, road, kind, cap_km, before):
    """A simple policy: the order `reported`, or, -1, all that is open.  Returns how many were sent.

    `before`: when all that was open was served last; -inf where somebody may have been turned round since.

    A team takes the oldest first; the others take emergencies that can still be in time before the rest.
    """
    if reported < 0 or turned_late(now, world, road):
        tidy(now, world, road)
    if reported >= 0:
        one = np.full(1, reported, np.int64)
        return decide_simple(now, one, world.workers, world.orders, road, kind, cap_km, before)
    waiting = np.empty(world.tally[URGENT] + world.tally[USUAL], np.int64)
    waiting[: world.tally[URGENT]] = world.urgent[: world.tally[URGENT]]
    waiting[world.tally[URGENT] :] = world.usual[: world.tally[USUAL]]
    if not len(waiting):
        return 0
    if kind == TEAM:
        waiting.sort()
    return decide_simple(now, waiting, world.workers, world.orders, road, kind, cap_km, before)
