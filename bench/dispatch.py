"""How good each policy of who goes is, and how fast: on the shared days, or on days of our own of several seeds.

    python bench/dispatch.py [--days DIR] [--only normal-0 …] [--policies auto batch …] [--quick]
    python bench/dispatch.py --seeds 11 12 13 [--kinds normal burst recall lean] [--policies …]

For each day and policy, as the referee counts: emergencies on site within 30 minutes (and the 90th percentile of the
wait), ordinary orders within 240, the worst town; kilometres, moves and overtime a worker; what a decision takes, the
processor's time of the day, and the most memory, each in a process of its own.  `auto-` is `auto` without moves.
Below stand what no plan can do better than (`bounds.py`) and what somebody would reach who knew every order
beforehand (`hindsight.py`), both some minutes a day; `--quick` leaves them out.  With `--seeds`: means, and the least
worst town.  At the end days per second under `nearest`, compiled, one core, by the processor's time.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import machine, most_mb, say

from jiying.dispatch.days.reading import Day, read_day
from jiying.dispatch.days.running import Played, play, ready
from jiying.dispatch.days.writing import rows_of, write_plan
from jiying.dispatch.engine.fleet.policies import POLICIES, Policy
from jiying.dispatch.tests.made import Made, make

SHARED = Path(os.environ.get("JIYING_SHARED") or Path(__file__).resolve().parent.parent.parent / "shared")
POLICY_OF = {**POLICIES, "auto-": replace(POLICIES["auto"], name="auto-").with_(moves_most=0)}
KINDS = {"normal": Made(), "burst": Made(kind="burst"), "recall": Made(kind="recall"), "lean": Made(workers=1200)}
COLUMNS = (
    "day", "policy", "emergencies ≤ 30", "p90, min", "ordinary ≤ 240", "worst town", "unserved", "km a worker",
    "moves a worker", "overtime, min a worker", "at once p50 / p99, ms", "batch p50 / p99, ms", "processor, s", "MB",
)  # fmt: skip
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


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


def one(folder: Path, policy: Policy, plan: Path) -> dict[str, Any]:
    """A day in this process: what it took and what the referee does not count."""
    day = read_day(folder)
    before = time.process_time()
    played = play(day, policy)
    spent = time.process_time() - before
    write_plan(plan, rows_of(day, played.feed_rows, played.trips, None))
    trips, people = played.trips, max(sum(map(bool, day.shifts)), 1)
    minutes = float((trips["arrive"] - trips["depart"]).sum())
    minutes -= played.run.road.access_min * int((trips["order"] >= 0).sum())
    return {
        "km": minutes / played.run.road.min_per_km / people,
        "moves": played.run.moved / people,
        "overtime": overtime(day, played),
        "decision_ms": played.figures["decision_ms"],
        "batch_ms": played.figures["batch_ms"],
        "cpu_s": spent,
        "mb": most_mb(),
        "failed": played.run.failed,
    }


def referee(days: Path) -> Any:
    """The judge that stands beside the shared days."""
    spec = importlib.util.spec_from_file_location("referee", days / "referee.py")
    if spec is None or spec.loader is None:
        sys.exit(f"no referee.py in {days}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verdict(judge: Any, folder: Path, plan: Path) -> dict[str, Any]:
    """What the referee says of a plan; leaves when it is impossible."""
    found: dict[str, Any] = judge.judge(folder, plan)
    if not found["possible"]:
        sys.exit(f"{plan}: {found['first_faults']}")
    return found | {"worst": found["worst_town"]["emergency_within_30_percent"]}


def measured(judge: Any, folder: Path, policy: str) -> dict[str, Any]:
    """A day under a policy in a fresh process, judged."""
    with tempfile.TemporaryDirectory(prefix="jiying-bench-") as held:
        plan = Path(held) / "plan.csv"
        words = [sys.executable, __file__, "--one", str(folder), "--policies", policy, "--plan", str(plan)]
        done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout) | verdict(judge, folder, plan)


def row(name: str, policy: str, found: list[dict[str, Any]]) -> str:
    """One line of the table: a day, or the means of some (but the most of latencies, memory, and of p90)."""
    mean = lambda key: float(np.mean([one[key] for one in found]))  # noqa: E731
    most = lambda of, key: max((one[of][key] or 0.0) for one in found)  # noqa: E731
    worst = " / ".join(f"{one['worst']:.1f}" for one in sorted(found, key=lambda one: one["worst"]))
    p90 = [one["emergency_p90_min"] for one in found]
    return (
        f"| {name} | {policy} | {mean('emergency_within_30_percent'):.2f} "
        f"| {'–' if None in p90 else f'{max(p90):.1f}'} | {mean('ordinary_within_240_percent'):.2f} | {worst} "
        f"| {mean('unserved'):.0f} | {mean('km'):.1f} | {mean('moves'):.2f} | {mean('overtime'):.1f} "
        f"| {most('decision_ms', 'p50'):.2f} / {most('decision_ms', 'p99'):.2f} "
        f"| {most('batch_ms', 'p50'):.2f} / {most('batch_ms', 'p99'):.2f} "
        f"| {mean('cpu_s'):.2f} | {max(one['mb'] for one in found)} |"
    )


def beyond(judge: Any, folder: Path) -> None:
    """What no plan can do better than, and what full knowledge reaches."""
    from bounds import most_in_time
    from hindsight import schedule

    day = read_day(folder)
    for name, ahead in (("nobody leaves before the call", False), ("waiting elsewhere allowed", True)):
        begun = time.process_time()
        bound = most_in_time(day, ahead)
        say(f"{folder.name}, {name}: at most {bound:.2f} % of emergencies ({time.process_time() - begun:.0f} s)")
    for name, ahead in (("nobody leaves before the call", False), ("waiting elsewhere allowed", True)):
        begun = time.process_time()
        with tempfile.TemporaryDirectory(prefix="jiying-bench-") as held:
            plan = Path(held) / "plan.csv"
            write_plan(plan, schedule(day, ahead))
            told = verdict(judge, folder, plan)
        say(
            f"{folder.name}, every order known beforehand, {name}: {told['emergency_within_30_percent']:.2f} / "
            f"{told['ordinary_within_240_percent']:.2f}, worst town {told['worst']:.1f} "
            f"({time.process_time() - begun:.0f} s)"
        )


def days_a_second(day: Day) -> float:
    """Whole days a second of the processor under `nearest`, each made ready anew."""
    ready(day, POLICIES["nearest"])[0].whole(1.0)  # compiles
    times, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < 2.0:
        ready(day, POLICIES["nearest"])[0].whole(1440.0)
        times += 1
    return times / spent


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--days", type=Path, default=SHARED / "days")
    wanted.add_argument("--only", nargs="*")
    wanted.add_argument("--policies", nargs="*", default=list(POLICY_OF), choices=list(POLICY_OF))
    wanted.add_argument("--quick", action="store_true")
    wanted.add_argument("--seeds", nargs="*", type=int)
    wanted.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    wanted.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    wanted.add_argument("--plan", type=Path, help=argparse.SUPPRESS)
    asked = wanted.parse_args()
    if asked.one:
        say(json.dumps(one(asked.one, POLICY_OF[asked.policies[0]], asked.plan)))
        return
    judge = referee(asked.days)
    say(f"{machine()}\n\n{HEAD}")
    if asked.seeds:
        with tempfile.TemporaryDirectory(prefix="jiying-bench-") as held:
            for kind in asked.kinds:
                made = [make(Path(held) / f"{kind}-{seed}", replace(KINDS[kind], seed=seed)) for seed in asked.seeds]
                for policy in asked.policies:
                    say(row(kind, policy, [measured(judge, folder, policy) for folder in made]))
        return
    folders = sorted(path for path in asked.days.iterdir() if path.is_dir() and path.name in (asked.only or path.name))
    for folder in folders:
        for policy in asked.policies:
            say(row(folder.name, policy, [measured(judge, folder, policy)]))
    say("")
    for folder in folders if "nearest" in asked.policies else []:
        say(f"{folder.name}: {days_a_second(read_day(folder)):.1f} days/s under nearest")
    for folder in [] if asked.quick else folders:
        beyond(judge, folder)


if __name__ == "__main__":
    main()
