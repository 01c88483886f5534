"""What it costs to send one worker to one order, in emergencies that are late: the formulas of the fleet engine for
one pair (`fleet.urgent`, `fleet.usual`), for whoever is near enough and may go.

Live there is what a day does not have.  Somebody has to go though nobody is in time: they stand behind all who are,
where a day leaves the order alone (`alone`).  And people have several orders in hand: who has another emergency is not
in time for a second one; each further ordinary order counts like one that is broken off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from jiying.dispatch.engine.outlook import PRICES, ROAD, Outlook
from jiying.dispatch.engine.world import Candidate, Doing, Job, Settings

LOOK_AHEAD_MIN = 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """`total` decides; `price` is what the place loses, of it; `leave_by`: minutes from now by which somebody who is
    still at work elsewhere has to leave to be in time, None where they can go at once.
    """

    total: float
    price: float
    leave_by: float | None = None


def cost_of(one: Candidate, job: Job, way_min: float, outlook: Outlook, settings: Settings) -> Cost:
    """What sending `one` to `job` costs; `way_min` on the road, without getting in."""
    assert one.at is not None, "only of somebody whose place is known"
    price = outlook.price(one.at, one.skills, one.duty_min)
    spent = price * (way_min + ROAD.access_min + outlook.work_min) / PRICES.horizon
    if job.urgency != "emergency" or job.left_min is None or job.left_min < ROAD.access_min:
        # An emergency that is late already is served as the fleet does it: by price and way, busy people last.
        busy = float(one.doing is Doing.WORKING or one.urgent_in_hand) if job.urgency == "emergency" else 0.0
        way = PRICES.way_usual * (way_min + one.load * settings.load_min)
        return Cost(spent + way + busy, price)
    total, leave_by = PRICES.way * way_min + spent, None
    spare = job.left_min - ROAD.access_min - way_min
    if one.urgent_in_hand:
        total += PRICES.alone + PRICES.waiting
    elif one.doing is Doing.WORKING:
        until = min(spare, one.duty_min if one.duty_min is not None else math.inf) + one.busy_min
        late = min(outlook.longer(until) / max(outlook.longer(one.busy_min), 1e-9), 1.0)
        total += (late if late <= PRICES.hope else PRICES.alone) + PRICES.waiting
        leave_by = max(spare, 0.0)
    elif one.load:
        total += PRICES.broken
    if spare < 0.0 and not one.urgent_in_hand and one.doing is not Doing.WORKING:
        total += PRICES.alone
    total += PRICES.broken * max(one.load - 1, 0)
    return Cost(max(total, 0.0), price, leave_by)


def held_min(job: Job, minutes: float, cost: Cost, outlook: Outlook) -> float:
    """How many minutes an ordinary order is held back, since whoever would go is worth more where they are.

    `minutes`: theirs from door to door.  0 when they may go now; until its worth has risen to the cost, at the latest
    until they have to leave to be there in time.
    """
    if job.urgency == "emergency" or job.left_min is None:
        return 0.0
    last = job.left_min - minutes
    wait = 0.0
    while wait < last:
        if outlook.theta(job.skill, job.left_min, wait) > cost.total:
            return wait
        wait += LOOK_AHEAD_MIN
    return max(min(last, wait), 0.0)
