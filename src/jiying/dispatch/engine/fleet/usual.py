"""Ordinary orders, and emergencies that are late already: they fill what is left, by deadline.

An order is worth `theta` to be served now: little while it has time, `value` when its limit is near; more when fewer
people with its skill will be on duty later.  A worker goes when that is more than their price for the time it takes.
"""

from __future__ import annotations

import numpy as np

from jiying.dispatch.engine.fleet.compiled import compiled
from jiying.dispatch.engine.fleet.cover import count_in, price_of, service_min, share_of
from jiying.dispatch.engine.fleet.field import LOAD
from jiying.dispatch.engine.fleet.motion import send
from jiying.dispatch.engine.fleet.road import ride
from jiying.dispatch.engine.fleet.tables import IDLE, MOVING, OFF, OPEN

SLOT_MIN = 15.0


@compiled
def worth_now(now, order, roster, pressure, value, road, prices):
    """What it is worth to serve an order now rather than leave it."""
    left = order.limit - now - road.access_min
    if order.emergency:
        return prices.late if left < 0.0 else 0.0
    if left < 0.0:
        return prices.lapsed
    # How long there still is, in minutes of the staffing of now: the night is short, the morning long.
    width = roster.shape[1]
    slot = int(now / SLOT_MIN)
    present = max(roster[order.skill, min(slot, width - 1)], 1.0)
    there = 0.0
    for one in range(slot, int((now + left) / SLOT_MIN) + 1):
        begin, end = max(one * SLOT_MIN, now), min((one + 1) * SLOT_MIN, now + left)
        there += (end - begin) * (roster[order.skill, one] if one < width else 0.0) / present
    part = 1.0 - there / prices.patience / 240.0
    part = min(max(part + pressure, 0.0), 1.0)
    least = min(prices.least, value)
    return least + (value - least) * part**prices.bend


@compiled
def decide_usual(now, waiting, workers, orders, roster, field, road, prices):
    """Send idle workers to the orders `waiting` (indices) as far as it pays; returns how many were sent."""
    expected = service_min(field) + road.access_min
    per_min = 1.0 / prices.horizon
    staff = 0
    for one in range(len(workers)):
        staff += workers[one].state != OFF
    pressure = prices.pressing * len(waiting) * expected / max(staff, 1) / 240.0
    surge = min(max((field.known[LOAD] - prices.surge_from) / (prices.surge_full - prices.surge_from), 0.0), 1.0)
    value = prices.value + (prices.surge_value - prices.value) * surge
    # Side by side by skill, since a stage may look at thousands of pairs.
    kinds = roster.shape[0]
    begin = np.zeros(kinds + 1, np.int64)
    for index in waiting:
        begin[orders[index].skill + 1] += 1
    for kind in range(kinds):
        begin[kind + 1] += begin[kind]
    filled = begin[:-1].copy()
    who = np.empty(len(waiting), np.int64)
    xs, ys, theta, limits = np.empty(len(who)), np.empty(len(who)), np.empty(len(who)), np.empty(len(who))
    most = np.zeros(kinds)
    for index in waiting:
        order = orders[index]
        place = filled[order.skill]
        filled[order.skill] += 1
        who[place], xs[place], ys[place] = index, order.x, order.y
        theta[place] = worth_now(now, order, roster, pressure, value, road, prices)
        late = order.emergency or order.limit < now + road.access_min
        limits[place] = np.inf if late else order.limit - road.access_min
        most[order.skill] = max(most[order.skill], theta[place])
    sent = 0
    for _ in range(3):
        free = np.empty(len(workers), np.int64)
        gain = np.empty(len(workers))
        goal = np.empty(len(workers), np.int64)
        many = 0
        for one in range(len(workers)):
            worker = workers[one]
            if worker.state != IDLE and worker.state != MOVING:
                continue
            start = max(now, worker.free_min)
            if start >= worker.duty_to - 0.02:
                continue
            hoped = 0.0
            for kind in range(kinds):
                if worker.skills >> kind & 1:
                    hoped = max(hoped, most[kind])
            if hoped <= 0.0:
                continue
            price = price_of(field, worker, now, prices) * per_min
            best, found = 0.0, -1
            if hoped > price * expected:
                longest = min(worker.duty_to + prices.over_min - start - expected, prices.cap_km * road.min_per_km)
                cost = price + prices.way_usual
                for kind in range(kinds):
                    if not worker.skills >> kind & 1:
                        continue
                    for place in range(begin[kind], begin[kind + 1]):
                        bound = theta[place] - price * expected - best
                        if bound <= 0.0:
                            continue
                        minutes = ride(road.min_per_km, worker.x, worker.y, xs[place], ys[place])
                        if minutes > longest or minutes * cost >= bound or start + minutes > limits[place]:
                            continue
                        best, found = theta[place] - price * expected - minutes * cost, place
            if found >= 0:
                free[many], gain[many], goal[many] = one, best, found
                many += 1
        before = sent
        for i in np.argsort(-gain[:many], kind="mergesort"):
            worker, place = workers[free[i]], goal[i]
            if orders[who[place]].state != OPEN:
                continue
            minutes = ride(road.min_per_km, worker.x, worker.y, xs[place], ys[place])
            price = price_of(field, worker, now, prices) * per_min
            if theta[place] <= price * (minutes + expected) + prices.way_usual * minutes:
                continue
            send(now, workers, orders, free[i], who[place])
            theta[place] = 0.0
            count_in(field, worker, share_of(worker, now, prices), now)
            sent += 1
        if sent == before:
            break
    return sent
