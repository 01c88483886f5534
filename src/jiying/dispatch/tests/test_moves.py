"""Who is moved where they will be missed: without a compiler the same as with it."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from jiying.dispatch.engine.fleet import plain, plain_moves
from jiying.dispatch.engine.fleet.cover import look
from jiying.dispatch.engine.fleet.field import Field
from jiying.dispatch.engine.fleet.kernels import reveal
from jiying.dispatch.engine.fleet.motion import advance
from jiying.dispatch.engine.fleet.moves import decide_moves
from jiying.dispatch.engine.fleet.prices import Prices, Road
from jiying.dispatch.engine.fleet.tables import BUSY, GOING, IDLE, MOVING, ORDER
from jiying.dispatch.engine.fleet.world import World, world_of

ROAD, PRICES = Road(), Prices()
NOW = 600.0

people = st.lists(
    st.tuples(
        st.floats(-9, 9), st.floats(-9, 9), st.integers(0, 7), st.sampled_from((IDLE, IDLE, IDLE, GOING, BUSY)),
        st.sampled_from((0, 0, 1, 3)), st.floats(0, 90), st.floats(20, 400),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


def world(everybody: list[tuple], seed: int, orders: int = 60) -> World:
    """People as drawn, and orders of the last hour, more of them on one side."""
    rng, none = random.Random(seed), np.zeros(len(everybody), np.int64)
    place = world_of(
        np.array([one[:2] for one in everybody]), np.array([one[2] for one in everybody], np.int64),
        [[(0.0, NOW + one[6])] for one in everybody], none, none, 3, 100, ROAD, PRICES,
    )  # fmt: skip
    feed = np.zeros(orders, ORDER)
    for n, row in enumerate(feed):
        row["x"], row["y"] = rng.uniform(-9, 9 if n % 3 else -4), rng.uniform(-9, 9)
        row["skill"], row["reported"], row["emergency"], row["worker"] = (
            rng.randrange(3),
            540.0 + n * 60 / orders,
            n % 2,
            -1,
        )
        row["limit"] = row["reported"] + 30
    advance(NOW, place.workers, place.orders, place.shifts, np.full(len(everybody), np.inf), place.field)
    reveal(NOW, feed, place, PRICES)
    for worker, (*_, state, moves, ago, _duty) in zip(place.workers, everybody, strict=True):
        worker["state"], worker["moves"], worker["idle_since"] = state, moves, NOW - ago
        worker["moved_at"] = NOW - ago if moves else -np.inf
    return place


@given(people, st.integers(0, 9))
@settings(deadline=None, max_examples=150, phases=(Phase.explicit, Phase.generate))
def test_the_same_are_moved_to_the_same_places_with_and_without_a_compiler(everybody, seed):
    place = world(everybody, seed)
    field = Field(*(part.copy() if isinstance(part, np.ndarray) else part for part in place.field))
    crew = place.workers.copy()
    plain.look(NOW, crew, field, PRICES)
    look(NOW, place.workers, place.field, PRICES)
    assert plain_moves.decide_moves(NOW, crew, field, PRICES) == decide_moves(
        NOW, place.workers, place.field, ROAD, PRICES
    )
    for name in ("state", "moves", "goal_x", "goal_y", "moved_at", "free_min"):
        assert crew[name].tolist() == place.workers[name].tolist(), name


def crowd(n: int, **more: float) -> World:
    """So many idle people in one corner, and one in the other who was moved often enough; few orders."""
    tired = [(-6.0, 6.0, 7, IDLE, 3, 60.0, 400.0)]
    place = world([(0.0, 0.0, 7, IDLE, 0, 60.0, 400.0)] * n + tired, seed=1, orders=12)
    for name, value in more.items():
        place.workers[name][:n] = value
    plain.look(NOW, place.workers, place.field, PRICES)
    return place


def test_of_a_crowd_somebody_goes_and_not_farther_than_six_kilometres():
    place = crowd(6)
    assert plain_moves.decide_moves(NOW, place.workers, place.field, PRICES) > 0
    gone = place.workers[place.workers["state"] == MOVING]
    away = np.hypot(gone["goal_x"] - gone["x"], gone["goal_y"] - gone["y"])
    assert len(gone) and away.max() <= PRICES.move_km + place.field.cell_km


@pytest.mark.parametrize(
    "limit",
    [
        {"moves": 3}, {"idle_since": NOW - 3.9}, {"moved_at": NOW - 44.9}, {"duty_to": NOW + 59.9},
        {"state": BUSY}, {"state": GOING},
    ],
    ids=str,
)  # fmt: skip
def test_nobody_goes_beyond_what_a_person_would_accept(limit):
    place = crowd(6, **limit)
    assert plain_moves.decide_moves(NOW, place.workers, place.field, PRICES) == 0
