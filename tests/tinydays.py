"""Days so small that the most that can be in time is found by trying everything."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from hypothesis import strategies as given_as

from jiying.dispatch.days.reading import ORDERS, WORKERS, Day, read_day
from jiying.dispatch.engine.fleet import compiled

MIN_PER_KM, ACCESS_MIN, LIMIT_MIN = 1.3 / (15 / 60), 2.0, 30.0

Called = tuple[float, float, float, str, int, float]
"""An order: minute, x and y in km, skill, whether an emergency, minutes of work."""

Hand = tuple[float, float, str, str]
"""A worker: x and y of the home in km, skills (a|b), shifts (from-to;from-to)."""


def uncompiled(bench: str) -> ModuleType:
    """A bench as plain Python: compiling takes half a minute, and a day of six orders none; an index too far raises."""
    path = Path(__file__).resolve().parent.parent / "bench" / f"{bench}.py"
    spec = importlib.util.spec_from_file_location(f"{bench}_uncompiled", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    with mock.patch.object(compiled, "compiled", lambda function: function):
        spec.loader.exec_module(module)
    return module


def tiny(folder: Path, hands: Sequence[Hand], called: Sequence[Called]) -> Day:
    """Write the day into `folder`, as the referee reads it too, and read it."""
    _write(
        folder / "workers.csv.gz",
        WORKERS,
        [(f"w{i}", x, y, has, at, "t", "a") for i, (x, y, has, at) in enumerate(hands)],
    )
    _write(folder / "orders.csv.gz", ORDERS, [(f"o{i}", *order, "t", "a") for i, order in enumerate(called)])
    return read_day(folder)


def _write(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with gzip.open(path, "wt", newline="", encoding="utf-8", compresslevel=1) as lines:
        csv.writer(lines).writerows([names, *rows])


def _km(most: float) -> Any:
    return given_as.integers(0, round(10 * most)).map(lambda tenths: tenths / 10)


def hands() -> Any:
    """Up to three workers; shifts that begin late, end early, or follow one another."""
    spans = given_as.sampled_from(["0-240", "0-60", "30-90", "50-55", "0-40;60-140", "0-50;50-100", "20-45"])
    skills = given_as.sampled_from(["a", "a", "a|b", "b"])
    return given_as.lists(given_as.tuples(_km(6), _km(2), skills, spans), min_size=1, max_size=3)


def calls(most: int = 6) -> Any:
    """Up to six orders within an hour and a quarter, emergencies rather."""
    minute = given_as.integers(0, 75).map(float)
    work = given_as.sampled_from([0.0, 3.0, 8.0, 15.0, 25.0, 40.0])
    one = given_as.tuples(
        minute, _km(6), _km(2), given_as.sampled_from(["a", "a", "b"]), given_as.sampled_from([1, 1, 1, 0]), work
    )
    return given_as.lists(one, min_size=1, max_size=most)


def most_by_trying(day: Day, ahead: bool) -> int:
    """The most emergencies that a plan has in time, by trying every order of stops of every worker."""
    best = {0: 0}  # orders taken (bits): the most of them in time
    for worker in range(len(day.workers)):
        own = _of_one(day, worker, ahead)
        joined: dict[int, int] = {}
        for taken, many in best.items():
            for more, gained in own.items():
                if not taken & more:
                    joined[taken | more] = max(joined.get(taken | more, 0), many + gained)
        best = joined
    return max(best.values())


def _of_one(day: Day, worker: int, ahead: bool) -> dict[int, int]:
    """By the orders that one worker takes (bits), the most of them that are emergencies in time."""
    shifts, home = day.shifts[worker], tuple(day.worker_places[worker])
    found: dict[int, int] = {}

    def go(shift: int, place: tuple[float, ...], free: float, taken: int, in_time: int) -> None:
        found[taken] = max(found.get(taken, 0), in_time)
        for row in range(len(day.orders)):
            if (
                taken >> row & 1
                or day.order_skill[row] < 0
                or not day.worker_skills[worker] >> day.order_skill[row] & 1
            ):
                continue
            goal, call = tuple(day.order_places[row]), float(day.reported[row])
            for later in range(shift, len(shifts)):
                begin, end = shifts[later]
                start, at = (place, free) if later == shift else (home, max(free, begin))
                if max(at, call) >= end:
                    continue
                ride = MIN_PER_KM * math.dist(start, goal)
                arrive = (max(at + ride, call) if ahead else max(at, call) + ride) + ACCESS_MIN
                counts = day.emergency[row] == 1 and arrive <= call + LIMIT_MIN + 1e-9
                # What is late, or can wait, is of use only as a place to stand at.
                if counts or not ahead:
                    go(later, goal, arrive + float(day.service[row]), taken | 1 << row, in_time + counts)

    if shifts:
        go(0, home, shifts[0][0], 0, 0)
    return found or {0: 0}
