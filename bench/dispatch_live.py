"""How long it takes to decide who goes, live: from the database, with the prices of the fleet engine, on SQLite.

    python bench/dispatch_live.py [--workers 1500] [--open 5000] [--decisions 200] [--home DIR]

For each size a demo district in a fresh home, with so many open orders beside.  Measured in one process: the world in
memory (made, followed, looked at; the memory it took), `rank` alone on the candidates of one order (the engine), a
suggestion as a page asks for it (all tiers, from the database), and the whole way of the rule: look, decide, write the
assignment through the one door (durably).
"""

from __future__ import annotations

import argparse
import os
import random
import resource
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


def fill(many: int) -> None:
    """So many open ordinary orders, as rows alone: what the world reads; half of them somebody has."""
    from django.utils import timezone

    from jiying.core.ids import uuid7
    from jiying.estates.models import Worker
    from jiying.orders.models import Order

    like = list(Order.objects.filter(kind="repair").exclude(lon=None)[:500])
    workers = list(Worker.objects.filter(active=True).values_list("pk", flat=True)[:1000])
    rng, now = random.Random(2), timezone.now()
    for first in range(0, many, 2000):
        rows = []
        for n in range(first, min(first + 2000, many)):
            old, held = rng.choice(like), n % 2 == 1 and n < 2 * len(workers)
            state = rng.choice(("assigned", "en_route", "on_site")) if held else "submitted"
            at = now - timedelta(minutes=rng.uniform(1, 2880))
            rows.append(
                Order(
                    id=uuid7(), district=old.district, number=f"B{n}", track=f"B{n}", kind="repair",
                    category=old.category, urgency="ordinary", town_id=old.town_id, estate_id=old.estate_id,
                    company_id=old.company_id, worker_id=workers[n // 2] if held else None, lon=old.lon, lat=old.lat,
                    reported_at=at, state=state, state_since=at, pack=old.pack, head="0" * 64,
                )
            )  # fmt: skip
        Order.objects.bulk_create(rows)


def measure_world() -> None:
    """The world of the district: made, followed, looked at."""
    from django.utils import timezone

    from jiying.dispatch import outlooks, staff
    from jiying.dispatch.looking import outlook_of
    from jiying.dispatch.world import World
    from jiying.estates.queries import the_district, zone_of

    district = the_district()
    assert district is not None
    code, now = district.code, timezone.now()
    kept: list[World] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timed("the world made from the database", [lambda: kept.append(World.of(code, now))])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    world = kept[0]
    _say(f"  {len(world.in_hand)} in hand, {len(world.waiting)} wait, {len(world.seen)} seen; {grown} MB more")
    timed("followed, nothing new", [world.follow] * 20)
    people, plane = staff.read(code, now)
    outlook_of(world, people, plane, zone_of(code), now)  # loads what is compiled
    looks: list[Callable[[], Any]] = [lambda: outlook_of(world, *staff.read(code, now), zone_of(code), now)] * 10
    timed(f"looked at, {len(people)} people read", looks)
    outlook = outlook_of(world, people, plane, zone_of(code), now)
    outlooks.publish(code, outlook)
    _say(f"  the outlook: {len(outlook.packed()) // 1024} KB, {len(outlook.crowd)} on duty and free")


def measure(decisions: int, many: int) -> None:
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

    fill(many)
    measure_world()
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
    service.rank = lambda *asked, **more: kept.append((asked, more)) or real(*asked, **more)  # type: ignore
    service.advise_many(rows)
    service.rank = real
    people = statistics.mean(len(list(asked[1])) for asked, _more in kept)
    timed(f"the engine alone, {people:.0f} candidates", [lambda a=a, m=m: rank(*a, **m) for a, m in kept])
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
    parser.add_argument("--workers", type=int, nargs="+", default=[1500])
    parser.add_argument("--open", type=int, default=5000, help="So many open orders beside.")
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--home", type=Path, help="Measure in this home instead, which has a demo district.")
    asked = parser.parse_args()
    if asked.home:
        os.environ |= {"JIYING_HOME": str(asked.home), "DJANGO_SETTINGS_MODULE": "jiying.config.settings"}
        measure(asked.decisions, asked.open)
        return
    for workers in asked.workers:
        with fresh_home() as home:
            jiying("migrate", home=home)
            estates = str(max(300, workers * 3000 // 5000))
            jiying("seed", "--workers", str(workers), "--estates", estates, "--orders", "500", "--days", "3", home=home)
            again = [sys.executable, __file__, "--home", str(home), "--decisions", str(asked.decisions)]
            again += ["--open", str(asked.open)]
            subprocess.run(again, check=True)


if __name__ == "__main__":
    main()
