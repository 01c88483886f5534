"""How long it takes to move 100,000 open orders under another rule pack, and what intake feels of it.

    python bench/repack.py [--orders 100000] [--seconds 20] [--rate 10] [--database URL]

Builds the orders in a fresh home through the bulk twin of the one door, serves it with a real `jiying serve`, and sends
`POST /api/v1/orders` at a steady rate (10 a second is forty times the mean of a district's day): first alone, then
while `jiying rules move` runs as a process of its own.  A report's time counts from when it was to be sent.  Server,
mover and this client share the machine's cores.  Beside it the floor: as many rows of an event's size inserted durably
into SQLite by themselves.  With `--database` a PostgreSQL server, on which a database is made and dropped.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import uvloop
from common import Cost, analyse, floor, free_port, fresh_home, jiying, machine, say, start, until_up
from intake import WARM_UP_S, Connection, reports
from watcher import build, database

CHANGES = (
    ("name: example", "name: district"),
    ('version: "2026.2"', 'version: "1"'),
    ("official: false", "official: true"),
    ("amount: 3, unit: calendar_days", "amount: 4, unit: calendar_days"),
    ("amount: 30, unit: working_minutes}\n    pausable: false\n    rounds: false\n    warn_before_min: 10",
     "amount: 60, unit: working_minutes}\n    pausable: false\n    rounds: false\n    warn_before_min: 10"),
)  # fmt: skip
"""What the new pack says otherwise: ordinary repairs are contacted and completed later, which makes new clocks."""
CATCH_UP_S = 1800.0
CONNECTIONS = 32


def pack(folder: Path) -> Path:
    """The example with `CHANGES`, as a file."""
    from jiying.rules import packs

    text = (packs.SHIPPED / "example.yaml").read_text("utf-8")
    for old, new in CHANGES:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "district.yaml"
    path.write_text(text, "utf-8")
    return path


@contextmanager
def served(home: Path) -> Iterator[int]:
    """The home served on a free port; ends with the block."""
    port = free_port()
    env = os.environ | {"JIYING_HOME": str(home), "JIYING_PORT": str(port), "JIYING_PUBLIC_RATE": "off"}
    server = subprocess.Popen([sys.executable, "-m", "jiying", "serve"], env=env, stderr=subprocess.DEVNULL)
    try:
        until_up(port)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def caught_up(port: int) -> None:
    """Wait until the followers have read what was built."""
    until = time.monotonic() + CATCH_UP_S
    while time.monotonic() < until:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            if not any(json.load(answer)["followers"].values()):
                return
        time.sleep(1)
    sys.exit("the followers do not catch up: the machine is too busy for this")


class Paced(Connection):
    """A connection that sends one report every `every` seconds, or as soon as the last one is answered."""

    def __init__(self, request: Callable[[], bytes], first: float, every: float) -> None:
        super().__init__(request, b"201", float("inf"))
        self.slot, self.every = first, every

    def _send(self) -> None:
        asyncio.get_running_loop().call_later(max(0.0, self.slot - time.perf_counter()), self._send_now)

    def _send_now(self) -> None:
        super()._send()
        # Waiting for its turn is part of how long it took.
        self._sent_at, self.slot = self.slot, self.slot + self.every


async def load(port: int, request: Callable[[], bytes], rate: float, over: threading.Event) -> list[float]:
    """Send `rate` reports a second until `over`; the sorted seconds of what came after the warm-up."""
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    made = [
        (
            await loop.create_connection(
                lambda n=n: Paced(request, begun + n / rate, CONNECTIONS / rate), "127.0.0.1", port
            )
        )[1]
        for n in range(CONNECTIONS)
    ]
    await asyncio.to_thread(over.wait)
    for each in made:
        each.until = 0.0
    await asyncio.wait([each.ended for each in made], timeout=60)
    refused = [answer for each in made for answer in each.refused]
    if refused:
        sys.exit(f"{len(refused)} refused, the first: {refused[:1]}")
    return sorted(took for each in made for at, took in each.took if at >= begun + WARM_UP_S)


def quantiles(times: list[float], seconds: float) -> tuple[str, float]:
    """In words, and the p99 in milliseconds."""

    def ms(q: float) -> float:
        return times[min(len(times) - 1, int(len(times) * q))] * 1000

    return f"{len(times) / seconds:5.0f}/s   p50 {ms(0.5):6.1f} ms   p99 {ms(0.99):6.1f} ms", ms(0.99)


def during(port: int, request: Callable[[], bytes], rate: float, work: Callable[[], None]) -> tuple[str, float]:
    """What intake feels while `work` runs."""
    over = threading.Event()

    def run() -> None:
        try:
            time.sleep(WARM_UP_S)
            work()
        finally:
            over.set()

    thread = threading.Thread(target=run)
    began = time.monotonic()
    thread.start()
    times = uvloop.run(load(port, request, rate, over))
    thread.join()
    return quantiles(times, time.monotonic() - began - WARM_UP_S)


def measure(home: Path, orders: int, seconds: float, rate: float) -> None:
    """Intake alone, then beside the move."""
    from jiying.estates.models import Estate

    request = reports(list(Estate.objects.values_list("code", flat=True)))
    words = jiying("rules", "load", str(pack(home)), "--json", home=home, **_where()).said
    with served(home) as port:
        caught_up(port)
        alone, before = during(port, request, rate, lambda: time.sleep(seconds))
        cost: list[Cost] = []

        def move() -> None:
            cost.append(jiying("rules", "move", words["pack"], "--json", home=home, **_where()))

        beside, after = during(port, request, rate, move)
    [moved] = cost
    counted = moved.said["orders"]
    assert counted == orders, f"{counted} of {orders} orders were moved"
    say(f"moved {counted} orders, clocks of {moved.said['changed']} changed: {moved.wall_s:.1f} s, "
        f"{moved.cpu_s:.1f} s of the processor, at most {moved.peak_mb} MB")  # fmt: skip
    say(f"intake before      {alone}")
    say(f"intake meanwhile   {beside}   p99 times {after / before:.2f}   ({machine()})")
    say(f"floor, as many bare rows into SQLite: {floor(orders, home):.1f} s")


def _where() -> dict[str, str]:
    url = os.environ.get("JIYING_DATABASE_URL")
    return {"JIYING_DATABASE_URL": url} if url else {}


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--orders", type=int, default=100_000)
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--rate", type=float, default=10, help="Reports a second.")
    options.add_argument("--database", default="", help="a PostgreSQL server; default: SQLite in the fresh home")
    wanted = options.parse_args()
    os.environ.pop("JIYING_DATABASE_URL", None)
    with database(wanted.database), fresh_home() as home:
        start(home)
        from django.utils import timezone

        from jiying.orders.tests.build import district

        district()
        now = timezone.now()
        reported = (now - timedelta(seconds=n % 600) for n in itertools.count())
        build(wanted.orders, "door_lock", reported)
        analyse()
        measure(home, wanted.orders, wanted.seconds, wanted.rate)


if __name__ == "__main__":
    main()
