"""How many durable events a second a replay at full speed writes.

    python bench/replay.py [FILE [MAP]] [--only COLUMN=VALUE]

FILE is a day of requests (default: the apartment repairs of New York's, beside the project); beside it the floor:
bare inserts of as many rows into SQLite with synchronous=FULL.  The replay verifies every chain afterwards, which
counts towards the seconds and not towards events a second.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from common import floor, fresh_home, jiying, machine

SHARED = Path(os.environ.get("JIYING_SHARED") or Path(__file__).resolve().parents[2] / "shared")
DAY = SHARED / "data" / "nyc311-2023-02-28-before-1730.csv"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="?", type=Path, default=DAY)
    parser.add_argument("map", nargs="?", default="nyc311")
    parser.add_argument("--only", default="Agency=HPD")
    args = parser.parse_args()
    if not args.file.exists():
        sys.stdout.write(f"skipped: {args.file} is not there; name a FILE and its MAP\n")
        return
    only = ("--only", args.only) if args.only else ()
    with fresh_home() as home:
        cost = jiying(
            "replay",
            str(args.file),
            "--map",
            args.map,
            *only,
            "--keep",
            str(home / "run"),
            "--json",
            home=home / "none",
        )
        events, rate = cost.said["events"], cost.said["events_per_s"]
        bare = events / floor(events, home)
    sys.stdout.write(
        f"replay: {cost.said['orders']} orders, {events} events, {rate:,.0f} events/s"
        f"  (whole command {cost.wall_s:.1f} s, {cost.cpu_s:.1f} s of processor, {cost.peak_mb} MB)\n"
        f"floor:  {bare:,.0f} bare inserts/s, {bare / rate:.0f} times as many\n"
        f"machine: {machine()}\n"
    )


if __name__ == "__main__":
    main()
