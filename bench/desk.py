"""How fast the desk's pages are with 100,000 orders, 20,000 of them open, on SQLite.

    python bench/desk.py [--orders 100000] [--open 20000] [--rounds 40] [--home DIR]

Builds a district in a fresh home (kept with --home), asks each page through Django's own client, in one process,
and prints p50 and p95 in milliseconds,
the processor's time at the median, and the number of queries.  The rows are written past the one door, since
the door is not what is measured: their hashes are empty.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from common import analyse, say, start

from jiying.core import garbage

OPEN = ("submitted", "signed", "assigned", "assigned", "en_route", "on_site", "on_site", "paused", "returned")
ENDED = ("closed",) * 16 + ("done", "done", "verified", "cancelled", "refused")
WORDS = ("厨房水管漏水", "电梯停在三楼不动了", "楼道灯不亮", "下水道堵了", "门禁刷卡没反应", "家里跳闸推不上去")
WAY = ("report", "sign", "assign", "contact", "depart", "arrive", "done", "rate", "verify", "close")
MILESTONES = dict(
    zip(
        WAY,
        ("reported", "signed", "assigned", "contacted", "departed", "arrived", "done", "rated", "verified", "closed"),
        strict=True,
    )
)
DATA = {"rate": {"satisfaction": "satisfied", "solved": True}, "verify": {"solved": True}}


def build(orders: int, open_: int) -> None:
    """Orders of 90 days with texts, clocks and events, in bulk."""
    from django.db import transaction
    from django.utils import timezone

    from jiying.core.ids import uuid7
    from jiying.estates.models import Building, Contract, Estate, Worker
    from jiying.orders.models import Clock, Event, Order, OrderText

    rng, now = random.Random(1), timezone.now()
    estates = list(Estate.objects.select_related("town"))
    companies = dict(Contract.objects.values_list("estate_id", "company_id"))
    buildings = dict(Building.objects.values_list("estate_id", "id"))
    workers: dict[Any, list[Any]] = {}
    for worker, company in Worker.objects.values_list("pk", "company_id"):
        workers.setdefault(company, []).append(worker)
    categories = ("leak", "lift", "power", "drain", "access_control", "other")
    # What an interrupted run left is kept: batches are whole.
    for first in range(Order.objects.count(), orders, 5000):
        batch: dict[type, list[Any]] = {Order: [], OrderText: [], Clock: [], Event: []}
        for i in range(first, min(first + 5000, orders)):
            is_open = i >= orders - open_
            age = timedelta(minutes=rng.uniform(0, 3 * 1440)) if is_open else timedelta(days=rng.uniform(3, 90))
            _one(batch, i, now - age, is_open, rng, estates, companies, buildings, workers, categories, uuid7)
        with transaction.atomic():
            for model, rows in batch.items():
                model.objects.bulk_create(rows, batch_size=1000)  # type: ignore[attr-defined]
        sys.stderr.write(f"\r{first + 5000} orders")
    sys.stderr.write("\n")


def _one(
    batch: dict[type, list[Any]],
    i: int,
    at: datetime,
    is_open: bool,
    rng: random.Random,
    estates: list[Any],
    companies: dict[Any, Any],
    buildings: dict[Any, Any],
    workers: dict[Any, list[Any]],
    categories: tuple[str, ...],
    uid: Any,
) -> None:
    from jiying.orders.models import Clock, Event, Order, OrderText

    estate = rng.choice(estates)
    company = companies.get(estate.pk)
    urgent = rng.random() < 0.3
    state = rng.choice(OPEN if is_open else ENDED)
    limit = (
        30
        if urgent and state in ("submitted", "signed", "assigned", "en_route", "returned")
        else 1440
        if urgent
        else 4320
    )
    order = Order(
        id=uid(),
        district=estate.district,
        number=f"{at:%y%m%d}-{i:06}",
        kind="complaint" if i % 17 == 0 else "repair",
        category=rng.choice(categories),
        urgency="emergency" if urgent else "ordinary",
        channel="phone",
        town_id=estate.town_id,
        committee_id=estate.committee_id,
        estate_id=estate.pk,
        building_id=buildings.get(estate.pk),
        company_id=company,
        worker_id=rng.choice(workers[company]) if company in workers and state not in ("submitted", "signed") else None,
        reported_at=at,
        state=state,
        state_since=at,
        version=5,
        acted_version=5,
        pack="example@2026.1",
        track=f"bench{i}",
        reopened=int(rng.random() < 0.04),
        headline_promise=("respond_30" if limit == 30 else "complete") if is_open else "",
        headline_due=at + timedelta(minutes=limit) if is_open else None,
    )
    batch[Order].append(order)
    batch[OrderText].append(OrderText(order=order, description=rng.choice(WORDS), unit=f"{rng.randrange(100, 2000)}室"))
    promises = [
        ("sign", 30, 4),
        ("contact", 30, 22),
        ("complete", 4320, 300),
        *([("respond_30", 30, 24)] if urgent else []),
    ]
    for promise, minutes, usual in promises:
        reached = (
            None
            if is_open and promise in ("complete", "respond_30")
            else at + timedelta(minutes=rng.expovariate(1 / usual))
        )
        due = at + timedelta(minutes=minutes)
        verdict = "running" if reached is None else "met" if reached <= due else "missed"
        batch[Clock].append(
            Clock(
                district=order.district,
                order=order,
                promise=promise,
                round=1,
                rule="bench",
                state=verdict,
                from_at=at,
                due_at=due,
                reached_at=reached,
                limit_minutes=minutes,
            )
        )
    report = {"kind": order.kind, "category": order.category, "urgency": order.urgency, "part": "common"}
    said = {**DATA, "report": report, "assign": {"worker": str(order.worker_id or "")}}
    for version, verb in enumerate(WAY[: 3 if is_open else 10], 1):
        when = at + timedelta(minutes=10 * version)
        batch[Event].append(
            Event(
                id=uid(),
                district=order.district,
                order=order,
                version=version,
                verb=verb,
                milestone=MILESTONES[verb],
                role="company",
                at=when,
                received_at=when,
                canonical=json.dumps({"data": said.get(verb, {})}),
                prev_hash="",
                hash="",
            )
        )


def measure(rounds: int) -> None:
    """Ask each page `rounds` times; the first two do not count."""
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from jiying.orders.models import Order
    from jiying.people.models import User

    garbage.settle()
    month = f"from={(timezone.now() - timedelta(days=30)):%Y-%m-%d}&to={timezone.now():%Y-%m-%d}"
    pages = [
        ("demo-company", "/desk"),
        ("demo-town", "/desk"),
        ("demo-committee", "/desk"),
        ("demo-operator", "/desk"),
        ("demo-operator", "/desk?urgency=emergency&late=1"),
        ("demo-operator", "/desk?state=ended"),
        ("demo-operator", "/desk?mine=1"),
        ("demo-operator", "/desk?q=电梯"),
        ("demo-operator", "/desk?q=26"),
        ("demo-company", "ORDER"),
        ("demo-operator", "ORDER"),
        ("demo-operator", "/centre"),
        ("demo-operator", "/centre/intake"),
        ("demo-district", "/district"),
        ("demo-district", f"/district?{month}"),
        ("demo-town", "/district"),
    ]
    say(f"{'who':16}{'page':44}{'p50 ms':>8}{'p95 ms':>8}{'CPU ms':>8}{'queries':>9}{'kB':>6}")
    for who, address in pages:
        user = User.objects.get(username=who)
        client = Client(HTTP_HOST="127.0.0.1")
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        path = (
            f"/desk/orders/{Order.objects.visible_to(user).filter(state='signed')[0].pk}"
            if address == "ORDER"
            else address
        )
        asked: list[str] = []

        def note(execute: Any, sql: str, *rest: Any, asked: list[str] = asked) -> Any:
            asked.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        client.get(path)
        spent, worked = [], []
        for _round in range(rounds):
            began, cpu = time.perf_counter(), time.thread_time()
            client.get(path)
            worked.append((time.thread_time() - cpu) * 1000)
            spent.append((time.perf_counter() - began) * 1000)
        p95 = statistics.quantiles(spent, n=20)[-1]
        size = len(answer.content) // 1024
        say(
            f"{who:16}{address[:43]:44}{statistics.median(spent):8.1f}{p95:8.1f}{statistics.median(worked):8.1f}{len(asked):9}{size:6}"
        )


def main() -> None:
    """Build, unless the home has orders, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--open", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--home", type=Path, default=None)
    asked = parser.parse_args()
    start(asked.home)
    from django.db import connection

    from jiying.estates.models import Estate
    from jiying.orders.models import Order
    from jiying.simulation import demo

    if not Estate.objects.exists():
        demo.seed(demo.Size(orders=0, days=1), lambda _text: None)
    if Order.objects.count() < asked.orders:
        build(asked.orders, asked.open)
        analyse()
    waiting = Order.objects.filter(headline_due__isnull=False).count()
    say(f"{Order.objects.count()} orders, {waiting} open, {connection.vendor}")
    measure(asked.rounds)


if __name__ == "__main__":
    main()
