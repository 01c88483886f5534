"""What would be reached by somebody who knew every order of the day beforehand: a schedule, not a bound.

`bench/dispatch.py` prints how good it is; nothing to run here by itself.

Tours (a worker in a shift) are filled greedily, emergencies first, and then improved by ruin and recreate: around an
order that is left out, or any, pieces of some tours are taken out and put back in another order, at the cheapest places
(Schrimpf and others 2000; Christiaens and Vanden Berghe 2020), worse ones accepted less and less.  A fixed number of
rounds and a fixed seed: the same schedule each time.  An order is served in time or not at all, so what is late is
unserved.  The plan keeps the referee's rules.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from jiying.dispatch.days.reading import Day
from jiying.dispatch.engine.fleet.compiled import compiled
from jiying.dispatch.engine.fleet.prices import Road
from jiying.dispatch.engine.fleet.world import EMERGENCY_MIN, ORDINARY_MIN

ROUNDS = 60_000
MOST_STOPS, MOST_TAKEN, MOST_TOURS = 64, 6, 6
USUAL_WORTH, WAY_WORTH = 0.1, 0.0003
"""An ordinary order in time, and a minute on the way, in emergencies in time."""

HOT, COLD = 0.15, 0.005
"""By how much, in emergencies, a round may make it worse: at first and at last (the scale of an exponential)."""

FAR_KM = 8.0
"""So far from the home of a tour an ordinary order is not tried."""

SPARE_MIN = 0.03


class Tours(NamedTuple):
    """The schedule.  By tour: worker, skills, home, span, when the worker's next shift begins; then its stops."""

    worker: np.ndarray
    skills: np.ndarray
    home: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    hard: np.ndarray
    stops: np.ndarray  # [tour] how many
    order: np.ndarray  # [tour, stop]
    arrive: np.ndarray
    finish: np.ndarray
    latest: np.ndarray  # [tour, stop] the latest arrival that leaves all after it in time
    way: np.ndarray  # [tour] minutes on the way


class Jobs(NamedTuple):
    """The orders that somebody can serve, by row of the day's table; `due`: the latest arrival."""

    place: np.ndarray
    reported: np.ndarray
    due: np.ndarray
    work: np.ndarray
    skill: np.ndarray
    worth: np.ndarray
    tour: np.ndarray  # who has it; -1 nobody, -2 nobody ever can


@compiled
def arrival(free, x, y, jobs, one, end, ahead, road):
    """When somebody free at a minute and place arrives at an order; inf if they would set off after the shift."""
    ride = road.min_per_km * math.hypot(x - jobs.place[one, 0], y - jobs.place[one, 1])
    set_off = max(free + ride, jobs.reported[one]) if ahead else max(free, jobs.reported[one])
    if set_off >= end - SPARE_MIN or free >= end - SPARE_MIN:
        return math.inf, ride
    return set_off + road.access_min + (0.0 if ahead else ride), ride


@compiled
def retime(t, tours, jobs, ahead, road):
    """Work out the times of a tour from its stops."""
    x, y, free = tours.home[t, 0], tours.home[t, 1], tours.begin[t]
    tours.way[t] = 0.0
    for stop in range(tours.stops[t]):
        one = tours.order[t, stop]
        tours.arrive[t, stop], ride = arrival(free, x, y, jobs, one, tours.end[t], ahead, road)
        tours.way[t] += ride
        free = tours.finish[t, stop] = tours.arrive[t, stop] + jobs.work[one]
        x, y = jobs.place[one, 0], jobs.place[one, 1]
    limit = tours.hard[t]
    for stop in range(tours.stops[t] - 1, -1, -1):
        one = tours.order[t, stop]
        latest = min(jobs.due[one], limit - jobs.work[one])
        if ahead:
            latest = min(latest, tours.end[t] - SPARE_MIN + road.access_min)
        tours.latest[t, stop] = latest
        if stop:
            before = tours.order[t, stop - 1]
            x, y = jobs.place[before, 0], jobs.place[before, 1]
            ride = road.min_per_km * math.hypot(x - jobs.place[one, 0], y - jobs.place[one, 1])
            limit = min(latest - ride - road.access_min, tours.end[t] - 2 * SPARE_MIN)


