"""The world as a decision sees it: who is where, what is open, what is expected; nothing that is still to come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from jiying.dispatch.engine.fleet.field import (
    FILLED_AT,
    LOOKED_AT,
    LOWEST,
    MOVED_AT,
    NORM_EVERY,
    SERVICE_N,
    SERVICE_SQUARES,
    SERVICE_SUM,
    TURN,
    Field,
)
from jiying.dispatch.engine.fleet.history import History, finished, outlook
from jiying.dispatch.engine.fleet.prices import Prices, Road
from jiying.dispatch.engine.fleet.tables import ORDER, WORKER

SERVICE_MEDIAN_MIN, SERVICE_SPREAD, SERVICE_PRIOR = 30.0, 0.55, 20.0
"""A job takes half an hour, more or less, until enough of them have been seen."""

EMERGENCY_MIN, ORDINARY_MIN = 30.0, 240.0
PAST_ORDERS = 1500.0
"""For so many orders of today another day counts."""

FARTHEST_KM = 150.0
"""Whose home is so far from the middle of the others' has a wrong coordinate, not a long way; for them the grid does
not grow."""

MOST_CELLS, CELL_KM = 40, 1.25
SLOT_MIN = 15.0


class World(NamedTuple):
    """Workers and the orders reported so far, in records; the open ones listed; the roster; the field of coverage."""

    workers: np.ndarray
    orders: np.ndarray
    urgent: np.ndarray  # indices of emergencies that nobody is committed to
    usual: np.ndarray  # of ordinary orders, and emergencies that are late already
    tally: np.ndarray  # how many of each there are
    shifts: np.ndarray
    roster: np.ndarray  # [skill, quarter of an hour] people on duty
    field: Field


def world_of(
    places: np.ndarray, skills: np.ndarray, shifts: Sequence[Sequence[tuple[float, float]]], teams: np.ndarray,
    towns: np.ndarray, kinds: int, room: int, road: Road, prices: Prices, past: History | None = None,
) -> World:  # fmt: skip
    """A world before its first order.

    `places` [worker, 2] km, finite where the worker has shifts; `skills` one bit each, of `kinds`; `shifts` minutes,
    in order and apart; `room`: for how many orders there is room.
    """
    workers = np.zeros(len(places), WORKER)
    workers["x"] = workers["home_x"] = places[:, 0]
    workers["y"] = workers["home_y"] = places[:, 1]
    workers["skills"], workers["team"], workers["town"] = skills, teams, towns
    workers["order"] = workers["cell"] = -1
    workers["moved_at"] = workers["idle_since"] = workers["free_min"] = -math.inf
    begins = np.cumsum([0, *map(len, shifts)])
    rows = np.array([span for own in shifts for span in own], float).reshape(-1, 2)
    workers["shift"], workers["last_shift"] = begins[:-1], begins[1:]
    has = begins[1:] > begins[:-1]
    workers["duty_from"] = workers["duty_to"] = math.inf
    workers["duty_from"][has], workers["duty_to"][has] = rows[begins[:-1][has]].T
    return World(
        workers, np.zeros(room, ORDER), np.zeros(room, np.int64), np.zeros(room, np.int64), np.zeros(5, np.int64),
        rows, _roster(rows, np.repeat(np.asarray(skills, np.int64), np.diff(begins)), max(kinds, 1)),
        _field(places[has], max(kinds, 1), road, prices, past),
    )  # fmt: skip


def _roster(spans: np.ndarray, skills: np.ndarray, kinds: int) -> np.ndarray:
    """[skill, quarter of an hour] how many are on duty, by shifts and the skills of who has each."""
    slots = int(max(spans[:, 1].max(initial=0.0), 0.0) // SLOT_MIN) + 2
    begin = np.maximum(np.ceil(spans[:, 0] / SLOT_MIN), 0).astype(np.int64)
    end = np.maximum(spans[:, 1] // SLOT_MIN, 0).astype(np.int64)
    whole = end > begin
    own = (skills[:, None] >> np.arange(kinds) & 1).astype(float)[whole]
    change = np.zeros((slots + 1, kinds))
    np.add.at(change, begin[whole], own)
    np.subtract.at(change, end[whole], own)
    return np.ascontiguousarray(change.cumsum(axis=0)[:slots].T)


def near(places: np.ndarray) -> np.ndarray:
    """[place] whether it is near enough to the middle of all to be believed; all that are finite, where that leaves
    fewer than half: two far cities are no slip.
    """
    finite = np.isfinite(places).all(axis=1)
    if not finite.any():
        return finite
    middle = np.median(places[finite], axis=0)
    found: np.ndarray = finite & (np.hypot(*(places - middle).T) <= FARTHEST_KM)
    return found if 2 * found.sum() >= finite.sum() else finite


def _field(homes: np.ndarray, kinds: int, road: Road, prices: Prices, past: History | None) -> Field:
    """The grid over where workers live; demand is expected where they do until orders say otherwise."""
    homes = homes[near(homes)]
    low = homes.min(axis=0) - 1.0 if len(homes) else np.zeros(2)
    high = homes.max(axis=0) + 1.0 if len(homes) else np.ones(2)
    cell = max(CELL_KM, float((high - low).max()) / MOST_CELLS)
    nx, ny = (int(n) for n in np.ceil((high - low) / cell))
    reach = (EMERGENCY_MIN - road.access_min - 1.0) / road.min_per_km / cell
    span = int(reach) + 1
    dy, dx = np.mgrid[-span : span + 1, -span : span + 1]
    inside = dx**2 + dy**2 <= reach**2
    prior = np.zeros((ny, nx))
    at = ((homes - low) / cell).astype(np.int64)
    living = np.zeros((ny, nx))
    np.add.at(living, (at[:, 1], at[:, 0]), 1.0)
    for row, column in np.argwhere(living).tolist():
        prior[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] += living[row, column]
    prior = prior.ravel() / max(prior.sum(), 1.0)
    known = np.zeros(10)
    middle = math.log(SERVICE_MEDIAN_MIN)
    known[SERVICE_N], known[SERVICE_SUM] = SERVICE_PRIOR, SERVICE_PRIOR * middle
    known[SERVICE_SQUARES] = SERVICE_PRIOR * (middle**2 + SERVICE_SPREAD**2)
    known[[LOOKED_AT, FILLED_AT, MOVED_AT]] = -math.inf
    known[TURN] = 1.0
    for place, more in zip((SERVICE_N, SERVICE_SUM, SERVICE_SQUARES), finished(past), strict=True):
        known[place] += more
    seen, by_skill = np.zeros(nx * ny), np.full(kinds, 5.0)
    if past is not None:
        for (x, y), urgent, skill in zip(past.places.tolist(), past.emergency, past.skill, strict=True):
            if math.isfinite(x) and math.isfinite(y):
                column = min(max(int((x - low[0]) / cell), 0), nx - 1)
                seen[min(max(int((y - low[1]) / cell), 0), ny - 1) * nx + column] += 1.0
            if urgent and skill >= 0:
                by_skill[skill] += 1.0
        seen *= PAST_ORDERS / max(seen.sum(), 1.0)
        by_skill *= 5.0 * kinds * 10 / by_skill.sum()
    ahead = outlook(past, prices.pace_min, prices.horizon)
    table = lambda: np.zeros((kinds, nx * ny))  # noqa: E731
    return Field(
        float(low[0]), float(low[1]), cell, nx, ny, dx[inside].astype(np.int64), dy[inside].astype(np.int64),
        table(), table(), table(), table(), table(), table(), prior, seen, by_skill, tails(prices.clumps).copy(), ahead,
        known,
    )  # fmt: skip


@cache
def tails(clumps: float, doublings: int = 16, most: int = 160) -> np.ndarray:
    """P(N >= n) of a negative binomial with mean `LOWEST` * 2 ** (row / NORM_EVERY) and dispersion `clumps`."""
    rows = int(doublings * NORM_EVERY)
    table = np.zeros((rows, most))
    for row in range(rows):
        mean = LOWEST * 2.0 ** (row / NORM_EVERY)
        chance = math.exp(-clumps * math.log1p(mean / clumps))
        left = 1.0
        for n in range(most):
            table[row, n] = max(left, 0.0)
            left -= chance
            chance *= (n + clumps) / (n + 1) * mean / (mean + clumps)
    table.flags.writeable = False
    return table
