"""The simple policies, to compare with and to fall back on: whoever is nearest, at once."""

from __future__ import annotations

import numpy as np

from jiying.dispatch.engine.fleet.compiled import compiled
from jiying.dispatch.engine.fleet.motion import send
from jiying.dispatch.engine.fleet.road import ride
from jiying.dispatch.engine.fleet.tables import BUSY, OFF, OPEN

TEAM, TOWN, NEAREST = 0, 1, 2


@compiled
def decide_simple(now, waiting, workers, orders, road, kind, cap_km, before):
    """Send the nearest idle worker of the team, of the town, or of all within `cap_km`, to each of `waiting` in turn.

    What was open at `before` was offered then to all who were free, so only who became free since is asked.
    Returns how many were sent.
    """
    free = np.empty(len(workers), np.int64)
    fresh = np.empty(len(workers), np.int64)
    many = news = 0
    for one in range(len(workers)):
        worker = workers[one]
        if (
            worker.state != OFF
            and worker.state != BUSY
            and worker.order < 0
            and max(worker.free_min, now) < worker.duty_to - 0.02
        ):
            free[many] = one
            many += 1
            if worker.idle_since > before:
                fresh[news] = one
                news += 1
    sent = 0
    for order in waiting:
        if sent == many:
            break
        if orders[order].state != OPEN:
            continue
        found, best = -1, np.inf if kind != NEAREST else cap_km * road.min_per_km
        known = orders[order].reported <= before
        asked, number = (fresh, news) if known else (free, many)
        for k in range(number):
            worker = workers[asked[k]]
            if worker.order >= 0 or not worker.skills >> orders[order].skill & 1:
                continue
            if (kind == TEAM and worker.team != orders[order].team) or (
                kind == TOWN and worker.town != orders[order].town
            ):
                continue
            minutes = ride(road.min_per_km, worker.x, worker.y, orders[order].x, orders[order].y)
            if minutes < best or (found < 0 and minutes == best):
                found, best = asked[k], minutes
        if found >= 0:
            send(now, workers, orders, found, order)
            sent += 1
    return sent
