"""What a worker is worth where they are: the coverage of emergencies that nobody has reported yet.

The district is a grid of cells.  For a skill s and a cell c

    rate[s, c]   emergencies expected in the cell within the horizon H
    want[s, c]   the same, summed over the disc that somebody standing in c reaches in time
    have[s, c]   workers with s who would reach c in time; one on the way to an ordinary order, at work, or soon to
                 begin counts as part of one
    worth[s, c]  rate / want * P(N >= have), N the number of emergencies of the disc (negative binomial, mean want)

and the price of a worker, between 0 and 1, is what is lost without them:

    price = 1 - product over their skills s of (1 - sum over the disc of worth[s, c])

It is the expected share of an emergency that is late for want of this worker in the next H minutes.  (Marginal value
as in maximum expected covering: Daskin 1983, Jagtenberg and others 2015, with demand instead of a fixed busy share.)
"""

from __future__ import annotations

import math

import numpy as np

from jiying.dispatch.engine.fleet.compiled import compiled, inlined
from jiying.dispatch.engine.fleet.field import (
    LOAD,
    LOOKED_AT,
    LOWEST,
    NORM_EVERY,
    PACE,
    PACE_AT,
    SERVICE_N,
    SERVICE_SQUARES,
    SERVICE_SUM,
    TURN,
)
from jiying.dispatch.engine.fleet.history import OUTLOOK_MIN
from jiying.dispatch.engine.fleet.tables import BUSY, GOING, OFF


@inlined
def cell_of(field, x, y):
    """The cell of a place; places outside count to the border."""
    column = int(min(max((x - field.x0) / field.cell_km, 0.0), field.nx - 1.0))
    row = int(min(max((y - field.y0) / field.cell_km, 0.0), field.ny - 1.0))
    return row * field.nx + column


@compiled
def tail_of(field, mean, n):
    """P(N >= n) for any n >= 0, between whole numbers by the straight line."""
    if mean <= 0.0:
        return 1.0 if n <= 0.0 else 0.0
    step = (math.log2(mean / LOWEST)) * NORM_EVERY
    scale = 1.0
    if step < 0.0:
        scale = mean / LOWEST
        step = 0.0
    row = min(int(step), field.tail.shape[0] - 1)
    low = min(int(n), field.tail.shape[1] - 2)
    part = min(n - low, 1.0)
    found = field.tail[row, low] * (1.0 - part) + field.tail[row, low + 1] * part
    return found if n < 1.0 else found * scale


@compiled
def count_in(field, worker, share, now):
    """Let a worker count with `share` where they are from now on."""
    cell = cell_of(field, worker.x, worker.y)
    if worker.cell == cell and worker.counted == share:
        return
    for turn in range(2):
        at, change = (worker.cell, -worker.counted) if turn == 0 else (cell, share)
        if at < 0 or change == 0.0:
            continue
        row, column = at // field.nx, at % field.nx
        for skill in range(field.have.shape[0]):
            if not worker.skills >> skill & 1:
                continue
            for place in range(len(field.disc_x)):
                r, c = row + field.disc_y[place], column + field.disc_x[place]
                if 0 <= r < field.ny and 0 <= c < field.nx:
                    one = r * field.nx + c
                    field.have[skill, one] = max(field.have[skill, one] + change, 0.0)
                    if field.want[skill, one] > 0.0:
                        field.worth[skill, one] = (
                            field.rate[skill, one]
                            / field.want[skill, one]
                            * tail_of(field, field.want[skill, one], field.have[skill, one])
                        )
    worker.cell, worker.counted = cell, share
    field.known[TURN] += 1.0


@compiled
def share_of(worker, now, prices):
    """With which share of one a worker counts in the coverage."""
    if worker.state == OFF:
        left = worker.duty_from - now
        return prices.soon_counts if left <= prices.soon_min else 0.0
    left = min(1.0, max(0.0, (worker.duty_to - now) / prices.horizon))
    if worker.state == BUSY:
        return left * prices.busy_counts
    if worker.state == GOING:
        return left * prices.going_counts
    return left


@compiled
def around(field, source, target):
    """`target` [skill, cell] = the sum of `source` over the disc around each cell."""
    target[:] = 0.0
    for skill in range(len(source)):
        for place in range(len(field.disc_x)):
            dx, dy = field.disc_x[place], field.disc_y[place]
            first, last = max(-dx, 0), min(field.nx - dx, field.nx)
            if first >= last:  # the district is narrower than the disc
                continue
            for row in range(max(-dy, 0), min(field.ny - dy, field.ny)):
                here = target[skill, row * field.nx + first : row * field.nx + last]
                there = source[skill, (row + dy) * field.nx + dx + first :]
                for at in range(len(here)):  # so that it is compiled to several at a time
                    here[at] += there[at]


@inlined
def price_at(field, cell, skills):
    """The price of somebody with `skills` who counts in `cell`."""
    turn = field.known[TURN]
    spare = 1.0
    for skill in range(field.have.shape[0]):
        if skills >> skill & 1:
            if field.lost_at[skill, cell] != turn:
                field.lost_at[skill, cell] = turn
                field.lost[skill, cell] = min(lost_in(field, skill, cell), 1.0)
            spare *= 1.0 - field.lost[skill, cell]
    return 1.0 - spare


