"""Idle workers go where they will be missed, within limits that a person would accept."""

from __future__ import annotations

import numpy as np

from jiying.dispatch.engine.fleet.compiled import compiled
from jiying.dispatch.engine.fleet.cover import around, cell_of, price_of, tail_of
from jiying.dispatch.engine.fleet.tables import IDLE, MOVING


@compiled
def decide_moves(now, workers, field, road, prices):
    """Move those for whom it pays most; returns how many.

    What a place is worth to one more worker of a skill is the sum over its disc of rate / want * P(N >= have + 1).
    """
    skills, cells = field.have.shape
    one_more, gains = np.zeros((skills, cells)), np.zeros((skills, cells))
    for skill in range(skills):
        for at in range(cells):
            want = field.want[skill, at]
            if want > 0.0:
                gains[skill, at] = field.rate[skill, at] / want * tail_of(field, want, field.have[skill, at] + 1.0)
    around(field, gains, one_more)
    np.minimum(one_more, 1.0, one_more)
    reach = int(prices.move_km / field.cell_km)
    moved = 0
    best = np.zeros(len(workers))
    goal = np.full(len(workers), -1, np.int64)
    for one in range(len(workers)):
        worker = workers[one]
        if (
            worker.state != IDLE
            or worker.moves >= prices.moves_most
            or now - worker.idle_since < prices.move_after
            or now - worker.moved_at < prices.move_again
            or worker.duty_to - now < prices.move_before_end
        ):
            continue
        cell = cell_of(field, worker.x, worker.y)
        price = price_of(field, worker, now, prices)
        row, column = cell // field.nx, cell % field.nx
        for r in range(max(row - reach, 0), min(row + reach + 1, field.ny)):
            for c in range(max(column - reach, 0), min(column + reach + 1, field.nx)):
                away = np.sqrt(float((r - row) ** 2 + (c - column) ** 2)) * field.cell_km
                if away > prices.move_km or away == 0.0:
                    continue
                spare = 1.0
                for skill in range(skills):
                    if worker.skills >> skill & 1:
                        spare *= 1.0 - one_more[skill, r * field.nx + c]
                gain = 1.0 - spare - price - prices.move_price * away
                if gain > best[one]:
                    best[one], goal[one] = gain, r * field.nx + c
    for one in np.argsort(-best, kind="mergesort"):
        if goal[one] < 0 or best[one] < prices.move_gain or moved >= prices.moves_at_once:
            break
        worker = workers[one]
        worker.state = MOVING
        worker.goal_x = round((field.x0 + (goal[one] % field.nx + 0.5) * field.cell_km) * 1e4) / 1e4
        worker.goal_y = round((field.y0 + (goal[one] // field.nx + 0.5) * field.cell_km) * 1e4) / 1e4
        worker.free_min = now
        worker.moves += 1
        worker.moved_at = now
        moved += 1
    return moved
