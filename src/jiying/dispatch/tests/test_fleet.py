"""Many orders at once: the assignment, the price of a worker, taking back, holding back."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiying.dispatch.engine import fleet
from jiying.dispatch.engine.fleet import deciding, plain
from jiying.dispatch.engine.fleet.assign import STEP, cheapest
from jiying.dispatch.engine.fleet.cover import count_in, look, price_at, price_of
from jiying.dispatch.engine.fleet.kernels import URGENT, reveal
from jiying.dispatch.engine.fleet.motion import advance, depart
from jiying.dispatch.engine.fleet.policies import POLICIES
from jiying.dispatch.engine.fleet.prices import Road
from jiying.dispatch.engine.fleet.tables import BUSY, DONE, ORDER, TRIP
from jiying.dispatch.engine.fleet.world import World, tails, world_of

LOCKS, LIFTS = 1, 2
AUTO = POLICIES["auto"]


def world(*people: tuple[float, float, int], room: int = 50) -> World:
    """People on duty the whole day: x, y, skills."""
    return world_of(
        np.array([person[:2] for person in people], float).reshape(-1, 2),
        np.array([person[2] for person in people], np.int64),
        [[(0.0, 1440.0)]] * len(people), np.zeros(len(people), np.int64), np.zeros(len(people), np.int64),
        2, room, Road(), AUTO.prices,
    )  # fmt: skip


def report(place: World, now: float, *orders: tuple[float, float, int, int]) -> None:
    """Orders come in at `now`: x, y, skill (0 locks, 1 lifts), emergency."""
    feed = np.zeros(int(place.tally[0]) + len(orders), ORDER)
    feed[: place.tally[0]] = place.orders[: place.tally[0]]
    for row, (x, y, skill, urgent) in zip(feed[place.tally[0] :], orders, strict=True):
        row["x"], row["y"], row["reported"], row["skill"], row["emergency"] = x, y, now, skill, urgent
        row["limit"], row["worker"] = now + (30 if urgent else 240), -1
    reveal(now, feed, place, AUTO.prices)


def at(place: World, now: float) -> None:
    """Shifts begin."""
    advance(now, place.workers, place.orders, place.shifts, np.full(len(place.workers), np.inf), place.field)


def set_off(place: World, now: float) -> np.ndarray:
    trips = np.zeros(50, TRIP)
    place.tally[3] = 0
    depart(now, place, np.full(50, 30.0), np.full(len(place.workers), np.inf), trips, Road(), False)
    return trips[: place.tally[3]]


def test_somebody_whose_home_is_on_another_continent_does_not_make_the_grid_coarse():
    near = world((0.0, 0.0, LOCKS), (3.0, 4.0, LOCKS), (5.0, 1.0, LIFTS))
    far = world((0.0, 0.0, LOCKS), (3.0, 4.0, LOCKS), (5.0, 1.0, LIFTS), (9000.0, 0.0, LOCKS))
    assert (far.field.cell_km, far.field.nx, far.field.ny) == (near.field.cell_km, near.field.nx, near.field.ny)
    look(0.0, far.workers, far.field, AUTO.prices)
    assert far.workers["cell"].max() < far.field.nx * far.field.ny


@pytest.mark.parametrize("far", [(1000.0, 0.0), (float("nan"), float("nan"))], ids=["two cities", "no place"])
def test_half_of_all_far_away_still_make_a_grid(far):
    place = world((0.0, 0.0, LOCKS), (3.0, 4.0, LOCKS), (*far, LOCKS), (far[0] + 2.0, far[1], LIFTS))
    look(600.0, place.workers, place.field, AUTO.prices)
    plain.look(600.0, place.workers, place.field, AUTO.prices)
    assert np.isfinite(place.field.have).all() and place.field.have.sum() > 0


def sent(decisions: list[deciding.Decision]) -> dict[int, int]:
    return {d.order: d.worker for d in decisions if d.order is not None and d.worker is not None}


tables_of_costs = st.integers(1, 8).flatmap(
    lambda many: st.tuples(
        st.just(many),
        st.lists(
            st.tuples(st.floats(0, 1.5), st.dictionaries(st.integers(0, many - 1), st.floats(0, 1), max_size=5)),
            min_size=1, max_size=8,
        ),
    )
)  # fmt: skip


@given(tables_of_costs)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=80)
def test_an_assignment_gives_nobody_twice_and_is_as_cheap_as_can_be_within_the_step(given_table):
    from scipy.optimize import linear_sum_assignment

    many, rows = given_table
    begin = np.cumsum([0, *(len(costs) for _, costs in rows)])
    columns = np.array([column for _, costs in rows for column in costs], np.int64)
    costs = np.array([cost for _, own in rows for cost in own.values()], float)
    alone = np.array([row[0] for row in rows], float)
    taken = cheapest(begin, columns, costs, alone, many)
    whole = np.full((len(rows), many + len(rows)), 1e3)
    for r, (out, own) in enumerate(rows):
        whole[r, many + r] = out
        for column, cost in own.items():
            whole[r, column] = cost
    used = [column for column in taken if column >= 0]
    assert len(set(used)) == len(used)
    total = sum(whole[r, column if column >= 0 else many + r] for r, column in enumerate(taken))
    assert total <= whole[linear_sum_assignment(whole)].sum() + STEP * len(rows) + 1e-9


def test_the_chance_of_many_emergencies_falls_from_one_and_has_the_mean():
    table = tails(3.0)
    assert (table[:, 0] == 1.0).all()
    assert (np.diff(table, axis=1) <= 1e-12).all()
    assert table[32, 1:].sum() == pytest.approx(2.0**-8 * 2.0**8, rel=1e-3)


def test_a_worker_is_worth_more_where_more_happens_and_less_beside_others():
    alone, beside = world((5, 5, LOCKS)), world((5, 5, LOCKS), (5.5, 5, LOCKS), (5, 5.5, LOCKS))
    prices = []
    for place in (alone, beside):
        at(place, 0.0)
        look(0.0, place.workers, place.field, AUTO.prices)
        assert price_of(place.field, place.workers[0], 0.0, AUTO.prices) == 0.0
        report(place, 60.0, *[(5.0, 5.0, 0, 1)] * 10)
        look(60.0, place.workers, place.field, AUTO.prices)
        prices.append(price_of(place.field, place.workers[0], 60.0, AUTO.prices))
    assert 1.0 >= prices[0] > prices[1] > 0.0


@pytest.mark.parametrize("wide", [0.3, 25.0], ids=["narrower than the disc", "wide"])
def test_a_price_is_what_the_disc_around_somebody_loses_also_after_somebody_else_came(wide):
    place = world(*((wide * n / 9, wide * (n * 4 % 10) / 13, 1 + n % 3) for n in range(10)))
    report(place, 1.0, *((wide * n / 9, wide * (n * 3 % 10) / 10, n % 2, 1) for n in range(9)))
    field, prices = place.field, AUTO.prices

    def by_hand(cell: int, skills: int) -> float:
        row, column = divmod(cell, field.nx)
        spare = 1.0
        for skill in range(2):
            if skills >> skill & 1:
                there = [(row + dy, column + dx) for dy, dx in zip(field.disc_y, field.disc_x, strict=True)]
                inside = [r * field.nx + c for r, c in there if 0 <= r < field.ny and 0 <= c < field.nx]
                spare *= 1.0 - min(field.worth[skill, inside].sum(), 1.0)
        return 1.0 - spare

    def compare() -> None:
        cells = range(field.nx * field.ny)
        found = [[price_at(field, cell, skills) for cell in cells] for skills in (1, 2, 3)]
        assert np.allclose(found, [[by_hand(cell, skills) for cell in cells] for skills in (1, 2, 3)], atol=1e-12)
        assert np.ptp(found) > 0.0 or wide < 1.0

    look(1.0, place.workers, field, prices)
    assert np.allclose(field.want, plain.reached(field, field.rate))
    compare()
    place.workers[0]["x"] += wide / 2
    count_in(field, place.workers[0], 0.5, 1.0)
    compare()


def test_the_nearer_worker_goes_and_the_decision_says_how_far_it_is():
    place = world((0, 0, LOCKS), (2, 0, LOCKS), (0, 1, LIFTS))
    at(place, 500.0)
    report(place, 500.0, (0.5, 0, 0, 1))
    [decision] = deciding.decide(place, 500.0)
    assert (decision.why, decision.worker, decision.order) == (deciding.SENT, 0, 0)
    assert decision.minutes == pytest.approx(0.5 * 5.2 + 2)


def test_two_emergencies_get_two_people_though_the_same_one_is_nearest_to_both():
    place = world((0, 0, LOCKS), (3, 0, LOCKS))
    at(place, 500.0)
    report(place, 500.0, (0.1, 0, 0, 1), (-3.5, 0, 0, 1))
    assert sent(deciding.decide(place, 500.0)) == {0: 1, 1: 0}


def test_who_is_on_the_way_to_an_ordinary_order_is_taken_back_for_an_emergency_and_the_way_so_far_is_a_move():
    place = world((0, 0, LOCKS), (30, 0, LOCKS))
    at(place, 500.0)
    report(place, 500.0, (2, 0, 0, 0))
    assert sent(deciding.decide(place, 500.0)) == {0: 0}
    [trip] = set_off(place, 500.0)
    assert (trip["order"], trip["arrive"], trip["x"]) == (-1, 500.5, pytest.approx(0.5 / 5.2, abs=1e-4))
    report(place, 500.3, (1, 1, 0, 1))
    decisions = deciding.decide(place, 500.3)
    assert [(d.why, d.worker, d.order, d.instead_of) for d in decisions if d.worker is not None] == [
        (deciding.TURNED, 0, 1, 0)
    ]
    assert [d.order for d in decisions if d.why == deciding.WAITS] == [0]


def test_nobody_is_taken_from_the_last_stretch():
    place = world((0, 0, LOCKS))
    at(place, 500.0)
    report(place, 500.0, (0.05, 0, 0, 0))
    deciding.decide(place, 500.0)
    set_off(place, 500.0)
    assert place.workers[0]["state"] == BUSY
    report(place, 500.1, (0, 0, 0, 1))
    assert not sent(deciding.decide(place, 500.2))


def test_the_last_one_with_a_skill_is_held_back_from_an_ordinary_order_until_its_limit_is_near():
    place = world((5, 5, LOCKS), *[(5, 4, LIFTS)] * 7)
    at(place, 0.0)
    for minute in range(30, 300, 30):
        report(place, float(minute), (5, 5, 0, 1))
    place.orders["state"][: place.tally[0]] = DONE
    report(place, 300.0, (5, 5, 0, 0), (5, 4.5, 1, 0))
    locks, lifts = 9, 10
    assert set(sent(deciding.decide(place, 300.0))) == {lifts}
    assert sent(deciding.decide(place, 530.0)) == {locks: 0}


def test_an_emergency_that_cannot_be_reached_in_time_waits_and_says_so():
    place = world((0, 0, LOCKS))
    at(place, 500.0)
    report(place, 500.0, (20, 0, 0, 1))
    assert [d.why for d in deciding.decide(place, 500.0)] == [deciding.WAITS]
    assert [d.why for d in deciding.decide(place, 529.0) if d.order == 0 and d.worker is None] in ([deciding.LATE], [])
    assert place.tally[URGENT] == 0


def test_more_emergencies_than_people_is_a_surge_and_says_how_many_to_recall():
    place = world((0, 0, LOCKS), (1, 0, LOCKS))
    at(place, 500.0)
    deciding.decide(place, 500.0)
    assert not deciding.surge(place).on
    report(place, 501.0, *[(0.5, 0.5, 0, 1)] * 30)
    deciding.decide(place, 502.0)
    found = deciding.surge(place)
    assert found.on and found.load > 1
    assert found.recall > 10


def test_the_engine_knows_no_database_no_clock_and_no_chance():
    for path in Path(fleet.__file__).parent.glob("*.py"):
        names = {
            alias.name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
        }
        allowed = {"time"} if path.name == "run.py" else set()  # it times decisions, which do not see it
        assert not names & ({"django", "random", "datetime", "time"} - allowed), path.name
