"""Why an emergency was late: nobody's shift, one person alone, everybody busy, or nobody near.  Pure.

Asked of where people live, since that is what a roster can change; who is moved or on the way elsewhere counts as busy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jiying.dispatch.days.reading import Day
from jiying.dispatch.engine.fleet.prices import Road
from jiying.dispatch.engine.fleet.world import EMERGENCY_MIN

ROSTER, ALONE, LOAD, DISTANCE = range(4)
CAUSES = ("roster", "alone", "load", "distance")

SHIFTS = "shifts"
GROUPS = {SHIFTS: (ROSTER, ALONE), "load": (LOAD,), "distance": (DISTANCE,)}
"""What helps against them: a shift for somebody with the skill; more people or a wider pool; somebody based nearer."""


def causes_of(day: Day, rows: np.ndarray, order_pool: Sequence[str], worker_pool: Sequence[str]) -> np.ndarray:
    """The cause for each of the late emergencies `rows` of a day.

    Of those of its pool who have its skill:

    distance  nobody lives near enough to be there within 30 minutes, had they a shift or not
    roster    some do, but none of them has a shift that would let them arrive in time
    alone     one does and has, and was busy or elsewhere
    load      several do and have, and were busy or elsewhere
    """
    road = Road()
    pools = {name: place for place, name in enumerate(sorted({*order_pool, *worker_pool}))}
    of_worker = np.array([pools[name] for name in worker_pool], np.int64)
    spans = np.array([(one, *span) for one, own in enumerate(day.shifts) for span in own], float).reshape(-1, 3)
    who = spans[:, 0].astype(np.int64)
    out = np.empty(len(rows), np.int64)
    for place, row in enumerate(rows.tolist()):
        at, skill = float(day.reported[row]), int(day.order_skill[row])
        able = (day.worker_skills >> skill & 1 == 1) & (of_worker == pools[order_pool[row]])
        ways = road.min_per_km * np.hypot(*(day.worker_places - day.order_places[row]).T)
        latest = at + EMERGENCY_MIN - road.access_min - ways
        near = able & (latest >= at)
        if not near.any():
            out[place] = DISTANCE
            continue
        begin = np.maximum(spans[:, 1], at)
        there = near[who] & (begin <= latest[who]) & (begin < spans[:, 2])
        out[place] = min(len(np.unique(who[there])), LOAD)
    return out
