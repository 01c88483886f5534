"""Ordinary orders, and emergencies that are late already: they fill what is left, by deadline.

An order is worth `theta` to be served now: little while it has time, `value` when its limit is near; more when fewer
people with its skill will be on duty later.  A worker goes when that is more than their price for the time it takes.
"""

from __future__ import annotations

import numpy as np

from jiying.dispatch.engine.fleet.compiled import compiled
from jiying.dispatch.engine.fleet.cover import count_in, price_of, service_min, share_of
from jiying.dispatch.engine.fleet.motion import send
from jiying.dispatch.engine.fleet.road import ride
from jiying.dispatch.engine.fleet.tables import IDLE, MOVING, OFF, OPEN

SLOT_MIN = 15.0


@compiled
def worth_now(now, order, roster, pressure, road, prices):
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
    return prices.least + (prices.value - prices.least) * part**prices.bend


@compiled
def decide_usual(now, waiting, workers, orders, roster, field, road, prices):
    """Send idle workers to the orders `waiting` (indices) as far as it pays; returns how many were sent."""
    free = np.empty(len(workers), np.int64)
    many = 0
    skills = 0
    for place in range(len(waiting)):
        skills |= 1 << orders[waiting[place]].skill
    for one in range(len(workers)):
        worker = workers[one]
        if (worker.state == IDLE or worker.state == MOVING) and worker.skills & skills and max(worker.free_min, now) < worker.duty_to - 0.02:
            worker.price = price_of(field, worker, now, prices)
            free[many] = one
            many += 1
    expected = service_min(field) + road.access_min
    theta = np.empty(len(waiting))
    staff = 0
    for one in range(len(workers)):
        staff += workers[one].state != OFF
    pressure = prices.pressing * len(waiting) * expected / max(staff, 1) / 240.0
    for place in range(len(waiting)):
        theta[place] = worth_now(now, orders[waiting[place]], roster, pressure, road, prices)
    by_order = len(waiting) <= many
    tries = len(waiting) if by_order else many
    gain = np.empty(tries)
    other = np.full(tries, -1, np.int64)
    for i in range(tries):
        gain[i] = 0.0
        for k in range(many if by_order else len(waiting)):
            one, place = (free[k], i) if by_order else (free[i], k)
            worker, order = workers[one], orders[waiting[place]]
            if not worker.skills >> order.skill & 1:
                continue
            reach = prices.cap_km
            dx, dy = worker.x - order.x, worker.y - order.y
            if dx > reach or dx < -reach or dy > reach or dy < -reach:
                continue
            minutes = ride(road.min_per_km, worker.x, worker.y, order.x, order.y)
            begin = max(now, worker.free_min)
            if begin + minutes + expected > worker.duty_to + prices.over_min:
                continue
            if theta[place] > prices.lapsed and begin + minutes + road.access_min > order.limit and not order.emergency:
                continue
            score = theta[place] - worker.price * (minutes + expected) / prices.horizon - prices.way_usual * minutes
            if score > gain[i]:
                gain[i], other[i] = score, k
    sent = 0
    for i in np.argsort(-gain, kind="mergesort"):
        if other[i] < 0:
            break
        one, place = (free[other[i]], i) if by_order else (free[i], other[i])
        worker, order = workers[one], waiting[place]
        if worker.order >= 0 or orders[order].state != OPEN:
            continue
        minutes = ride(road.min_per_km, worker.x, worker.y, orders[order].x, orders[order].y)
        price = price_of(field, worker, now, prices)
        if theta[place] <= price * (minutes + expected) / prices.horizon + prices.way_usual * minutes:
            continue
        send(now, workers, orders, one, order)
        count_in(field, worker, share_of(worker, now, prices), now)
        sent += 1
    return sent
