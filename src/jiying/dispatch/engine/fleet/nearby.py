"""Simple policies in one compiled piece: free workers and waiting orders stand in buckets, events in a heap.

A bucket is what a policy sends within: a team, a town, or a square of the district half as wide as the cap, so that
nobody within the cap is more than two squares away.  Between two events nothing changes, and an event changes one
worker or one order: so a decision looks at a few buckets, never at everybody.

The plans are those of `kernels.serve_open`, trip by trip.  What makes the difference allowed: an order that was once
offered to all who were free is from then on of interest only to those who become free later.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from jiying.dispatch.engine.fleet.compiled import compiled, inlined
from jiying.dispatch.engine.fleet.cover import learn_order
from jiying.dispatch.engine.fleet.kernels import REVEALED, TRIPS
from jiying.dispatch.engine.fleet.motion import advance_one
from jiying.dispatch.engine.fleet.road import ride
from jiying.dispatch.engine.fleet.simple import NEAREST, TEAM
from jiying.dispatch.engine.fleet.tables import BEGUN, BUSY, NEVER, OFF, OPEN
from jiying.dispatch.engine.fleet.world import World

MOST_BUCKETS = 64
"""Squares along one side, at most."""

ASKED = -2
"""The wish of somebody who became free and was not asked yet."""

LATER = 1 << 40
"""Added to the rank of what emergencies come before."""


class Nearby(NamedTuple):
    """Who is free and what waits, by bucket.  Lists are linked: -1 ends one."""

    kind: int  # TEAM, TOWN or NEAREST
    longest: float  # min; nobody goes farther
    reach: int  # buckets to look at in each direction
    x0: float
    y0: float
    side_km: float
    nx: int
    ny: int
    free_first: np.ndarray  # [bucket]
    free_next: np.ndarray  # [worker]
    free_prev: np.ndarray
    bucket: np.ndarray  # [worker] where they are listed, -1 for nowhere
    place: np.ndarray  # [worker, 2] km
    until: np.ndarray  # [worker] min; they set off before
    skills: np.ndarray  # [worker]
    order_first: np.ndarray  # [late or ordinary, skill, bucket] the one of lowest rank
    order_last: np.ndarray
    order_next: np.ndarray  # [order]
    order_prev: np.ndarray
    rank: np.ndarray  # [order] whose turn it is first
    due: np.ndarray  # [worker] min; when something happens to them by itself next
    heap_at: np.ndarray  # times, the earliest first; one that is not `due` any more counts for nothing
    heap_who: np.ndarray
    fresh: np.ndarray  # [worker] those who became free since the last batch
    wish: np.ndarray  # [worker] the waiting order whose turn is first, of those they may serve
    numbers: np.ndarray  # see below


HEAPED, FRESH, SEQUENCE, OLDEST, OFFERED = range(5)
"""Places of `numbers`: length of the heap, how many are fresh, the next rank of what is not urgent, the oldest
emergency that may turn late, orders that were offered in a batch."""


def nearby_of(world: World, feed: np.ndarray, kind: int, cap_km: float, min_per_km: float) -> Nearby:
    """The buckets of a day before its first minute.  `feed`: its orders; `kind`: TEAM, TOWN or NEAREST."""
    workers = world.workers
    many, orders = len(workers), len(feed)
    x0 = y0 = 0.0
    side, nx, ny, reach = 1.0, 1, 1, 0
    if kind == NEAREST:
        homes = np.column_stack([workers["home_x"], workers["home_y"]])[np.isfinite(workers["duty_from"])]
        if len(homes):
            (x0, y0), (wide, high) = homes.min(axis=0).tolist(), np.ptp(homes, axis=0).tolist()
            # A hair wider than half the cap: rounding may not put anybody three squares away.
            side = max(cap_km / 2 * 1.001, max(wide, high) / MOST_BUCKETS, 1e-3)
            nx, ny, reach = int(wide / side) + 1, int(high / side) + 1, 2
        buckets = nx * ny
    else:
        name = "team" if kind == TEAM else "town"
        nx = buckets = int(max(workers[name].max(initial=0), feed[name].max(initial=0))) + 1
    kinds = world.roster.shape[0]
    room = many + 2 * orders + 2 * len(world.shifts) + 1  # one event as the day begins, two an order, two a shift
    none = lambda *shape: np.full(shape, -1, np.int64)  # noqa: E731
    return Nearby(
        kind, cap_km * min_per_km if kind == NEAREST else math.inf, reach, x0, y0, side, nx, ny,
        none(buckets), none(many), none(many), none(many), np.zeros((many, 2)), np.zeros(many),
        workers["skills"].copy(), none(2, kinds, buckets), none(2, kinds, buckets), none(orders), none(orders),
        none(orders), np.full(many, math.inf), np.zeros(room), none(room),
        none(many), none(many), np.zeros(5, np.int64),
    )  # fmt: skip


@inlined
def bucket_of(near, x, y, team, town):
    """Where somebody, or something, at a place and of a team and town is listed."""
    if near.kind == NEAREST:
        column = int(min(max((x - near.x0) / near.side_km, 0.0), near.nx - 1.0))
        row = int(min(max((y - near.y0) / near.side_km, 0.0), near.ny - 1.0))
        return row * near.nx + column
    return team if near.kind == TEAM else town


@inlined
def around(near, bucket):
    """The buckets to look at from one: rows from, to, columns from, to (the ends are not in)."""
    row, column = bucket // near.nx, bucket % near.nx
    return (
        max(row - near.reach, 0), min(row + near.reach + 1, near.ny),
        max(column - near.reach, 0), min(column + near.reach + 1, near.nx),
    )  # fmt: skip


@inlined
def expect(near, at, one):
    """Something happens to a worker at a time; what was expected of them before counts no more."""
    near.due[one] = at
    if at == math.inf:
        return
    place = near.numbers[HEAPED]
    near.numbers[HEAPED] += 1
    while place > 0:
        above = (place - 1) // 2
        if near.heap_at[above] <= at:
            break
        near.heap_at[place], near.heap_who[place] = near.heap_at[above], near.heap_who[above]
        place = above
    near.heap_at[place], near.heap_who[place] = at, one


@inlined
def earliest(near):
    """Take the worker to whom something happens first out of the heap."""
    first = near.heap_who[0]
    near.numbers[HEAPED] -= 1
    many = near.numbers[HEAPED]
    at, one = near.heap_at[many], near.heap_who[many]
    place = 0
    while 2 * place + 1 < many:
        below = 2 * place + 1
        if below + 1 < many and near.heap_at[below + 1] < near.heap_at[below]:
            below += 1
        if near.heap_at[below] >= at:
            break
        near.heap_at[place], near.heap_who[place] = near.heap_at[below], near.heap_who[below]
        place = below
    near.heap_at[place], near.heap_who[place] = at, one
    return first


@inlined
def list_free(near, worker, one):
    """A worker is free where they stand."""
    bucket = bucket_of(near, worker.x, worker.y, worker.team, worker.town)
    head = near.free_first[bucket]
    near.free_next[one], near.free_prev[one], near.bucket[one] = head, -1, bucket
    if head >= 0:
        near.free_prev[head] = one
    near.free_first[bucket] = one
    near.place[one, 0], near.place[one, 1], near.until[one] = worker.x, worker.y, worker.duty_to - 0.02


@inlined
def strike_free(near, one):
    """A worker is not free any more."""
    before, after = near.free_prev[one], near.free_next[one]
    if before >= 0:
        near.free_next[before] = after
    else:
        near.free_first[near.bucket[one]] = after
    if after >= 0:
        near.free_prev[after] = before
    near.bucket[one] = -1


@inlined
def list_order(near, order, index, later):
    """An order waits, behind those of its kind: `later` 0 for emergencies that can still be in time, 1 for the rest."""
    bucket = bucket_of(near, order.x, order.y, order.team, order.town)
    last = near.order_last[later, order.skill, bucket]
    near.order_next[index], near.order_prev[index] = -1, last
    if last >= 0:
        near.order_next[last] = index
    else:
        near.order_first[later, order.skill, bucket] = index
    near.order_last[later, order.skill, bucket] = index
    near.rank[index] = index
    if later and near.kind != TEAM:
        near.rank[index] = LATER + near.numbers[SEQUENCE]
        near.numbers[SEQUENCE] += 1


@inlined
def strike_order(near, order, index):
    """An order does not wait any more."""
    bucket = bucket_of(near, order.x, order.y, order.team, order.town)
    later = 1 if near.kind == TEAM or near.rank[index] >= LATER else 0
    before, after = near.order_prev[index], near.order_next[index]
    if before >= 0:
        near.order_next[before] = after
    else:
        near.order_first[later, order.skill, bucket] = after
    if after >= 0:
        near.order_prev[after] = before
    else:
        near.order_last[later, order.skill, bucket] = before


@inlined
def nearest_free(near, now, order, road):
    """The nearest worker who may serve an order, -1 for none; of equals the one with the lowest number."""
    bucket = bucket_of(near, order.x, order.y, order.team, order.town)
    top, bottom, left, right = around(near, bucket)
    found, best = -1, near.longest
    for row in range(top, bottom):
        for column in range(left, right):
            one = near.free_first[row * near.nx + column]
            while one >= 0:
                if near.skills[one] >> order.skill & 1 and now < near.until[one]:
                    minutes = ride(road.min_per_km, near.place[one, 0], near.place[one, 1], order.x, order.y)
                    if minutes < best or (minutes == best and (found < 0 or one < found)):
                        found, best = one, minutes
                one = near.free_next[one]
    return found


@inlined
def first_wish(near, now, one, orders, road):
    """The waiting order whose turn is first, of those a worker may serve; -1 for none."""
    found = -1
    if now >= near.until[one]:
        return found
    best = 2 * LATER
    top, bottom, left, right = around(near, near.bucket[one])
    for later in range(2):
        for skill in range(near.order_first.shape[1]):
            if not near.skills[one] >> skill & 1:
                continue
            for row in range(top, bottom):
                for column in range(left, right):
                    index = near.order_first[later, skill, row * near.nx + column]
                    while index >= 0 and near.rank[index] < best:
                        order = orders[index]
                        minutes = ride(road.min_per_km, near.place[one, 0], near.place[one, 1], order.x, order.y)
                        if minutes <= near.longest:
                            found, best = index, near.rank[index]
                            break
                        index = near.order_next[index]
        if found >= 0:
            break
    return found


@inlined
def happen(now, world, near, finish):
    """Let everything happen until `now`: work is done, shifts begin and end."""
    while near.numbers[HEAPED] and near.heap_at[0] <= now:
        at = near.heap_at[0]
        one = earliest(near)
        if near.due[one] != at:
            continue
        worker = world.workers[one]
        if near.bucket[one] >= 0:
            strike_free(near, one)
        advance_one(now, worker, one, world.orders, world.shifts, finish, world.field)
        if worker.state == OFF:
            expect(near, worker.duty_from, one)
            continue
        expect(near, worker.duty_to, one)
        list_free(near, worker, one)
        if near.wish[one] != ASKED:
            near.wish[one] = ASKED
            near.fresh[near.numbers[FRESH]] = one
            near.numbers[FRESH] += 1


@inlined
def take_in(now, feed, world, near, road, prices):
    """Orders are reported; emergencies that cannot be in time any more go behind what waits already."""
    tally, count = world.tally, near.numbers
    while tally[REVEALED] < len(feed) and feed[tally[REVEALED]].reported <= now:
        index = tally[REVEALED]
        world.orders[index] = feed[index]
        tally[REVEALED] += 1
        if feed[index].state != NEVER:
            learn_order(world.field, feed[index], prices)
            list_order(near, feed[index], index, 0 if feed[index].emergency and near.kind != TEAM else 1)
    if near.kind == TEAM:
        return
    while count[OLDEST] < tally[REVEALED]:
        order = world.orders[count[OLDEST]]
        if order.emergency:
            if order.state == OPEN and order.limit - road.access_min >= now:
                break
            if order.state == OPEN:
                strike_order(near, order, count[OLDEST])
                list_order(near, order, count[OLDEST], 1)
        count[OLDEST] += 1


@inlined
def set_off(now, one, index, world, near, service, finish, trips, road):
    """A worker goes to an order."""
    worker, order = world.workers[one], world.orders[index]
    strike_free(near, one)
    strike_order(near, order, index)
    trip = trips[world.tally[TRIPS]]
    world.tally[TRIPS] += 1
    trip.worker, trip.order, trip.depart = one, index, now
    trip.arrive = now + ride(road.min_per_km, worker.x, worker.y, order.x, order.y) + road.access_min
    trip.x, trip.y = order.x, order.y
    order.state, order.worker = BEGUN, one
    worker.state, worker.order, worker.free_min = BUSY, index, now
    worker.x, worker.y = order.x, order.y
    worker.goal_x, worker.goal_y = order.x, order.y
    worker.arrive_min = trip.arrive
    finish[one] = trip.arrive + service[index]
    expect(near, finish[one], one)


@inlined
def offer(now, world, near, service, finish, trips, road):
    """A batch: what waits is offered, in its turn, to all who are free."""
    count, orders = near.numbers, world.orders
    fresh, many = near.fresh, 0
    for k in range(count[FRESH]):
        one = fresh[k]
        near.wish[one] = first_wish(near, now, one, orders, road) if near.bucket[one] >= 0 else -1
        if near.wish[one] >= 0:
            fresh[many] = one
            many += 1
    count[FRESH] = 0
    # What was reported since the last batch, in its turn: emergencies, then the rest; a team knows no difference.
    new = np.empty(world.tally[REVEALED] - count[OFFERED], np.int64)
    number = 0
    for turn in range(2):
        for index in range(count[OFFERED], world.tally[REVEALED]):
            if orders[index].state == OPEN and (near.rank[index] >= LATER) == (turn == 1):
                new[number] = index
                number += 1
    count[OFFERED] = world.tally[REVEALED]
    following = 0
    while following < number or many:
        best = new[following] if following < number else -1
        for k in range(many):
            if best < 0 or near.rank[near.wish[fresh[k]]] < near.rank[best]:
                best = near.wish[fresh[k]]
        if following < number and best == new[following]:
            following += 1
        found = nearest_free(near, now, orders[best], road)
        if found < 0:
            continue
        set_off(now, found, best, world, near, service, finish, trips, road)
        kept = 0
        for k in range(many):
            one = fresh[k]
            if one == found:
                near.wish[one] = -1
            elif near.wish[one] == best:
                near.wish[one] = first_wish(near, now, one, orders, road)
            if near.wish[one] >= 0:
                fresh[kept] = one
                kept += 1
        many = kept


@compiled
def run_simple(ticks_a_minute, end, feed, service, finish, trips, world, near, road, prices):
    """A whole day of a simple policy until `end`, as `Run.until` goes through it step by step.

    `feed`, `service`, `finish`, `trips`: as in `Run`; there is room for one trip an order.
    """
    for one in range(len(world.workers)):
        expect(near, world.workers[one].duty_from, one)
    ticks, following, now = 0, 0, 0.0
    while True:
        batch = round(ticks / ticks_a_minute * 1e4) / 1e4
        while following < len(feed) and (feed[following].emergency == 0 or feed[following].reported < now):
            following += 1
        urgent = following < len(feed) and feed[following].reported < batch
        now = feed[following].reported if urgent else batch
        if now > end:
            return
        happen(now, world, near, finish)
        take_in(now, feed, world, near, road, prices)
        if not urgent:
            if near.numbers[FRESH] or near.numbers[OFFERED] < world.tally[REVEALED]:
                offer(now, world, near, service, finish, trips, road)
            ticks += 1
            continue
        if world.orders[following].state == OPEN:
            found = nearest_free(near, now, world.orders[following], road)
            if found >= 0:
                set_off(now, found, following, world, near, service, finish, trips, road)
        following += 1
