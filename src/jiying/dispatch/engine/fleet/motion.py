"""What happens by itself: shifts begin and end, workers travel, arrive, finish; and the trips that are written.

A worker who can be turned round goes in short stretches.  Each is written when it begins, complete, so that no trip
that has begun depends on anything later.
"""

from __future__ import annotations

import math

from jiying.dispatch.engine.fleet.compiled import compiled
from jiying.dispatch.engine.fleet.cover import learn_service
from jiying.dispatch.engine.fleet.road import ride
from jiying.dispatch.engine.fleet.tables import BEGUN, BUSY, DONE, GOING, IDLE, MOVING, OFF, OPEN, TAKEN

TRIPS = 3
"""The place of `World.tally` where the trips are counted."""


@compiled
def next_shift(worker, shifts):
    """Go to the next shift of a worker; home again."""
    worker.state = OFF
    worker.order = -1
    worker.shift += 1
    worker.x, worker.y = worker.home_x, worker.home_y
    worker.moves = 0
    worker.moved_at = -math.inf
    if worker.shift < worker.last_shift:
        worker.duty_from, worker.duty_to = shifts[worker.shift, 0], shifts[worker.shift, 1]
    else:
        worker.duty_from = worker.duty_to = math.inf


@compiled
def advance_one(now, worker, one, orders, shifts, finish, field):
    """Let everything happen to the worker of number `one` until `now`."""
    if worker.state == BUSY:
        if finish[one] > now:
            return
        orders[worker.order].state = DONE
        learn_service(field, finish[one] - worker.arrive_min)
        worker.state, worker.order = IDLE, -1
        worker.free_min = worker.idle_since = finish[one]
    if worker.state == MOVING and worker.free_min <= now and worker.x == worker.goal_x and worker.y == worker.goal_y:
        worker.state, worker.idle_since = IDLE, worker.free_min
    while worker.state != OFF and worker.state != GOING and worker.free_min <= now and worker.duty_to <= now:
        next_shift(worker, shifts)
    while worker.state == OFF and worker.duty_from <= now:
        if worker.duty_to <= now:
            next_shift(worker, shifts)
            continue
        worker.state = IDLE
        worker.free_min = worker.idle_since = max(worker.duty_from, worker.free_min)


@compiled
def advance(now, workers, orders, shifts, finish, field):
    """Let everything happen until `now`.  `finish`: when each busy worker will be done; nobody else may look at it."""
    for one in range(len(workers)):
        # To most nothing happens, and calling costs more than looking.
        state = workers[one].state
        if state == BUSY:
            if finish[one] > now:
                continue
        elif state == OFF:
            if workers[one].duty_from > now:
                continue
        elif state == GOING or (state == IDLE and workers[one].duty_to > now):
            continue
        advance_one(now, workers[one], one, orders, shifts, finish, field)


@compiled
def release(orders, order):
    """Nobody goes to an order any more."""
    orders[order].state = OPEN
    orders[order].worker = -1


@compiled
def send(now, workers, orders, one, order):
    """Send a worker to an order, away from the one they are on the way to."""
    worker = workers[one]
    if worker.order == order:
        return
    if worker.order >= 0 and orders[worker.order].worker == one:
        release(orders, worker.order)
    if orders[order].worker >= 0:
        stand(now, workers, orders[order].worker)
    worker.state, worker.order = GOING, order
    worker.goal_x, worker.goal_y = orders[order].x, orders[order].y
    worker.free_min = max(worker.free_min, now)
    orders[order].state, orders[order].worker = TAKEN, one


@compiled
def stand(now, workers, one):
    """Let a worker wait at the end of the stretch they are on."""
    worker = workers[one]
    worker.state, worker.order = MOVING, -1
    worker.goal_x, worker.goal_y = worker.x, worker.y
    if worker.free_min <= now:
        worker.state, worker.idle_since = IDLE, now


@compiled
def depart(now, world, service, finish, trips, road, whole):
    """Let everybody who has somewhere to go and stands at `now` set off, and write their trips.

    `whole`: in one stretch, since nobody is turned round.
    """
    workers, orders, count = world.workers, world.orders, world.tally[TRIPS]
    for one in range(len(workers)):
        worker = workers[one]
        if (worker.state != GOING and worker.state != MOVING) or worker.free_min > now:
            continue
        if worker.state == MOVING and worker.x == worker.goal_x and worker.y == worker.goal_y:
            worker.state, worker.idle_since = IDLE, now
            continue
        minutes = ride(road.min_per_km, worker.x, worker.y, worker.goal_x, worker.goal_y)
        stop = (math.floor(now / road.stretch_min + 1e-6) + 1.0) * road.stretch_min
        if stop - now < 0.2 * road.stretch_min:
            stop += road.stretch_min
        trip = trips[count]
        count += 1
        trip.worker, trip.depart = one, now
        if worker.state == GOING and (whole or minutes <= stop - now or stop >= worker.duty_to - 0.02):
            trip.order = worker.order
            trip.arrive = now + minutes + road.access_min
            trip.x, trip.y = worker.goal_x, worker.goal_y
            orders[worker.order].state = BEGUN
            worker.state = BUSY
            worker.x, worker.y = worker.goal_x, worker.goal_y
            worker.arrive_min = trip.arrive
            finish[one] = trip.arrive + service[worker.order]
            continue
        trip.order = -1
        if minutes <= stop - now:
            worker.x, worker.y = worker.goal_x, worker.goal_y
            trip.arrive = now + minutes
        else:
            part = (stop - now) / minutes
            worker.x = round((worker.x + part * (worker.goal_x - worker.x)) * 1e4) / 1e4
            worker.y = round((worker.y + part * (worker.goal_y - worker.y)) * 1e4) / 1e4
            trip.arrive = stop
        trip.x, trip.y = worker.x, worker.y
        worker.free_min = trip.arrive
    world.tally[TRIPS] = count


@compiled
def mend(now, workers, orders):
    """Make workers and orders agree about who goes where, after a decision that was broken off."""
    for one in range(len(workers)):
        worker = workers[one]
        if worker.state == GOING and (worker.order < 0 or orders[worker.order].worker != one):
            stand(now, workers, one)
    for order in range(len(orders)):
        one = orders[order].worker
        if orders[order].state == TAKEN and (one < 0 or workers[one].state != GOING or workers[one].order != order):
            release(orders, order)