@compiled
def cheapest_stop(t, one, tours, jobs, ahead, road):
    """Where an order fits best into a tour: what it costs in minutes (inf: nowhere), and before which stop."""
    best, found = math.inf, -1
    end, due, work = tours.end[t], jobs.due[one], jobs.work[one]
    soonest = jobs.reported[one] + road.access_min + work
    for stop in range(tours.stops[t] + 1):
        last = stop == tours.stops[t]
        if not last and tours.latest[t, stop] < soonest:
            continue
        if stop:
            before = tours.order[t, stop - 1]
            free, x, y = tours.finish[t, stop - 1], jobs.place[before, 0], jobs.place[before, 1]
        else:
            free, x, y = tours.begin[t], tours.home[t, 0], tours.home[t, 1]
        if free + road.access_min > due:
            break
        arrive, ride = arrival(free, x, y, jobs, one, end, ahead, road)
        if arrive > due:
            continue
        cost = ride
        if last:
            if arrive + work > tours.hard[t]:
                continue
        else:
            after = tours.order[t, stop]
            then, onward = arrival(arrive + work, jobs.place[one, 0], jobs.place[one, 1], jobs, after, end, ahead, road)
            if then > tours.latest[t, stop]:
                continue
            old = road.min_per_km * math.hypot(x - jobs.place[after, 0], y - jobs.place[after, 1])
            cost += onward - old + 0.1 * (then - tours.arrive[t, stop])
        if cost < best:
            best, found = cost, stop
    return best, found


@compiled
def put(one, tours, jobs, ahead, road, blink, kept, backup):
    """Put an order where it costs least, if it fits anywhere; tours that change are kept first.

    `blink`: the share of tours that are overlooked.
    """
    best, tour, place = math.inf, -1, -1
    for t in range(len(tours.worker)):
        if not tours.skills[t] >> jobs.skill[one] & 1 or tours.stops[t] == MOST_STOPS:
            continue
        if tours.end[t] <= jobs.reported[one] or tours.begin[t] >= jobs.due[one]:
            continue
        if jobs.worth[one] < 1.0:
            dx, dy = tours.home[t, 0] - jobs.place[one, 0], tours.home[t, 1] - jobs.place[one, 1]
            if dx * dx + dy * dy > FAR_KM * FAR_KM:
                continue
        if blink > 0.0 and np.random.random() < blink:
            continue
        cost, stop = cheapest_stop(t, one, tours, jobs, ahead, road)
        if cost < best:
            best, tour, place = cost, t, stop
    if tour < 0:
        return
    keep(tour, tours, kept, backup)
    for stop in range(tours.stops[tour], place, -1):
        tours.order[tour, stop] = tours.order[tour, stop - 1]
    tours.order[tour, place] = one
    tours.stops[tour] += 1
    jobs.tour[one] = tour
    retime(tour, tours, jobs, ahead, road)


@compiled
def keep(t, tours, kept, backup):
    """Keep a tour as it is, once a round.  `kept`: how many, then which."""
    for k in range(1, kept[0] + 1):
        if kept[k] == t:
            return
    kept[0] += 1
    kept[kept[0]] = t
    backup[kept[0], 0] = tours.stops[t]
    backup[kept[0], 1 : 1 + tours.stops[t]] = tours.order[t, : tours.stops[t]]


