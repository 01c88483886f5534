"""`cover.look` and what goes with it in NumPy: for a process that looks once a minute and is to load no compiler.

A compiler in memory costs two hundred megabytes; whole arrays at a time, a look costs some milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

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
    Field,
)
from jiying.dispatch.engine.fleet.history import OUTLOOK_MIN
from jiying.dispatch.engine.fleet.prices import Prices
from jiying.dispatch.engine.fleet.tables import BUSY, GOING, OFF


def look(now: float, workers: np.ndarray, field: Field, prices: Prices) -> None:
    """Work the grid out anew from all that has been seen, as `cover.look` does."""
    known = field.known
    if now > known[LOOKED_AT]:
        field.seen[:] *= math.exp(-(now - known[LOOKED_AT]) / prices.memory_min)
    known[LOOKED_AT] = now
    weight = (_spread(field) + prices.prior_orders * field.prior) ** prices.fair
    pace = known[PACE] * math.exp(-(now - known[PACE_AT]) / prices.pace_min)
    ahead = field.outlook[min(max(int(now / OUTLOOK_MIN), 0), len(field.outlook) - 1)]
    staff = int(np.count_nonzero(workers["state"] != OFF))
    known[LOAD] = pace * (service_min(field) + prices.on_the_way_min) / max(staff, 1)
    expected = pace * prices.horizon * ahead * prices.caution * field.seen_skill / field.seen_skill.sum()
    field.rate[:] = expected[:, None] * weight / weight.sum()
    field.want[:] = reached(field, field.rate)
    field.have[:] = _cover(field, workers, _shares(workers, now, prices))
    share = np.divide(field.rate, field.want, out=np.zeros_like(field.rate), where=field.want > 0.0)
    field.worth[:] = share * tail(field, field.have)
    known[TURN] += 1.0


def service_shape(field: Field) -> tuple[float, float]:
    """As `cover.service_shape`."""
    known = field.known
    mean = float(known[SERVICE_SUM] / known[SERVICE_N])
    return mean, math.sqrt(max(float(known[SERVICE_SQUARES] / known[SERVICE_N]) - mean * mean, 0.01))


def service_min(field: Field) -> float:
    """The expected minutes of a job."""
    mean, spread = service_shape(field)
    return math.exp(mean + 0.5 * spread * spread)


def reached(field: Field, source: np.ndarray) -> np.ndarray:
    """[skill, cell] the sum of `source` over the disc around each cell."""
    grid = source.reshape(-1, field.ny, field.nx)
    total = np.zeros_like(grid)
    for here, there in _shifts(field):
        total[:, here[0], here[1]] += grid[:, there[0], there[1]]
    return total.reshape(source.shape)


def lost(field: Field) -> np.ndarray:
    """[skill, cell] what is lost without somebody who counts there, at most 1, as `cover.price_at` adds it up."""
    found: np.ndarray = np.minimum(reached(field, field.worth), 1.0)
    return found


def _cover(field: Field, workers: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """[skill, cell] how many workers would reach each cell; notes where each counts, and with how much."""
    counts = shares > 0.0
    column = np.clip((workers["x"] - field.x0) / field.cell_km, 0.0, field.nx - 1.0)
    row = np.clip((workers["y"] - field.y0) / field.cell_km, 0.0, field.ny - 1.0)
    cell = np.nan_to_num(row).astype(np.int64) * field.nx + np.nan_to_num(column).astype(np.int64)
    workers["cell"] = np.where(counts, cell, -1)
    workers["counted"] = np.where(counts, shares, 0.0)
    stand = np.zeros_like(field.have)
    for skill in range(len(stand)):
        able = counts & (workers["skills"] >> skill & 1 == 1)
        stand[skill] = np.bincount(cell[able], shares[able], stand.shape[1])
    grid = stand.reshape(-1, field.ny, field.nx)
    total = np.zeros_like(grid)
    for here, there in _shifts(field):
        total[:, there[0], there[1]] += grid[:, here[0], here[1]]
    return total.reshape(stand.shape)


def _shifts(field: Field) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """For each cell of the disc the part of the grid that has such a neighbour, and where these neighbours lie."""
    for dx, dy in zip(field.disc_x.tolist(), field.disc_y.tolist(), strict=True):
        if abs(dx) < field.nx and abs(dy) < field.ny:
            yield (
                (slice(max(-dy, 0), field.ny - max(dy, 0)), slice(max(-dx, 0), field.nx - max(dx, 0))),
                (slice(max(dy, 0), field.ny + min(dy, 0)), slice(max(dx, 0), field.nx + min(dx, 0))),
            )


def _shares(workers: np.ndarray, now: float, prices: Prices) -> np.ndarray:
    """As `cover.share_of`, of all."""
    state = workers["state"]
    left = np.clip((workers["duty_to"] - now) / prices.horizon, 0.0, 1.0)
    part = np.where(state == BUSY, prices.busy_counts, np.where(state == GOING, prices.going_counts, 1.0))
    soon = np.where(workers["duty_from"] - now <= prices.soon_min, prices.soon_counts, 0.0)
    shares: np.ndarray = np.where(state == OFF, soon, left * part)
    return shares


def _spread(field: Field) -> np.ndarray:
    """[cell] the mean of what was seen over the square of cells beside each."""
    padded = np.pad(field.seen.reshape(field.ny, field.nx), 1)
    inside = np.pad(np.ones((field.ny, field.nx)), 1)
    squares = [(slice(r, r + field.ny), slice(c, c + field.nx)) for r in range(3) for c in range(3)]
    total, count = np.zeros((field.ny, field.nx)), np.zeros((field.ny, field.nx))
    for one in squares:
        total += padded[one]
        count += inside[one]
    return (total / count).reshape(-1)


def tail(field: Field, have: np.ndarray) -> np.ndarray:
    """As `cover.tail_of`, of what the disc of each cell wants, and `have` people."""
    want = np.maximum(field.want, 1e-300)
    step = np.log2(want / LOWEST) * NORM_EVERY
    scale = np.where(step < 0.0, want / LOWEST, 1.0)
    row = np.minimum(np.maximum(step, 0.0).astype(np.int64), field.tail.shape[0] - 1)
    low = np.minimum(have.astype(np.int64), field.tail.shape[1] - 2)
    part = np.minimum(have - low, 1.0)
    found = field.tail[row, low] * (1.0 - part) + field.tail[row, low + 1] * part
    chance: np.ndarray = np.where(have < 1.0, found, found * scale)
    return chance
