"""`moves.decide_moves` in NumPy, for a process that is to load no compiler (see `plain`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jiying.dispatch.engine.fleet.field import Field
from jiying.dispatch.engine.fleet.plain import lost, reached, tail
from jiying.dispatch.engine.fleet.prices import Prices
from jiying.dispatch.engine.fleet.tables import IDLE, MOVING


class Gains(NamedTuple):
    """[skill, cell]: `here` what one more person who reaches the cell saves in it, `around` in all that they reach
    from it, at most 1."""

    here: np.ndarray
    around: np.ndarray


def gains_of(field: Field) -> Gains:
    """What one more worker of each skill is worth in each cell, as of the last look."""
    more = tail(field, field.have + 1.0)
    here = np.divide(field.rate, field.want, out=np.zeros_like(field.rate), where=field.want > 0.0) * more
    return Gains(here, np.minimum(reached(field, here), 1.0))


def decide_moves(now: float, workers: np.ndarray, field: Field, prices: Prices) -> int:
    """Move those for whom it pays most, as the compiled one does; returns how many."""
    around, missed = gains_of(field).around, lost(field)
    may = (
        (workers["state"] == IDLE)
        & (workers["moves"] < prices.moves_most)
        & (now - workers["idle_since"] >= prices.move_after)
        & (now - workers["moved_at"] >= prices.move_again)
        & (workers["duty_to"] - now >= prices.move_before_end)
    )
    rows = np.flatnonzero(may)
    best, goal = np.zeros(len(rows)), np.full(len(rows), -1, np.int64)
    for n, row in enumerate(rows.tolist()):
        best[n], goal[n] = _best(now, workers[row], field, prices, around, missed)
    moved = 0
    for n in np.argsort(-best, kind="mergesort").tolist():
        if goal[n] < 0 or best[n] < prices.move_gain or moved >= prices.moves_at_once:
            break
        worker = workers[rows[n]]
        worker["state"] = MOVING
        worker["goal_x"] = round((field.x0 + (goal[n] % field.nx + 0.5) * field.cell_km) * 1e4) / 1e4
        worker["goal_y"] = round((field.y0 + (goal[n] // field.nx + 0.5) * field.cell_km) * 1e4) / 1e4
        worker["free_min"] = now
        worker["moves"] += 1
        worker["moved_at"] = now
        moved += 1
    return moved


def cell_at(field: Field, x: float, y: float) -> int:
    """As `cover.cell_of`."""
    column = int(min(max((x - field.x0) / field.cell_km, 0.0), field.nx - 1.0))
    row = int(min(max((y - field.y0) / field.cell_km, 0.0), field.ny - 1.0))
    return row * field.nx + column


def _best(
    now: float, worker: np.ndarray, field: Field, prices: Prices, around: np.ndarray, missed: np.ndarray
) -> tuple[float, int]:
    """The greatest gain of moving one worker, and the cell where it is; (0, -1) where nothing is gained."""
    able = [skill for skill in range(len(around)) if int(worker["skills"]) >> skill & 1]
    cell = cell_at(field, float(worker["x"]), float(worker["y"]))
    left = min(1.0, max(0.0, (float(worker["duty_to"]) - now) / prices.horizon))
    price = prices.reserve * (1.0 - float(np.prod(1.0 - missed[able, cell]))) * left
    row, column = cell // field.nx, cell % field.nx
    reach = int(prices.move_km / field.cell_km)
    top, side = max(row - reach, 0), max(column - reach, 0)
    rows, columns = slice(top, row + reach + 1), slice(side, column + reach + 1)
    grid = around.reshape(-1, field.ny, field.nx)[able, rows, columns]
    down, along = np.mgrid[rows.start : rows.start + grid.shape[1], columns.start : columns.start + grid.shape[2]]
    away = np.sqrt((down - row) ** 2.0 + (along - column) ** 2.0) * field.cell_km
    gain = 1.0 - np.prod(1.0 - grid, axis=0) - price - prices.move_price * away
    gain[(away > prices.move_km) | (away == 0.0)] = -np.inf
    at = int(np.argmax(gain))
    if gain.flat[at] <= 0.0:
        return 0.0, -1
    return float(gain.flat[at]), (top + at // gain.shape[1]) * field.nx + side + at % gain.shape[1]