@compiled
def ruin(seed, tours, jobs, ahead, road, taken, kept, backup):
    """Take pieces out of the tours that pass near an order about its time; returns how many orders were taken."""
    middle = min(jobs.due[seed], jobs.reported[seed] + 60.0)
    off = np.full(len(tours.worker), math.inf)
    about = np.zeros(len(off), np.int64)
    for t in range(len(off)):
        if tours.begin[t] > jobs.due[seed] or tours.end[t] < jobs.reported[seed] or not tours.stops[t]:
            continue
        stop = 0
        while stop < tours.stops[t] - 1 and tours.finish[t, stop] < middle:
            stop += 1
        one = tours.order[t, stop]
        away = math.hypot(jobs.place[one, 0] - jobs.place[seed, 0], jobs.place[one, 1] - jobs.place[seed, 1])
        about[t] = stop
        off[t] = (away + 0.3) * (0.4 + np.random.random()) + (0.0 if tours.skills[t] >> jobs.skill[seed] & 1 else 3.0)
    many = 0
    for _ in range(1 + np.random.randint(MOST_TOURS)):
        t = int(np.argmin(off))
        if off[t] == math.inf:
            break
        off[t] = math.inf
        keep(t, tours, kept, backup)
        length = min(1 + np.random.randint(MOST_TAKEN // 2), tours.stops[t])
        first = min(max(about[t] - np.random.randint(length), 0), tours.stops[t] - length)
        for stop in range(first, first + length):
            taken[many] = tours.order[t, stop]
            jobs.tour[taken[many]] = -1
            many += 1
        for stop in range(first, tours.stops[t] - length):
            tours.order[t, stop] = tours.order[t, stop + length]
        tours.stops[t] -= length
        retime(t, tours, jobs, ahead, road)
        # Who sets off only at the call may have stood nearer before: what is late now is taken out too.
        stop = first
        while stop < tours.stops[t]:
            one = tours.order[t, stop]
            if tours.arrive[t, stop] <= jobs.due[one] and tours.finish[t, stop] <= tours.hard[t]:
                stop += 1
                continue
            taken[many] = one
            jobs.tour[one] = -1
            many += 1
            for later in range(stop, tours.stops[t] - 1):
                tours.order[t, later] = tours.order[t, later + 1]
            tours.stops[t] -= 1
            retime(t, tours, jobs, ahead, road)
    return many


@compiled
def improve(tours, jobs, rows, ahead, road, rounds, seed):
    """Ruin and recreate.  `rows`: the orders that somebody can serve."""
    np.random.seed(seed)
    taken = np.empty(MOST_TOURS * MOST_STOPS + 64, np.int64)
    kept = np.zeros(len(tours.worker) + 1, np.int64)
    backup = np.zeros((len(taken) + MOST_TOURS + 2, MOST_STOPS + 1), np.int64)
    urgent = rows[jobs.worth[rows] >= 1.0]
    for index in urgent[np.argsort(jobs.due[urgent])]:
        kept[0] = 0
        put(index, tours, jobs, ahead, road, 0.0, kept, backup)
    usual = rows[jobs.worth[rows] < 1.0]
    for index in usual[np.argsort(jobs.due[usual])]:
        kept[0] = 0
        put(index, tours, jobs, ahead, road, 0.0, kept, backup)
    for turn in range(rounds):
        scale = HOT * (COLD / HOT) ** (turn / rounds)
        pool = urgent if np.random.random() < 0.7 and len(urgent) else rows
        start = pool[np.random.randint(len(pool))]
        if np.random.random() < 0.8:  # rather one that is left out
            for _ in range(200):
                if jobs.tour[start] < 0:
                    break
                start = pool[np.random.randint(len(pool))]
        kept[0] = 0
        many = ruin(start, tours, jobs, ahead, road, taken, kept, backup)
        before = 0.0
        for k in range(many):
            before += jobs.worth[taken[k]]
        if jobs.tour[start] == -1 and not (taken[:many] == start).any():
            taken[many] = start
            many += 1
        for _ in range(40):  # some others that are left out near by
            one = rows[np.random.randint(len(rows))]
            away = math.hypot(jobs.place[one, 0] - jobs.place[start, 0], jobs.place[one, 1] - jobs.place[start, 1])
            if jobs.tour[one] == -1 and away < 4.0 and many < len(taken) and not (taken[:many] == one).any():
                taken[many] = one
                many += 1
        key = np.empty(many)
        way = np.random.randint(3)
        for k in range(many):
            one = taken[k]
            key[k] = np.random.random() if way == 0 else jobs.due[one] if way == 1 else jobs.work[one]
            key[k] += 1e6 if jobs.worth[one] < 1.0 else 0.0
        held = taken[:many][np.argsort(key)]
        way_before = 0.0
        for one in held:
            put(one, tours, jobs, ahead, road, 0.03, kept, backup)
        after = 0.0
        for one in held:
            after += jobs.worth[one] if jobs.tour[one] >= 0 else 0.0
        way_after = 0.0
        for k in range(1, kept[0] + 1):
            way_after += tours.way[kept[k]]
            way_before += way_of(backup[k], kept[k], tours, jobs, road)
        gain = after - before - WAY_WORTH * (way_after - way_before)
        if gain >= 0.0 or gain > scale * math.log(max(np.random.random(), 1e-12)):
            continue
        for one in held:
            jobs.tour[one] = -1
        for k in range(1, kept[0] + 1):
            t = kept[k]
            tours.stops[t] = backup[k, 0]
            tours.order[t, : tours.stops[t]] = backup[k, 1 : 1 + tours.stops[t]]
            for stop in range(tours.stops[t]):
                jobs.tour[tours.order[t, stop]] = t
            retime(t, tours, jobs, ahead, road)


@compiled
def way_of(held, t, tours, jobs, road):
    """Minutes on the way of a tour as it was kept."""
    total, x, y = 0.0, tours.home[t, 0], tours.home[t, 1]
    for k in range(1, held[0] + 1):
        place = jobs.place[held[k]]
        total += road.min_per_km * math.hypot(x - place[0], y - place[1])
        x, y = place[0], place[1]
    return total


def schedule(day: Day, ahead: bool, rounds: int = ROUNDS, seed: int = 1) -> list[str]:
    """The lines of a plan made in full knowledge of `day`, as `writing.write_plan` takes them.

    `ahead`: whether people may go before the call and wait at the door.
    """
    road = Road()
    spans = [(one, *span) for one, own in enumerate(day.shifts) for span in own]
    follows = [min((b for other, b, _ in spans if other == one and b >= end), default=1e9) for one, _, end in spans]
    who = np.array([one for one, _, _ in spans], np.int64)
    room = (len(spans), MOST_STOPS)
    tours = Tours(
        who, day.worker_skills[who], day.worker_places[who].reshape(-1, 2), np.array([s[1] for s in spans], float),
        np.array([s[2] for s in spans], float), np.array(follows, float), np.zeros(len(spans), np.int64),
        np.zeros(room, np.int64), np.zeros(room), np.zeros(room), np.zeros(room), np.zeros(len(spans)),
    )  # fmt: skip
    can = np.array([row not in day.why_never for row in range(len(day.orders))], bool)
    jobs = Jobs(
        day.order_places, day.reported, day.reported + np.where(day.emergency == 1, EMERGENCY_MIN, ORDINARY_MIN),
        day.service, day.order_skill, np.where(day.emergency == 1, 1.0, USUAL_WORTH), np.where(can, -1, -2),
    )  # fmt: skip
    rows = np.flatnonzero(can)
    if len(spans) and len(rows):
        improve(tours, jobs, rows, ahead, road, rounds, seed)
    return _lines(day, tours, ahead, road)


def _lines(day: Day, tours: Tours, ahead: bool, road: Road) -> list[str]:
    """One line a trip: a move to the door where somebody is there before the call, then the order."""
    lines = []
    for t in range(len(tours.worker)):
        (x, y), free, name = tours.home[t], float(tours.begin[t]), day.workers[tours.worker[t]]
        for stop in range(tours.stops[t]):
            row = int(tours.order[t, stop])
            goal_x, goal_y = day.order_places[row]
            ride = road.min_per_km * math.hypot(x - goal_x, y - goal_y)
            depart = max(free, float(day.reported[row]))
            if ahead and free < day.reported[row]:
                lines.append(f"{name},,{free:.4f},{free + ride:.4f},{free + ride:.4f},{goal_x:.4f},{goal_y:.4f}\n")
                depart, ride = max(free + ride, float(day.reported[row])), 0.0
            arrive = depart + ride + road.access_min
            free = arrive + float(day.service[row])
            lines.append(f"{name},{day.orders[row]},{depart:.4f},{arrive:.4f},{free:.4f},{goal_x:.4f},{goal_y:.4f}\n")
            x, y = goal_x, goal_y
    return lines
