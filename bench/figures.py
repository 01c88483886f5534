"""How fast figures are with 1,000,000 orders on SQLite, and how far the follower is behind at 50 orders a second.

    python bench/figures.py [--orders 1000000] [--days 365] [--estates 3000] [--rounds 40] [--home DIR] [--lag SECONDS]

The orders are copies: a week of the demo is lived through the one door, what each of its orders adds is counted by
`supervision.counting.contribution`, and each is told again on other days and in other estates.  Orders and the
figures' rows are written as the follower would leave them, clocks and what each order has added for the last 60 days;
the copies have no events of their own.  Pages and
the interface are asked through Django's own client, in one process.  The floor is the question that was asked before
there were rollups: the clocks of the period, grouped by the database.

The lag is measured in the same home: 50 orders a second with five events each, written by `orders.batch` in this
process while the followers' thread reads.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from common import analyse, machine, say, start

from jiying.core import garbage

A_SECOND = 50
DETAIL_DAYS = 60


class Copies:
    """Writes copies of orders that were lived, day after day, and the sums of what they add."""

    def __init__(self, seed: int = 1) -> None:
        from jiying.estates.models import Contract, Estate
        from jiying.orders.models import Clock, Order
        from jiying.supervision.actions import serving
        from jiying.supervision.reading import Place, cells_of, count_orders

        self.rng = random.Random(seed)
        self.edition = serving().pk
        orders = list(Order.objects.all())
        clocks: dict[Any, list[Any]] = {}
        for clock in Clock.objects.all():
            clocks.setdefault(clock.order_id, []).append(clock)
        rows = {order.pk: order for order in orders}
        self.models = [(rows[one.order], clocks.get(one.order, []), one.counted) for one in count_orders(orders)]
        self.ended = [model for model in self.models if not model[2].waits and _length(model[2]) < timedelta(days=7)]
        served = dict(Contract.objects.values_list("estate_id", "company_id"))
        estates = list(Estate.objects.all())
        places = [
            Place(estate.district, estate.town_id, estate.committee_id, estate.pk, served.get(estate.pk))
            for estate in estates
        ]
        self.places = [(place, cells_of(place)) for place in places]
        self.weights = [estate.households for estate in estates]
        self.sums: dict[tuple[Any, int, int], Counter[str]] = {}
        self.cells = {cell.pk: cell for _place, cells in self.places for cell in cells}

    def write(self, total: int, days: int, end: datetime) -> None:
        """`total` orders over the `days` before `end`."""
        from django.db import transaction

        from jiying.core.bulk import tell
        from jiying.supervision.actions import _keeping

        tell(_keeping(self.cells.values()))
        today, written = end.toordinal(), 0
        for age in range(days, 0, -1):
            share = total * (days - age + 1) // days - written
            with transaction.atomic():
                self._day(share, today - age, age, number=written)
                self._settle(today - age - 8)
            written += share
            sys.stderr.write(f"\r{written} orders")
        with transaction.atomic():
            self._settle(today + 4000)
        sys.stderr.write("\n")

    def _day(self, n: int, day: int, age: int, *, number: int) -> None:
        from jiying.core.bulk import upsert
        from jiying.core.ids import uuid7
        from jiying.orders.models import Clock, Order
        from jiying.supervision.models import Counted, Waiting

        chosen = self.rng.choices(self.models if age <= 2 else self.ended, k=n)
        where = self.rng.choices(self.places, self.weights, k=n)
        orders, clocks, counted, waiting = [], [], [], []
        for i, ((order, its_clocks, adds), (place, cells)) in enumerate(zip(chosen, where, strict=True)):
            pk, shift = uuid7(), timedelta(days=day - order.reported_at.toordinal())
            orders.append(_order(order, pk, place, shift, f"{day % 1_000_000:06}-{number + i:07}"))
            clocks += [_clock(clock, pk, shift) for clock in its_clocks] if age <= DETAIL_DAYS else []
            parts = {}
            for at, names in adds.parts.items():
                moved = at + shift
                parts[str((moved - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))] = dict(names)
                self._add(cells, (moved + timedelta(hours=8)).toordinal(), names)
            counted.append([uuid7(), self.edition, place.district, pk, 1, cells[-1].pk, json.dumps(parts)])
            waiting += [
                [self.edition, place.district, pk, cells[-1].pk, wait.at + shift, wait.since + shift,
                 " ".join(wait.adds), wait.grows]
                for wait in adds.waits
            ]  # fmt: skip
        upsert(Order, ORDER, orders)
        if age <= DETAIL_DAYS:
            upsert(Clock, CLOCK, clocks)
            upsert(Counted, ("id", "edition", "district", "order", "version", "cell", "parts"), counted)
        upsert(Waiting, ("edition", "district", "order", "cell", "at", "since", "adds", "grows"), waiting)

    def _add(self, cells: Any, day: int, names: Counter[str]) -> None:
        key = (cells[-1].pk, 1, day)
        counts = self.sums.get(key)
        if counts is None:
            counts = self.sums[key] = Counter()
        for name, n in names.items():
            counts[name] += n

    def _settle(self, until: int) -> None:
        """Write what no later order changes, and add the finest rows to the coarse ones."""
        from jiying.core.bulk import upsert
        from jiying.supervision.days import block_of
        from jiying.supervision.models import Rollup
        from jiying.supervision.reading import Place, cells_of

        whole = [key for key in self.sums if key[1] == 1 and key[2] < until and self.cells[key[0]].grain == "cell"]
        for cell, _span, day in whole:
            counts, fine = self.sums[cell, 1, day], self.cells[cell]
            place = Place(fine.district, fine.town_id, fine.committee_id, fine.estate_id, fine.company_id)
            for coarse in cells_of(place):
                for span in (1, 8, 64):
                    if span > 1 or coarse.grain != "cell":
                        into = self.sums.setdefault((coarse.pk, span, block_of(day, span)), Counter())
                        for name, n in counts.items():
                            into[name] += n
        ready = [key for key in self.sums if key[2] + key[1] <= until]
        rows = [
            [self.edition, self.cells[cell].district, self.cells[cell].grain, cell, span, start,
             json.dumps(self.sums[cell, span, start], separators=(",", ":"))]
            for cell, span, start in ready
        ]  # fmt: skip
        names = ("edition", "district", "grain", "cell", "span", "start", "counts")
        upsert(Rollup, names, rows, ("edition", "cell", "span", "start"), ("counts",))
        for key in ready:
            del self.sums[key]


def _length(adds: Any) -> timedelta:
    return max(adds.parts) - min(adds.parts) if adds.parts else timedelta()


ORDER = (
    "id", "district", "number", "external_id", "kind", "category", "urgency", "channel", "town", "committee", "estate",
    "company", "reported_at", "state", "state_since", "version", "acted_version", "head", "pack", "reopened", "track",
    "headline_promise", "headline_due",
)  # fmt: skip
CLOCK = (
    "district", "order", "promise", "round", "rule", "state", "from_at", "due_at", "reached_at", "limit_minutes",
    "paused_minutes", "reason", "claimed", "grade",
)  # fmt: skip


def _order(order: Any, pk: Any, place: Any, shift: timedelta, number: str) -> list[Any]:
    due = order.headline_due + shift if order.headline_due else None
    return [
        pk, place.district, number, "", order.kind, order.category, order.urgency, "phone", place.town,
        place.committee, place.estate, place.company, order.reported_at + shift, order.state,
        order.state_since + shift, order.version, order.acted_version, "", order.pack, order.reopened, pk.hex,
        order.headline_promise, due,
    ]  # fmt: skip


def _clock(clock: Any, pk: Any, shift: timedelta) -> list[Any]:
    reached = clock.reached_at + shift if clock.reached_at else None
    return [
        clock.district, pk, clock.promise, clock.round, clock.rule, clock.state, clock.from_at + shift,
        clock.due_at + shift, reached, clock.limit_minutes, clock.paused_minutes, clock.reason, clock.claimed,
        clock.grade,
    ]  # fmt: skip


def measure(rounds: int) -> None:
    """Ask each page `rounds` times; the first two do not count."""
    from django.test import Client
    from django.utils import timezone

    from jiying.estates.models import Company, Division
    from jiying.orders.models import Order
    from jiying.people.models import User

    garbage.settle()
    today = timezone.localdate()
    year = f"from={today - timedelta(days=364)}&to={today}"
    town = Division.objects.filter(level="town").order_by("code")[3].code
    company = Order.objects.exclude(company=None).values_list("company", flat=True)[0]
    uscc = Company.objects.get(pk=company).uscc
    odd = f"from={today - timedelta(days=7)}T03:00:00%2B08:00&to={today}T03:00:00%2B08:00"
    asks = [
        ("demo-district", "/district"),
        ("demo-district", "/district?days=30"),
        ("demo-district", "/district?days=90"),
        ("demo-district", f"/district?{year}"),
        ("demo-district", "/district?days=30&by=company"),
        ("demo-district", "/district?days=30&by=committee"),
        ("demo-district", "/district?days=30&by=estate"),
        ("demo-district", f"/district/town/{town}?days=30"),
        ("demo-district", f"/district/company/{uscc}?days=30"),
        ("demo-town", "/district?days=30"),
        ("demo-company", "/district?days=30"),
        ("demo-district", "/api/v1/figures"),
        ("demo-district", "/api/v1/figures?by=estate"),
        ("demo-district", f"/api/v1/figures?{odd}"),
    ]
    say(f"{'who':16}{'page':58}{'p50 ms':>8}{'p95 ms':>8}{'CPU ms':>8}{'kB':>6}")
    for who, address in asks:
        client = Client(HTTP_HOST="127.0.0.1")
        user = User.objects.get(username=who)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        few = 3 if "T03" in address else rounds
        spent, worked = _times(lambda client=client, address=address: client.get(address), few)
        p95 = statistics.quantiles(spent, n=20)[-1]
        size = len(answer.content) // 1024
        say(
            f"{who:16}{address[:57]:58}{statistics.median(spent):8.1f}{p95:8.1f}{statistics.median(worked):8.1f}{size:6}"
        )


def _times(ask: Callable[[], Any], rounds: int) -> tuple[list[float], list[float]]:
    ask()
    spent, worked = [], []
    for _round in range(rounds):
        began, cpu = time.perf_counter(), time.thread_time()
        ask()
        worked.append((time.thread_time() - cpu) * 1000)
        spent.append((time.perf_counter() - began) * 1000)
    return spent, worked


def floor(days: int) -> None:
    """The clocks of the last days, grouped by the database, as figures were read before."""
    from django.db.models import Count
    from django.utils import timezone

    from jiying.orders.models import Clock

    district = Clock.objects.values_list("district", flat=True)[0]
    rows = Clock.objects.filter(
        district=district, state__in=("met", "missed"), due_at__gte=timezone.now() - timedelta(days=days)
    )
    rows = rows.filter(promise__in=("sign", "contact", "respond_30", "complete", "follow_up")).order_by()
    began = time.perf_counter()
    n = sum(row[-1] for row in rows.values_list("order__town_id", "promise", "state").annotate(n=Count("*")))
    say(f"floor: {n} clocks of {days} days grouped by the database in {(time.perf_counter() - began) * 1000:.0f} ms")


def lag(seconds: int) -> None:
    """Write 50 orders a second and look ten times a second how old the oldest unread event is."""
    from django.db import connection
    from django.utils import timezone

    from jiying.estates.models import Worker
    from jiying.orders import followers
    from jiying.orders.models import Cursor, Event
    from jiying.supervision.actions import NAME

    while followers.advance(followers._registry[NAME]):
        pass
    followers.skip_to_end()
    stop, flushed = threading.Event(), []
    samples: list[float] = []
    reader = threading.Thread(target=followers.run_all, args=(stop,))

    def look() -> None:
        while not stop.wait(0.1):
            seq = Cursor.objects.get(follower=NAME).seq
            waiting = [at for last, at in list(flushed) if last > seq]
            samples.append(time.monotonic() - waiting[0] if waiting else 0.0)
        connection.close()

    watcher = threading.Thread(target=look)
    reader.start()
    watcher.start()
    began, events = time.monotonic(), 0
    for n in _lives(list(Worker.objects.select_related("company")), timezone.now):
        last = Event.objects.order_by("-seq").values_list("seq", flat=True)[0]
        flushed.append((last, time.monotonic()))
        events += n
        spent = time.monotonic() - began
        if spent >= seconds:
            break
        time.sleep(max(0.0, len(flushed) * 10 / A_SECOND - spent))
    wall = time.monotonic() - began
    stop.set()
    reader.join()
    watcher.join()
    p95 = statistics.quantiles(samples, n=20)[-1]
    say(
        f"follower behind: p50 {statistics.median(samples):.2f} s, p95 {p95:.2f} s, most {max(samples):.2f} s, "
        f"at {len(flushed) * 10 / wall:.0f} orders/s and {events / wall:.0f} events/s for {wall:.0f} s"
    )


def _lives(workers: list[Any], clock: Callable[[], datetime]) -> Iterator[int]:
    """Ten orders at a time, each lived to its end in one flush; yields the number of events."""
    from django.utils import timezone

    from jiying.core.ids import uuid7
    from jiying.estates.models import Contract
    from jiying.orders.actors import STRANGER, TRACKER, Actor
    from jiying.orders.batch import Batch, Command
    from jiying.orders.intake import NewOrder
    from jiying.people.scopes import Scope
    from jiying.simulation.crew import worker_actor

    rng = random.Random(3)
    hands: dict[Any, list[Any]] = {}
    for worker in workers:
        hands.setdefault(worker.company_id, []).append(worker)
    running = Contract.objects.valid_on(timezone.localdate()).select_related("company", "estate")
    served = [row for row in running if row.company_id in hands]
    with Batch() as batch:
        while True:
            before = batch.written
            for row in rng.choices(served, k=10):
                now = clock()
                new = NewOrder(category="leak", urgency="emergency", description="漏水", estate=row.estate.code)
                order = batch.accept(new, by=STRANGER, now=now)
                company = order.company
                assert company is not None, "its estate has a contract"
                reach = frozenset({company.organisation_id})
                desk = Actor(Scope(uuid7(), frozenset({"resident", "company"}), companies=reach), staff=True)
                worker = rng.choice(hands[company.pk])
                hand = worker_actor(worker)
                for verb, by, data in (
                    ("sign", desk, {}),
                    ("assign", desk, {"worker": str(worker.pk)}),
                    ("arrive", hand, {}),
                    ("done", hand, {}),
                    ("rate", TRACKER, {"satisfaction": "satisfied", "solved": True}),
                ):
                    batch.act(Command(order.id, verb, by, clock(), data))
            batch.flush()
            yield batch.written - before


def main() -> None:
    """Build, unless the home has the orders, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--estates", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--lag", type=int, default=60)
    parser.add_argument("--home", type=Path, default=None)
    asked = parser.parse_args()
    start(asked.home)
    from django.db import connection
    from django.utils import timezone

    from jiying.estates.models import Estate
    from jiying.orders.models import Order
    from jiying.simulation import demo
    from jiying.supervision.models import Rollup

    began = time.monotonic()
    if not Estate.objects.exists():
        demo.seed(demo.Size(estates=asked.estates, orders=1500, days=7), lambda _text: None)
    if Order.objects.count() < asked.orders:
        Copies().write(asked.orders - Order.objects.count(), asked.days, timezone.now())
        analyse()
        say(f"built in {time.monotonic() - began:.0f} s")
    say(f"{Order.objects.count()} orders, {Rollup.objects.count()} rows, {connection.vendor}; {machine()}")
    if asked.rounds:
        measure(asked.rounds)
        for days in (7, 30):
            floor(days)
    if asked.lag:
        lag(asked.lag)


if __name__ == "__main__":
    main()
