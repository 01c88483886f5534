"""The schedule in full knowledge: possible, the same each time, and never more than can be."""

from __future__ import annotations

import csv
import importlib.util
import io
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from bench import bounds
from hypothesis import HealthCheck, given, settings
from tests.tinydays import ACCESS_MIN, LIMIT_MIN, MIN_PER_KM, calls, hands, most_by_trying, tiny, uncompiled

from jiying.dispatch.days.reading import Day, read_day
from jiying.dispatch.days.writing import HEAD, write_plan
from jiying.dispatch.tests.made import Made, make

hindsight = uncompiled("hindsight")

ROUNDS = 60
SMALL = Made(seed=6, kind="burst", orders=60, workers=10, estates=30, towns=3, hot_towns=1, wide_km=7.0, high_km=7.0)
ROUNDED_MIN = 0.002
"""A plan has four digits after the point: so much is a way between two of its places off, at the most."""


def in_time(day: Day, lines: list[str]) -> int:
    """Emergencies that a plan has in time; fails where the plan is not possible."""
    rows = {name: row for row, name in enumerate(day.orders)}
    at = {name: (one, (-1.0, -1.0), tuple(day.worker_places[one]), -1e9) for one, name in enumerate(day.workers)}
    found, taken = 0, set()
    trips = list(csv.DictReader(io.StringIO(HEAD + "".join(lines))))
    for trip in sorted(trips, key=lambda trip: float(trip["depart_min"])):
        depart, arrive, finish, x, y = (
            float(trip[k]) for k in ("depart_min", "arrive_min", "finish_min", "x_km", "y_km")
        )
        one, shift, place, free = at[trip["worker"]]
        on = next(span for span in day.shifts[one] if span[0] <= depart < span[1])
        start = place if on == shift else tuple(day.worker_places[one])
        row = rows[trip["order"]] if trip["order"] else None
        goal = (x, y) if row is None else tuple(day.order_places[row])
        ride = MIN_PER_KM * ((start[0] - goal[0]) ** 2 + (start[1] - goal[1]) ** 2) ** 0.5
        assert depart >= free - ROUNDED_MIN
        assert arrive >= depart + ride + (0.0 if row is None else ACCESS_MIN) - ROUNDED_MIN
        if row is not None:
            assert row not in taken
            taken.add(row)
            assert depart >= day.reported[row] - ROUNDED_MIN
            assert day.worker_skills[one] >> day.order_skill[row] & 1
            assert finish >= arrive + day.service[row] - ROUNDED_MIN
            found += bool(day.emergency[row] and arrive <= day.reported[row] + LIMIT_MIN + ROUNDED_MIN)
        at[trip["worker"]] = (one, on, goal, finish)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("small"), SMALL)


@pytest.mark.parametrize("ahead", [False, True])
@given(people=hands(), orders=calls(5))
@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_a_schedule_is_possible_and_has_no_more_than_can_be(ahead, people, orders):
    with tempfile.TemporaryDirectory(prefix="jiying-test-") as held:
        day = tiny(Path(held), people, orders)
    assert in_time(day, hindsight.schedule(day, ahead, rounds=8)) <= most_by_trying(day, ahead)


@pytest.mark.parametrize("ahead", [False, True])
def test_a_schedule_is_under_the_bound_and_above_the_greedy_one_it_began_with(folder, ahead):
    day = read_day(folder)
    many = int((day.emergency == 1).sum())
    first, last = (in_time(day, hindsight.schedule(day, ahead, rounds)) for rounds in (0, ROUNDS))
    assert many / 3 < first < last <= bounds.most_in_time(day, ahead) * many / 100


def test_the_same_seed_makes_the_same_schedule(folder):
    day = read_day(folder)
    one, again, other = (hindsight.schedule(day, True, ROUNDS, seed) for seed in (1, 1, 2))
    assert one == again != other


def test_who_may_go_ahead_waits_at_the_door(tmp_path):
    day = tiny(tmp_path, [(0, 0, "a", "0-480")], [(100, 5.5, 0, "a", 1, 20)])
    assert hindsight.schedule(day, False, rounds=5) == []
    move, order = hindsight.schedule(day, True, rounds=5)
    assert move.startswith("w0,,0.0000,28.6000,")
    assert order.startswith("w0,o0,100.0000,102.0000,122.0000,")


def test_a_day_without_emergencies_or_without_anybody_has_a_schedule_too(tmp_path):
    day = tiny(tmp_path, [(0, 0, "a", "0-480")], [(100, 1, 0, "a", 0, 20)])
    assert len(hindsight.schedule(day, False, rounds=5)) == 1
    assert hindsight.schedule(replace(day, shifts=((),), why_never={0: "no_duty"}), False, rounds=5) == []


@pytest.mark.needs_shared
@pytest.mark.parametrize("ahead", [False, True])
def test_the_referee_accepts_the_schedule_and_counts_as_we_do(folder, ahead, shared, tmp_path):
    spec = importlib.util.spec_from_file_location("referee", shared / "days" / "referee.py")
    assert spec and spec.loader
    referee = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(referee)
    day = read_day(folder)
    lines = hindsight.schedule(day, ahead, ROUNDS)
    write_plan(tmp_path / "plan.csv", lines)
    told = referee.judge(folder, tmp_path / "plan.csv")
    assert told["possible"], told["first_faults"]
    many = int((day.emergency == 1).sum())
    assert told["emergency_within_30_percent"] == round(100 * in_time(day, lines) / many, 2)
