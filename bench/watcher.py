"""How long after it fell due a step is on the disk, with 100,000 running clocks and 10,000 steps due in one minute.

    python bench/watcher.py [--orders 100000] [--due 10000] [--idle 20] [--database URL]

Builds the orders in a fresh home through the bulk twin of the one door, then lets one watcher run, as `jiying work`
does: first while nothing falls due (what it costs to look, as a share of one core), then through the minute.  Printed
are the seconds from due to committed.  With `--database` a PostgreSQL server, on which a database is made and dropped.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from common import analyse, fresh_home, machine, say, start

FIRST_RUNG = timedelta(minutes=3)
"""After so long the example's ladder for `respond_30` has its first step."""
LEAD = timedelta(seconds=5)
WINDOW_S = 60.0
PATIENCE_S = 300.0


def build(count: int, category: str, reported: Iterator[datetime]) -> None:
    """So many orders, reported when `reported` says."""
    from jiying.estates.models import Estate
    from jiying.orders.actors import STRANGER
    from jiying.orders.batch import Batch
    from jiying.orders.intake import NewOrder

    estates = list(Estate.objects.values_list("code", flat=True))
    with Batch() as batch:
        for number in range(count):
            at, estate = next(reported), estates[number % len(estates)]
            new = NewOrder(category=category, description="bench", estate=estate, reported_at=at)
            batch.accept(new, by=STRANGER, now=at)
            if number % 1000 == 999:
                batch.flush()
                batch._held.clear()
                batch._due.clear()
                sys.stderr.write(f"\r{number + 1} {category} ")
    sys.stderr.write("\n")


class Noted:
    """What the watcher wrote: for each step, the seconds from due to committed."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.commits = 0

    def listen(self) -> None:
        """Note whatever is written from now on."""
        from django.db import transaction

        from jiying.orders import store

        real = store.write_log

        def noted(changes: Any) -> None:
            together = list(changes)
            due = [datetime.fromisoformat(m.data["due_at"]).timestamp() for c in together for m in c.moments]
            real(together)
            transaction.on_commit(lambda: self._took(due))

        store.write_log = noted

    def _took(self, due: list[float]) -> None:
        now = time.time()
        self.late += [now - at for at in due]
        self.commits += 1


@contextmanager
def watching(noted: Noted) -> Iterator[list[float]]:
    """One watcher on a thread of its own; yields a list that holds its processor's seconds when it has ended."""
    from jiying.orders import watcher

    stop, used = threading.Event(), []

    def run() -> None:
        watcher.run(stop)
        used.append(time.thread_time())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield used
    finally:
        stop.set()
        thread.join()


def idle(seconds: float) -> None:
    """What looking costs while nothing falls due."""
    with watching(Noted()) as used:
        time.sleep(seconds)
    say(f"idle, the thread's share of one core      {100 * used[0] / seconds:6.2f} %")


def minute(due: int) -> None:
    """`due` steps fall due within a minute."""
    from django.utils import timezone

    began = time.monotonic()
    build(100, "leak", iter([timezone.now()] * 100))
    each = (time.monotonic() - began) / 100
    opening = timezone.now() + timedelta(seconds=each * due * 1.3) + LEAD
    step = timedelta(seconds=WINDOW_S / due)
    build(due, "leak", (opening - FIRST_RUNG + step * number for number in range(due)))
    left = (opening - timezone.now()).total_seconds()
    if left < 0:
        sys.exit(f"building took {-left:.0f} s too long: the machine is too busy for this")
    noted = Noted()
    noted.listen()
    time.sleep(left)
    with watching(noted) as used:
        until = time.monotonic() + PATIENCE_S
        while len(noted.late) < due and time.monotonic() < until:
            time.sleep(0.2)
    late = sorted(noted.late)
    say(f"{len(late)} steps in {noted.commits} transactions, {used[0]:.1f} s of the processor")
    quantiles = "   ".join(f"p{q:g} {late[min(len(late) - 1, int(len(late) * q / 100))]:6.2f} s" for q in (50, 99))
    say(f"from due to recorded   {quantiles}   at worst {late[-1]:6.2f} s   ({machine()})")


@contextmanager
def database(url: str) -> Iterator[None]:
    """A fresh database on the server at `url`, or SQLite."""
    if not url:
        yield
        return
    import psycopg

    name = f"jiying_bench_{secrets.token_hex(4)}"
    server = psycopg.connect(url, autocommit=True)
    server.execute(f"CREATE DATABASE {name}")
    os.environ["JIYING_DATABASE_URL"] = f"{url.rpartition('/')[0]}/{name}"
    try:
        yield
    finally:
        from django.db import connections

        connections.close_all()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--orders", type=int, default=100_000)
    options.add_argument("--due", type=int, default=10_000)
    options.add_argument("--idle", type=float, default=20)
    options.add_argument("--database", default="", help="a PostgreSQL server; default: SQLite in the fresh home")
    wanted = options.parse_args()
    os.environ.pop("JIYING_DATABASE_URL", None)
    with database(wanted.database), fresh_home() as home:
        start(home)
        from django.utils import timezone

        from jiying.orders.tests.build import district

        district()
        now = timezone.now()
        build(wanted.orders - wanted.due, "door_lock", iter(lambda: now, None))
        analyse()
        idle(wanted.idle)
        minute(wanted.due)


if __name__ == "__main__":
    main()
