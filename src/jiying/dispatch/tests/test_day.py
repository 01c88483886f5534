"""A day of orders: what a plan never does, and what it never knows."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jiying.core.errors import BadInput
from jiying.dispatch.commands import POLICY_NAMES, dispatch
from jiying.dispatch.days.reading import Day, read_day
from jiying.dispatch.days.running import play
from jiying.dispatch.days.writing import HEAD, rows_of
from jiying.dispatch.engine.fleet import run as running
from jiying.dispatch.engine.fleet.policies import POLICIES
from jiying.dispatch.tests.made import Made, make

SMALL = Made(seed=5, orders=420, workers=60, estates=80, towns=4, hot_towns=1, wide_km=9.0, high_km=9.0)


@pytest.fixture(scope="module", params=["normal", "burst"])
def folder(request, tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp(request.param), replace(SMALL, kind=request.param))


@pytest.fixture(scope="module")
def calm(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("calm"), SMALL)


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with gzip.open(folder / f"{name}.csv.gz", "rt", newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def write(folder: Path, name: str, rows: list[dict[str, Any]], columns: list[str] | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8-sig") as lines:
        out = csv.DictWriter(lines, columns or list(rows[0]), extrasaction="ignore")
        out.writeheader()
        out.writerows(rows)
    return folder


def plan(day: Day, policy: str = "auto", until: float | None = None, history: Day | None = None) -> list[str]:
    """The lines of a plan, without its head."""
    played = play(day, policy, until, history)
    return rows_of(day, played.feed_rows, played.trips, until)


def read(lines: list[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(HEAD + "".join(lines))))


def without(line: str, column: int = 4) -> str:
    fields = line.split(",")
    return ",".join(fields[:column] + fields[column + 1 :])


@pytest.mark.parametrize("policy", POLICY_NAMES)
def test_nobody_is_in_two_places_lacks_the_skill_or_sets_off_off_duty(folder, policy):
    orders = {row["order"]: row for row in table(folder, "orders")}
    workers = {row["worker"]: row for row in table(folder, "workers")}
    served, free = set(), defaultdict(lambda: -1e9)
    trips = read(plan(read_day(folder), policy))
    assert sum(bool(trip["order"]) for trip in trips) > len(orders) / 3
    for trip in trips:
        depart, worker = float(trip["depart_min"]), workers[trip["worker"]]
        assert depart >= free[trip["worker"]] - 1e-4
        free[trip["worker"]] = float(trip["finish_min"])
        assert any(a <= depart < b for a, b in (map(float, s.split("-")) for s in worker["shifts"].split(";")))
        if trip["order"]:
            assert trip["order"] not in served
            served.add(trip["order"])
            assert orders[trip["order"]]["skill"] in worker["skills"].split("|")
            assert depart >= float(orders[trip["order"]]["reported_min"])


@pytest.mark.needs_shared
@pytest.mark.parametrize("policy", POLICY_NAMES)
def test_the_referee_accepts_the_plan_and_counts_as_the_command_does(folder, policy, shared, tmp_path):
    done = CliRunner().invoke(
        dispatch, ["day", str(folder), "--policy", policy, "--out", str(tmp_path / "plan.csv"), "--json"]
    )
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    verdict = subprocess.run(
        [sys.executable, str(shared / "days" / "referee.py"), str(folder), str(tmp_path / "plan.csv"), "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = json.loads(verdict.stdout)
    assert found["possible"], found["first_faults"]
    same = ("orders", "unserved", "emergency_within_30_percent", "ordinary_within_240_percent")
    assert {name: said[name] for name in same} == {name: found[name] for name in same}
    assert said["worst_town"]["emergency_within_30_percent"] == found["worst_town"]["emergency_within_30_percent"]
    assert set(said) == {
        "policy", "orders", "unserved", "emergency_within_30_percent", "ordinary_within_240_percent", "worst_town",
        "decision_ms", "batch_ms", "wall_s",
    }  # fmt: skip


@pytest.mark.parametrize("policy", POLICY_NAMES)
@pytest.mark.parametrize("minute", [457.3, 720.0, 811.0333])
def test_a_plan_up_to_a_minute_is_that_of_the_whole_day_and_knows_nothing_later(folder, policy, minute, tmp_path):
    day = read_day(folder)
    whole = [line for line in plan(day, policy) if float(line.split(",")[2]) < minute]
    assert plan(day, policy, minute) == whole
    assert len(whole) > 20
    rows = table(folder, "orders")
    ends = {trip["order"]: float(trip["finish_min"]) for trip in read(whole) if trip["order"]}
    known = [row for row in rows if float(row["reported_min"]) <= minute]
    for row in known:
        if ends.get(row["order"], minute + 1) > minute:
            row["service_min"] = f"{float(row['service_min']) + 200:.3f}"
    write(tmp_path, "orders", known)
    write(tmp_path, "workers", table(folder, "workers"))
    changed = plan(read_day(tmp_path), policy, minute)
    assert [without(line) for line in changed] == [without(line) for line in whole]
    late = {name for name, end in ends.items() if end > minute}
    assert [line for line in changed if line.split(",")[1] not in late] == [
        line for line in whole if line.split(",")[1] not in late
    ]


def test_a_plan_is_sorted_and_the_same_each_time(calm):
    day = read_day(calm)
    first = plan(day)
    assert first == plan(day)
    keys = [(float(row["depart_min"]), row["worker"]) for row in read(first)]
    assert keys == sorted(keys)


def test_another_day_as_history_changes_what_is_expected_and_nothing_that_is_possible(calm, tmp_path):
    past = read_day(make(tmp_path / "past", replace(SMALL, seed=6)))
    day = read_day(calm)
    known = plan(day, history=past)
    assert known != plan(day)
    assert [line for line in known if float(line.split(",")[2]) < 600.0] == plan(day, until=600.0, history=past)


def test_when_the_engine_fails_the_nearest_is_sent(calm, monkeypatch):
    times = iter(range(10**9))

    def broken(*_given: object) -> None:
        if next(times) % 2:
            raise ZeroDivisionError

    monkeypatch.setattr(running, "decide_batch", broken)
    monkeypatch.setattr(running, "decide_one", broken)
    day = read_day(calm)
    played = play(day, "auto")
    assert played.run.failed > 100
    assert played.figures["unserved"] < len(day.orders) / 5


def test_the_prices_are_better_than_the_nearest_and_the_nearest_than_the_team(calm):
    day = read_day(calm)
    share = {name: play(day, name).figures["emergency_within_30_percent"] for name in ("team", "nearest", "auto")}
    assert share["team"] < share["nearest"] <= share["auto"]


def test_moves_stay_within_what_a_person_would_accept(calm):
    run = play(read_day(calm), "auto").run
    assert run.world.workers["moves"].max() <= POLICIES["auto"].prices.moves_most


# What cannot be read, and what cannot be served.


def one_order(**more: object) -> dict[str, object]:
    return {
        "order": "a", "reported_min": "500", "x_km": "1", "y_km": "1", "skill": "locks", "emergency": "1",
        "service_min": "20", "town": "t", "team": "m", **more,
    }  # fmt: skip


def one_worker(**more: object) -> dict[str, object]:
    return {
        "worker": "w", "x_km": "1", "y_km": "2", "skills": "locks", "shifts": "450-960", "town": "t", "team": "m",
        **more,
    }  # fmt: skip


def day_of(folder: Path, orders: list[dict[str, object]], workers: list[dict[str, object]]) -> Path:
    write(folder, "orders", orders, list(one_order()))
    return write(folder, "workers", workers, list(one_worker()))


BAD = {
    "an id twice": ([one_order(), one_order()], [one_worker()]),
    "a worker twice": ([one_order()], [one_worker(), one_worker()]),
    "no number": ([one_order(reported_min="NaN")], [one_worker()]),
    "an endless job": ([one_order(service_min="inf")], [one_worker()]),
    "a negative job": ([one_order(service_min="-1")], [one_worker()]),
    "a word for a place": ([one_order(x_km="here")], [one_worker()]),
    "neither emergency nor not": ([one_order(emergency="maybe")], [one_worker()]),
    "an order without a name": ([one_order(order="")], [one_worker()]),
    "a shift of words": ([one_order()], [one_worker(shifts="early")]),
    "a shift of a year": ([one_order()], [one_worker(shifts="0-525600")]),
}


def test_a_packed_table_that_is_damaged_is_told_as_such(tmp_path):
    folder = day_of(tmp_path / "day", [one_order()], [one_worker()])
    (folder / "orders.csv.gz").write_bytes(gzip.compress(b"order\n")[:10] + b"\xff" * 20)
    with pytest.raises(BadInput, match=r"orders\.csv\.gz cannot be read"):
        read_day(folder)


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_told_with_its_place_and_nothing_is_written(name, tmp_path):
    folder = day_of(tmp_path / "day", *BAD[name])
    with pytest.raises(BadInput, match=r"orders\.csv, line \d|workers\.csv, line \d"):
        read_day(folder)


def test_a_missing_column_file_or_folder_is_told_and_nothing_is_written(tmp_path, monkeypatch):
    from jiying.config.cli import main

    folder = day_of(tmp_path / "day", [one_order()], [one_worker()])
    write(folder, "orders", [one_order()], [name for name in one_order() if name != "skill"])
    out = tmp_path / "plan.csv"
    monkeypatch.setenv("JIYING_HOME", str(tmp_path / "home"))
    done = CliRunner().invoke(main, ["dispatch", "day", str(folder), "--out", str(out)])
    assert (done.exit_code, "skill" in done.stderr) == (2, True)
    (folder / "orders.csv").unlink()
    done = CliRunner().invoke(main, ["dispatch", "day", str(folder), "--out", str(out)])
    assert (done.exit_code, "orders.csv" in done.stderr) == (2, True)
    assert CliRunner().invoke(main, ["dispatch", "day", str(tmp_path / "no"), "--out", str(out)]).exit_code == 2
    assert not out.exists()


TOLD = (
    "nobody has the skill", "not known where", "on duty any more", "nothing is not sent: no skill",
    "never is not sent: no shift", "turned: the shift 960-450 ends before", "nowhere is not sent: no place",
)  # fmt: skip


@pytest.mark.parametrize("policy", POLICY_NAMES)
def test_what_nobody_can_serve_is_told_at_once_with_why_and_the_rest_goes_on(policy, tmp_path):
    orders = [
        one_order(), one_order(order="twin"), one_order(order="gas", skill="gas"), one_order(order="no place", x_km=""),
        one_order(order="nan", y_km="nan"), one_order(order="night", reported_min="1400"),
        one_order(order="far", x_km="90000", emergency="0"),
    ]  # fmt: skip
    workers = [
        one_worker(), one_worker(worker="nothing", skills=""), one_worker(worker="never", shifts=""),
        one_worker(worker="turned", shifts="960-450"), one_worker(worker="nowhere", x_km=""),
        one_worker(worker="both", shifts="450-700;600-800", skills="locks|locks"),
    ]  # fmt: skip
    folder = day_of(tmp_path / "day", orders, workers)
    done = CliRunner().invoke(dispatch, ["day", str(folder), "--policy", policy, "--out", str(tmp_path / "plan.csv")])
    assert done.exit_code == 0, done.output
    for words in TOLD:
        assert words in done.stderr
    lines = (tmp_path / "plan.csv").read_text("utf-8").splitlines(keepends=True)[1:]
    trips = [trip for trip in read(lines) if trip["order"]]
    assert {trip["order"] for trip in trips} >= {"a", "twin"}
    assert {trip["worker"] for trip in trips} <= {"w", "both"}
    assert not {trip["order"] for trip in trips} & {"gas", "no place", "nan", "night"}


@pytest.mark.parametrize("policy", POLICY_NAMES)
def test_a_day_without_workers_or_without_orders_is_a_plan_without_trips(policy, tmp_path):
    assert plan(read_day(day_of(tmp_path / "a", [one_order()], [])), policy) == []
    assert plan(read_day(day_of(tmp_path / "b", [], [one_worker()])), policy) == []
    assert plan(read_day(day_of(tmp_path / "c", [], [])), policy) == []


@pytest.mark.parametrize("policy", POLICY_NAMES)
def test_a_shift_that_began_before_midnight_counts_from_midnight(policy, tmp_path):
    folder = day_of(tmp_path / "day", [one_order(reported_min="5")], [one_worker(shifts="-60-480")])
    served = [(trip["worker"], trip["order"]) for trip in read(plan(read_day(folder), policy)) if trip["order"]]
    assert served == [("w", "a")]


@pytest.mark.parametrize("policy", ["team", "town", "nearest"])
@pytest.mark.parametrize("minute", [457.3, 720.0, 811.0333])
def test_the_compiled_piece_stops_where_the_steps_stop(folder, policy, minute):
    day = read_day(folder)
    found = [play(day, policy, minute, timed=timed) for timed in (True, False)]
    lines = [rows_of(day, played.feed_rows, played.trips, None) for played in found]
    assert lines[0] == lines[1]
    assert len(lines[0]) > 20


@pytest.mark.parametrize("timed", [True, False])
def test_a_hundred_thousand_orders_at_once_are_no_trouble_for_the_nearest_either(timed, tmp_path):
    orders = [one_order(order=str(n), x_km=n % 97 / 10, emergency=str(n % 2)) for n in range(100_000)]
    folder = day_of(tmp_path / "day", orders, [one_worker(shifts="450-620")])
    assert 2 <= len(play(read_day(folder), "nearest", timed=timed).trips) <= 10


@pytest.mark.parametrize("emergency", ["0", "1"])
def test_a_hundred_thousand_orders_at_once_are_no_trouble(emergency, tmp_path):
    orders = [one_order(order=str(n), x_km=n % 97 / 10, emergency=emergency) for n in range(100_000)]
    played = play(read_day(day_of(tmp_path / "day", orders, [one_worker(shifts="450-620")])), "auto")
    assert not played.run.failed
    assert 2 <= 100_000 - played.figures["unserved"] <= 10
