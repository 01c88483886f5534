"""Emergencies: who goes, all together.

The cost of sending worker w to emergency e, in emergencies that are late:

    cost = (1 - P(on time)) + price(w) * (way + access + expected work) / H + price_way * way + what is broken off

P is 1 for whoever stands, waits or can be turned round; for those at work it is the chance that they finish early
enough (lognormal, given how long they have been at it), for those whose shift begins soon it is 1: an emergency that
is given to one of these waits for them.  Leaving an emergency alone costs `alone`.
"""

from __future__ import annotations

import numpy as np

from jiying.dispatch.engine.fleet import assign
from jiying.dispatch.engine.fleet.compiled import compiled
from jiying.dispatch.engine.fleet.cover import count_in, longer, price_of, service_min, service_shape, share_of
from jiying.dispatch.engine.fleet.motion import release, send, stand
from jiying.dispatch.engine.fleet.road import ride
from jiying.dispatch.engine.fleet.tables import BUSY, OFF, OPEN, TAKEN

cheapest = compiled(assign.cheapest)


@compiled
def decide_urgent(now, rows, all_of_them, workers, orders, field, road, prices):
    """Decide the emergencies `rows` (indices of orders, open or with somebody on the way), together.

    `all_of_them`: these are all that can still be in time, so that those on the way to one may go to another.

    Changes workers and orders.  Returns for each row 0 (stays as it was), 1 (somebody else goes now), 2 (waits for
    somebody who will be free), 3 (nobody can be there in time).
    """
    many = len(rows)
    widest = prices.widest
    keep_cost = np.full((many, widest), np.inf)
    keep_who = np.full((many, widest), -1, np.int64)
    kept = np.zeros(many, np.int64)
    expected = service_min(field)
    shape = service_shape(field)
    skills_wanted = 0
    for r in range(many):
        skills_wanted |= 1 << orders[rows[r]].skill
    # Those who come into question at all: from when, and with which certainty; side by side, since each is looked at
    # for every emergency.
    kinds = field.have.shape[0]
    near = np.empty((kinds, len(workers)), np.int64)
    starts = np.empty((kinds, len(workers)))
    xs, ys = np.empty((kinds, len(workers))), np.empty((kinds, len(workers)))
    count = np.zeros(kinds, np.int64)
    begun = np.ones(len(workers))
    for one in range(len(workers)):
        worker = workers[one]
        if not worker.skills & skills_wanted:
            continue
        if worker.state == OFF:
            if worker.duty_from > now + 30.0:
                continue
            start = worker.duty_from
        elif worker.state == BUSY:
            if worker.duty_to <= now or prices.hope <= 0.0:
                continue
            start = max(now, worker.arrive_min)
            begun[one] = max(longer(shape, now - worker.arrive_min), 1e-9)
        else:
            start = max(now, worker.free_min)
            if start >= worker.duty_to - 0.02:
                continue
        worker.price = -1.0
        for kind in range(kinds):
            if worker.skills & skills_wanted & 1 << kind:
                at = count[kind]
                near[kind, at], starts[kind, at], xs[kind, at], ys[kind, at] = one, start, worker.x, worker.y
                count[kind] += 1
    for r in range(many):
        order = orders[rows[r]]
        kind, latest = order.skill, order.limit - road.access_min
        for place in range(count[kind]):
            left = latest - starts[kind, place]
            minutes = ride(road.min_per_km, xs[kind, place], ys[kind, place], order.x, order.y)
            if minutes > left:
                continue
            worker = workers[near[kind, place]]
            cost = prices.way * minutes
            # Whatever else it costs: of no use where so many cheaper ones are known.
            beaten = keep_cost[r, widest - 1] + (prices.stay if worker.order == rows[r] else 0.0)
            if cost + (prices.waiting if worker.state == BUSY or worker.state == OFF else 0.0) >= beaten:
                continue
            if worker.state == BUSY:
                until = min(latest - minutes, worker.duty_to) - worker.arrive_min
                late = min(longer(shape, until) / begun[near[kind, place]], 1.0)
                if late > prices.hope:
                    continue
                cost += late + prices.waiting
            elif worker.state == OFF:
                cost += prices.waiting
            elif worker.order >= 0:
                if worker.order == rows[r]:
                    cost -= prices.stay
                elif not orders[worker.order].emergency or orders[worker.order].limit < now + road.access_min:
                    cost += prices.broken
                elif not all_of_them:
                    continue
            if worker.price < 0.0:
                worker.price = price_of(field, worker, now, prices)
            cost += worker.price * (minutes + road.access_min + expected) / prices.horizon
            cost = max(cost, 0.0)
            if cost >= prices.alone or cost >= keep_cost[r, widest - 1]:
                continue
            at = min(kept[r], widest - 1)
            while at > 0 and keep_cost[r, at - 1] > cost:
                keep_cost[r, at], keep_who[r, at] = keep_cost[r, at - 1], keep_who[r, at - 1]
                at -= 1
            keep_cost[r, at], keep_who[r, at] = cost, near[kind, place]
            kept[r] = min(kept[r] + 1, widest)
    begin = np.zeros(many + 1, np.int64)
    for r in range(many):
        begin[r + 1] = begin[r] + kept[r]
    columns = np.empty(begin[many], np.int64)
    costs = np.empty(begin[many])
    number = np.full(len(workers), -1, np.int64)
    who = np.empty(begin[many], np.int64)
    used = 0
    for r in range(many):
        for k in range(kept[r]):
            one = keep_who[r, k]
            if number[one] < 0:
                number[one] = used
                who[used] = one
                used += 1
            columns[begin[r] + k], costs[begin[r] + k] = number[one], keep_cost[r, k]
    taken = cheapest(begin, columns, costs, np.full(many, prices.alone), used)
    said = np.zeros(many, np.int64)
    for r in range(many):  # first let go, then send: two may change places
        order = orders[rows[r]]
        one = who[taken[r]] if taken[r] >= 0 else -1
        if order.state == TAKEN and order.worker != one:
            before = order.worker
            if workers[before].order == rows[r]:
                stand(now, workers, before)
            release(orders, rows[r])
    for r in range(many):
        order = orders[rows[r]]
        if taken[r] < 0:
            said[r] = 3
            continue
        one = who[taken[r]]
        if workers[one].state == BUSY or workers[one].state == OFF:
            said[r] = 2
        elif order.state == OPEN:
            said[r] = 1
            send(now, workers, orders, one, rows[r])
    for r in range(many):
        if said[r] == 1:
            one = orders[rows[r]].worker
            count_in(field, workers[one], share_of(workers[one], now, prices), now)
    return said