@compiled
def lost_in(field, skill, cell):
    """`worth` of a skill over the disc around a cell."""
    row, column = cell // field.nx, cell % field.nx
    lost = 0.0
    for place in range(len(field.disc_x)):
        r, c = row + field.disc_y[place], column + field.disc_x[place]
        if 0 <= r < field.ny and 0 <= c < field.nx:
            lost += field.worth[skill, r * field.nx + c]
    return lost


@inlined
def price_of(field, worker, now, prices):
    """The price of a worker where they are; less when their shift ends before the horizon."""
    if prices.reserve == 0.0:
        return 0.0
    cell = cell_of(field, worker.x, worker.y)
    left = min(1.0, max(0.0, (worker.duty_to - now) / prices.horizon))
    return prices.reserve * price_at(field, cell, worker.skills) * left


@compiled
def spread(field, source, radius, target):
    """`target` = the mean of `source` over the square of cells up to `radius` away (a sum that keeps the total)."""
    for row in range(field.ny):
        for column in range(field.nx):
            total, count = 0.0, 0
            for r in range(max(row - radius, 0), min(row + radius + 1, field.ny)):
                for c in range(max(column - radius, 0), min(column + radius + 1, field.nx)):
                    total += source[r * field.nx + c]
                    count += 1
            target[row * field.nx + column] = total / count


@compiled
def look(now, workers, field, prices):
    """Work the grid out anew from all that has been seen."""
    known = field.known
    fade = math.exp(-(now - known[LOOKED_AT]) / prices.memory_min) if now > known[LOOKED_AT] else 1.0
    known[LOOKED_AT] = now
    field.seen[:] *= fade
    weight = np.empty(field.nx * field.ny)
    spread(field, field.seen, 1, weight)
    weight += prices.prior_orders * field.prior
    if prices.fair != 1.0:
        for cell in range(len(weight)):
            weight[cell] = weight[cell] ** prices.fair
    total = weight.sum()
    pace = known[PACE] * math.exp(-(now - known[PACE_AT]) / prices.pace_min)
    ahead = field.outlook[min(max(int(now / OUTLOOK_MIN), 0), len(field.outlook) - 1)]
    expected = pace * prices.horizon * ahead * prices.caution
    staff = 0
    for one in range(len(workers)):
        staff += workers[one].state != OFF
    known[LOAD] = pace * (service_min(field) + prices.on_the_way_min) / max(staff, 1)
    skills = field.seen_skill.sum()
    field.have[:] = 0.0
    for skill in range(field.have.shape[0]):
        share = expected * field.seen_skill[skill] / skills / total
        for cell in range(len(weight)):
            field.rate[skill, cell] = share * weight[cell]
    around(field, field.rate, field.want)
    for one in range(len(workers)):
        worker = workers[one]
        share = share_of(worker, now, prices)
        if share <= 0.0:
            worker.cell, worker.counted = -1, 0.0
            continue
        cell = cell_of(field, worker.x, worker.y)
        row, column = cell // field.nx, cell % field.nx
        for skill in range(field.have.shape[0]):
            if worker.skills >> skill & 1:
                for place in range(len(field.disc_x)):
                    r, c = row + field.disc_y[place], column + field.disc_x[place]
                    if 0 <= r < field.ny and 0 <= c < field.nx:
                        field.have[skill, r * field.nx + c] += share
        worker.cell, worker.counted = cell, share
    for skill in range(field.have.shape[0]):
        for cell in range(len(weight)):
            want = field.want[skill, cell]
            field.worth[skill, cell] = (
                field.rate[skill, cell] / want * tail_of(field, want, field.have[skill, cell]) if want > 0.0 else 0.0
            )
    known[TURN] += 1.0


@compiled
def learn_order(field, order, prices):
    """Take an order that was just reported into what is expected."""
    known = field.known
    field.seen[cell_of(field, order.x, order.y)] += 2.0 if order.emergency else 1.0
    if order.emergency:
        field.seen_skill[order.skill] += 1.0
        known[PACE] = known[PACE] * math.exp(-(order.reported - known[PACE_AT]) / prices.pace_min) + 1 / prices.pace_min
        known[PACE_AT] = order.reported


@compiled
def learn_service(field, minutes):
    """Take a finished job into what is expected."""
    length = math.log(max(minutes, 0.5))
    field.known[SERVICE_N] += 1.0
    field.known[SERVICE_SUM] += length
    field.known[SERVICE_SQUARES] += length * length


@compiled
def service_shape(field):
    """Mean and spread of the logarithm of the minutes of a job, by those that are finished."""
    known = field.known
    mean = known[SERVICE_SUM] / known[SERVICE_N]
    return mean, math.sqrt(max(known[SERVICE_SQUARES] / known[SERVICE_N] - mean * mean, 0.01))


@compiled
def longer(shape, minutes):
    """The probability that a job takes longer (lognormal)."""
    if minutes <= 0.0:
        return 1.0
    return 0.5 * math.erfc((math.log(minutes) - shape[0]) / shape[1] * 0.7071067811865476)


@compiled
def service_min(field):
    """The expected minutes of a job."""
    mean, spread_ = service_shape(field)
    return math.exp(mean + 0.5 * spread_ * spread_)
