"""How many orders a second `POST /api/v1/orders` takes, over 32 connections that stay open.

    python bench/intake.py [--seconds 15] [--connections 32]

A real `jiying serve` on a fresh home (SQLite, synchronous=FULL) and this client share the machine's cores.  Beside it
two floors: the same client on `/healthz`, which touches neither threads nor database, and bare inserts into
SQLite, one durable transaction each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import uvloop
from common import free_port, until_up

WARM_UP_S = 2.0
CATEGORIES = ("leak", "power", "lift", "door_lock")


class Connection(asyncio.Protocol):
    """One connection: sends a request when the last answer is whole, and notes how long each took."""

    def __init__(self, request: Callable[[], bytes], wanted: bytes, until: float) -> None:
        self.request, self.wanted, self.until = request, wanted, until
        self.took: list[tuple[float, float]] = []
        self.refused: list[bytes] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        if self._sent_at >= self.until:
            self.transport.close()
            return
        self._received = b""
        self.transport.write(self.request())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        now = time.perf_counter()
        if self._received[9:12] == self.wanted:
            self.took.append((now, now - self._sent_at))
        else:
            self.refused.append(self._received[:300])
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


async def load(port: int, request: Callable[[], bytes], wanted: bytes, seconds: float, connections: int) -> str:
    """Keep `connections` busy for `seconds`; the rate and the quantiles of what came after the warm-up."""
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    until = start + WARM_UP_S + seconds
    made = [
        (await loop.create_connection(lambda: Connection(request, wanted, until), "127.0.0.1", port))[1]
        for _n in range(connections)
    ]
    await asyncio.wait([each.ended for each in made], timeout=seconds + 30)
    times = sorted(took for each in made for at, took in each.took if at >= start + WARM_UP_S)
    refused = [answer for each in made for answer in each.refused]
    if refused or not times:
        raise SystemExit(f"{len(refused)} refused, the first: {refused[:1]}")

    def ms(q: float) -> float:
        return times[min(len(times) - 1, int(len(times) * q))] * 1000

    rate = f"{len(times) / seconds:7.0f}/s   p50 {ms(0.5):6.1f} ms   p99 {ms(0.99):6.1f} ms"
    return f"{rate}   ({len(times)} in {seconds:g} s)"


def reports(estates: list[str]) -> Callable[[], bytes]:
    """Requests that report something, each with its own key, at one estate after another."""
    numbers = iter(range(10**9))

    def request() -> bytes:
        n = next(numbers)
        body = json.dumps(
            {
                "kind": "repair",
                "category": CATEGORIES[n % len(CATEGORIES)],
                "estate": estates[n % len(estates)],
                "unit": f"{n % 30}01",
                "description": f"厨房水管漏水，第 {n} 次",
                "reporter": {"name": "王小明", "phone": f"138{n % 10**8:08}"},
            }
        ).encode()
        head = (
            "POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {uuid.uuid4()}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    return request


def bare_inserts(folder: Path, seconds: float) -> str:
    """One row a transaction into SQLite, durable each time, from one connection."""
    database = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (id BLOB PRIMARY KEY, text)"
    )
    count, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        database.execute("INSERT INTO t VALUES (?, ?)", (uuid.uuid4().bytes, "x" * 1000))
        count += 1
    return f"{count / seconds:7.0f}/s"


@contextmanager
def served(home: Path) -> Iterator[int]:
    """A fresh district served on a free port; ends with the block."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("JIYING_", "DJANGO_"))}
    env |= {"JIYING_HOME": str(home), "JIYING_PORT": str(port), "JIYING_PUBLIC_RATE": "off"}
    command = [sys.executable, "-m", "jiying"]
    subprocess.run([*command, "migrate"], env=env, check=True)
    small = "seed --estates 36 --workers 60 --days 1 --orders 0".split()  # noqa: SIM905
    subprocess.run([*command, *small], env=env, check=True, capture_output=True)
    server = subprocess.Popen([*command, "serve"], env=env)
    try:
        until_up(port)
        yield port
        click.echo(f"memory of the process  {_memory_mb(server.pid):4.0f} MB after it")
    finally:
        server.terminate()
        server.wait(20)


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=15)
    options.add_argument("--connections", type=int, default=32)
    wanted = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="jiying-bench-") as folder, served(Path(folder)) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/estates?limit=200") as answer:
            estates = [row["code"] for row in json.load(answer)["items"]]
        runs = {
            "POST /api/v1/orders": (reports(estates), b"201", wanted.seconds),
            "GET /healthz (floor)": (lambda: b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"200", 5.0),
        }
        for name, (request, status, seconds) in runs.items():
            click.echo(f"{name:22} {uvloop.run(load(port, request, status, seconds, wanted.connections))}")
        click.echo(f"{'SQLite FULL (floor)':22} {bare_inserts(Path(folder), 5.0)}")


if __name__ == "__main__":
    main()
