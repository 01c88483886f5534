"""How many decisions a second about who goes, live: from the database, with 600 and with 5,000 workers, on SQLite.

    python bench/dispatch_live.py [--workers 600 5000] [--decisions 200] [--home DIR]

For each size a demo district in a fresh home.  Measured in one process: `rank` alone on the candidates of one order
(the engine), a suggestion as a page asks for it (all tiers, from the database), and the whole way of the rule: look,
decide, write the assignment through the one door (durably).
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from common import fresh_home, jiying, machine


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def timed(name: str, jobs: list[Callable[[], Any]]) -> None:
    """Runs all; says how many a second, milliseconds on the wall, and of the processor on average."""
    took, cpu = [], time.process_time()
    for job in jobs:
        began = time.perf_counter()
        job()
        took.append((time.perf_counter() - began) * 1000)
    cpu = (time.process_time() - cpu) * 1000 / len(jobs)
    took.sort()
    p99 = took[min(len(took) - 1, int(len(took) * 0.99))]
    rate = 1000 * len(took) / sum(took)
    _say(f"  {name:48} {rate:6.0f}/s  p50 {statistics.median(took):7.2f}  p99 {p99:7.2f}  processor {cpu:6.2f} ms")


def measure(decisions: int) -> None:
    """In the home of the environment."""
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from jiying.dispatch import loop, service
    from jiying.dispatch.engine.ranking import rank
    from jiying.dispatch.follower import mark
    from jiying.dispatch.models import Policy
    from jiying.estates.models import Contract, Worker
    from jiying.orders.actors import STRANGER
    from jiying.orders.intake import NewOrder, accept_one
    from jiying.orders.models import Event, Order

    Policy.objects.update(load_cap=50)
    served = list(Contract.objects.filter(valid_to=None).values_list("estate__code", flat=True))
    rng, now = random.Random(1), timezone.now()
    categories = ("leak", "lift", "power", "drain", "door_lock")
    orders = [
        accept_one(
            NewOrder(
                category=rng.choice(categories), urgency="emergency", description="漏水", estate=rng.choice(served)
            ),
            by=STRANGER,
            now=now,
        )[0].pk
        for _ in range(decisions)
    ]
    rows = list(Order.objects.filter(pk__in=orders).select_related("estate", "town", "company"))
    _say(f"{Worker.objects.count()} workers, {len(rows)} orders; {machine()}")

    kept: list[tuple[Any, ...]] = []
    real = service.rank
    service.rank = lambda *asked: kept.append(asked) or real(*asked)  # type: ignore[assignment,func-returns-value]
    service.advise_many(rows)
    service.rank = real
    people = statistics.mean(len(list(asked[1])) for asked in kept)
    timed(f"the engine alone, {people:.0f} candidates", [lambda a=a: rank(*a) for a in kept])
    with CaptureQueriesContext(connection) as seen:
        service.advise(rows[0])
    timed(f"a suggestion from the database, {len(seen)} queries", [lambda o=o: service.advise(o) for o in rows])

    mark(list(Event.objects.filter(order_id__in=orders).select_related("order")))
    later = now + timedelta(seconds=61)
    sent: list[bool] = []
    timed("decided and written by rule", [lambda o=o: sent.append(loop.look(o, later)) for o in orders])
    _say(f"  somebody was sent to {sum(sent)} of {len(sent)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--workers", type=int, nargs="+", default=[600, 5000])
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--home", type=Path, help="Measure in this home instead, which has a demo district.")
    asked = parser.parse_args()
    if asked.home:
        os.environ |= {"JIYING_HOME": str(asked.home), "DJANGO_SETTINGS_MODULE": "jiying.config.settings"}
        measure(asked.decisions)
        return
    for workers in asked.workers:
        with fresh_home() as home:
            jiying("migrate", home=home)
            estates = str(max(300, workers * 3000 // 5000))
            jiying("seed", "--workers", str(workers), "--estates", estates, "--orders", "500", "--days", "3", home=home)
            again = [sys.executable, __file__, "--home", str(home), "--decisions", str(asked.decisions)]
            subprocess.run(again, check=True)


if __name__ == "__main__":
    main()
