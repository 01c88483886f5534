"""How long seeding the demo takes.

    python bench/seed.py [--estates 300] [--workers 600] [--days 30] [--orders 3000]

Beside it the floor: bare inserts of as many events into SQLite with synchronous=FULL.
"""

from __future__ import annotations

import argparse
import sys

from common import floor, fresh_home, jiying, machine

SIZES = {"estates": 300, "workers": 600, "days": 30, "orders": 3000}


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    words = [word for name in SIZES for word in (f"--{name}", str(getattr(args, name)))]
    with fresh_home() as home:
        jiying("migrate", home=home)
        cost = jiying("seed", *words, "--json", home=home)
        events = cost.said["events"]
        bare = floor(events, home)
    sys.stdout.write(
        f"seed: {cost.said['orders']} orders, {events} events in {cost.said['seconds']} s"
        f"  (whole command {cost.wall_s:.1f} s, {cost.cpu_s:.1f} s of processor, {cost.peak_mb} MB)\n"
        f"floor: {bare:.2f} s for {events} bare inserts\n"
        f"machine: {machine()}\n"
    )


if __name__ == "__main__":
    main()
