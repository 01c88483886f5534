"""How good each policy of who goes is on the shared days, and how fast.

    python bench/dispatch.py [--days DIR] [--policies auto batch …] [--only normal-0 …] [--without-moves]

For each day and policy: the share of emergencies on site within 30 minutes (and the 90th percentile of the wait), of
ordinary orders within 240, the worst town, kilometres travelled, overtime, moves, and what a decision takes.
Days per second: `nearest`, compiled, one core.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

from jiying.dispatch.days.reading import Day, read_day
from jiying.dispatch.days.running import Played, play, ready
from jiying.dispatch.engine.fleet.policies import POLICIES, Policy

SHARED = Path(os.environ.get("JIYING_SHARED") or Path(__file__).resolve().parent.parent.parent / "shared")
HEAD = (
    "| day | policy | emergencies ≤ 30 | p90 | ordinary ≤ 240 | worst town | unserved | km a worker | moves a worker "
    "| overtime, min a worker | at once p50 / p99, ms | batch p50 / p99, ms | wall, s |\n" + "|---" * 13 + "|\n"
)


def say(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def overtime(day: Day, played: Played) -> float:
    """Minutes that work ends after the shift in which the worker set off, a worker who has shifts."""
    trips = played.trips
    served = trips["order"] >= 0
    ends = trips["arrive"] + np.where(served, day.service[played.feed_rows[trips["order"]]], 0.0)
    total = 0.0
    for worker, depart, end in zip(trips["worker"].tolist(), trips["depart"].tolist(), ends.tolist(), strict=True):
        last = max((to for begin, to in day.shifts[worker] if begin <= depart), default=end)
        total += max(end - last, 0.0)
    return total / max(sum(map(bool, day.shifts)), 1)


def row(name: str, day: Day, policy: Policy, label: str) -> str:
    """One line of the table."""
    played = play(day, policy)
    told, trips = played.figures, played.trips
    served = trips["order"] >= 0
    wait = np.full(len(day.orders), np.inf)
    wait[played.feed_rows[trips["order"][served]]] = trips["arrive"][served]
    wait -= day.reported
    urgent = np.sort(wait[day.emergency == 1])
    people = max(sum(map(bool, day.shifts)), 1)
    minutes = float((trips["arrive"] - trips["depart"]).sum()) - played.run.road.access_min * int(served.sum())
    moves = played.run.moved / people
    worst = told["worst_town"]["emergency_within_30_percent"]
    at_once, batch = told["decision_ms"], told["batch_ms"]
    return (
        f"| {name} | {label} | {told['emergency_within_30_percent']:.2f} | {urgent[int(0.9 * (len(urgent) - 1))]:.1f} "
        f"| {told['ordinary_within_240_percent']:.2f} | {worst:.1f} | {told['unserved']} "
        f"| {minutes / played.run.road.min_per_km / people:.1f} | {moves:.2f} | {overtime(day, played):.1f} "
        f"| {at_once['p50']:.2f} / {at_once['p99']:.2f} | {batch['p50']:.2f} / {batch['p99']:.2f} "
        f"| {told['wall_s']:.2f} |\n"
    )


def days_a_second(day: Day) -> float:
    """Whole days a second under `nearest`."""
    ready(day, POLICIES["nearest"])[0].whole(1.0)  # compiles
    times, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < 2.0:
        run, _rows = ready(day, POLICIES["nearest"])
        run.whole(1440.0)
        times += 1
    return times / spent


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--days", type=Path, default=SHARED / "days")
    wanted.add_argument("--policies", nargs="*", default=list(POLICIES))
    wanted.add_argument("--only", nargs="*")
    wanted.add_argument("--without-moves", action="store_true")
    asked = wanted.parse_args()
    folders = sorted(path for path in asked.days.iterdir() if path.is_dir() and path.name in (asked.only or path.name))
    say(HEAD)
    for folder in folders:
        day = read_day(folder)
        for name in asked.policies:
            say(row(folder.name, day, POLICIES[name], name))
            if name == "auto" and asked.without_moves:
                say(row(folder.name, day, POLICIES[name].with_(moves_most=0), "auto, no moves"))
    for folder in folders if "nearest" in asked.policies else []:
        say(f"{folder.name}: {days_a_second(read_day(folder)):.1f} days/s under nearest\n")


if __name__ == "__main__":
    main()
