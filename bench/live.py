"""How long until the last of N open pages hears of an order, and how much memory a page costs.

    python bench/live.py [--clients 1000] [--events 20] [--database URL] [--apart] [--redis URL]

A real `jiying serve` on a fresh home, or with `--apart` its parts in processes of their own; the pages are connections
of this one program, on the same cores.  Each event is a report by `POST /api/v1/orders`.  Printed are the times from
the answer to that POST (the order is then on disk) to the median and the last page, and the growth of the server's
memory by one page.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import click
import uvloop
from common import free_port, until_up

EACH = 50
"""Pages with one token; the server allows 64."""
PATIENCE_S = 60.0


class Page(asyncio.Protocol):
    """An open page: notes when the frame of an order came whole."""

    def __init__(self, token: str, bench: Bench) -> None:
        self.token, self.bench = token, bench
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        head = f"GET /live/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        cast(asyncio.WriteTransport, transport).write(head.encode())

    def data_received(self, data: bytes) -> None:
        self._rest += data
        *whole, self._rest = self._rest.split(b"\n\n")
        for frame in whole:
            if b"event: ready" in frame:
                self.bench.ready += 1
            elif b"event: order" in frame and b'"verb":"report"' in frame:
                self.bench.heard.append(time.perf_counter())
            self.bench.stirred.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.bench.lost += 1
        self.bench.stirred.set()


class Bench:
    """N pages on one loop."""

    def __init__(self) -> None:
        self.ready = self.lost = 0
        self.heard: list[float] = []
        self.stirred = asyncio.Event()

    async def until(self, ready: int, heard: int) -> None:
        """Wait until so many pages are open and have heard."""
        async with asyncio.timeout(PATIENCE_S):
            while self.ready < ready or len(self.heard) < heard:
                self.stirred.clear()
                if self.lost:
                    raise SystemExit(f"{self.lost} pages were refused or dropped")
                await self.stirred.wait()


async def run(ready: Served, clients: int, events: int) -> None:
    """Open the pages, report, and print."""
    loop, bench, tokens = asyncio.get_running_loop(), Bench(), ready.tokens
    report(ready.web)
    before = memory_kb(ready.pid)
    began = time.perf_counter()
    for start in range(0, clients, 200):
        some = range(start, min(start + 200, clients))
        await asyncio.gather(
            *(loop.create_connection(lambda n=n: Page(tokens[n // EACH], bench), "127.0.0.1", ready.live) for n in some)
        )
        await bench.until(some.stop, 0)
    opening = time.perf_counter() - began
    medians, lasts = [], []
    for _event in range(events):
        bench.heard.clear()
        answered = await loop.run_in_executor(None, report, ready.web)
        await bench.until(clients, clients)
        after = sorted(max(0.0, at - answered) * 1000 for at in bench.heard)
        medians.append(statistics.median(after))
        lasts.append(after[-1])
    lasts.sort()
    click.echo(
        f"{clients} pages open         in {opening:5.1f} s, {(memory_kb(ready.pid) - before) / clients:5.1f} KB each"
    )
    click.echo(f"from 201 to the median  {statistics.median(medians):6.1f} ms")
    click.echo(
        f"from 201 to the last    {statistics.median(lasts):6.1f} ms, at worst {lasts[-1]:.1f} ms ({events} events)"
    )


def report(port: int) -> float:
    """Report one order; returns when the answer had come."""
    body = json.dumps(
        {
            "kind": "repair",
            "category": "leak",
            "description": "厨房水管漏水",
            "point": {"lon": 121.519, "lat": 31.225, "crs": "WGS-84"},
            "address": "路边",
        }
    )
    headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/orders", body.encode(), headers)
    with urllib.request.urlopen(asked) as answer:
        answer.read()
    return time.perf_counter()


@dataclass(frozen=True, slots=True)
class Served:
    """Where to report and where to listen, the process that streams, and bearer tokens of an operator."""

    web: int
    live: int
    pid: int
    tokens: list[str]


@contextmanager
def served(home: Path, wanted: argparse.Namespace) -> Iterator[Served]:
    """A small fresh district on free ports: one process, or `--apart` web, live and work."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("JIYING_", "DJANGO_"))}
    env |= {"JIYING_HOME": str(home), "JIYING_PUBLIC_RATE": "off"}
    env |= {"JIYING_DATABASE_URL": wanted.database} if wanted.database else {}
    env |= {"JIYING_REDIS_URL": wanted.redis} if wanted.redis else {}
    command = [sys.executable, "-m", "jiying"]
    subprocess.run([*command, "migrate"], env=env, check=True)
    small = "seed --estates 36 --workers 60 --days 1 --orders 0".split()  # noqa: SIM905
    subprocess.run([*command, *small], env=env, check=True, capture_output=True)
    issue = [*command, "token", "demo-operator"]
    count = -(-wanted.clients // EACH)
    tokens = [subprocess.check_output(issue, env=env, text=True).strip() for _n in range(count)]
    web = free_port()
    live = free_port() if wanted.apart else web
    parts = [["web", "--port", str(web)], ["live", "--port", str(live)], ["work"]]
    wishes = parts if wanted.apart else [["serve", "--port", str(web)]]
    running = [subprocess.Popen([*command, *words], env=env) for words in wishes]
    try:
        for port in {web, live}:
            until_up(port)
        yield Served(web, live, running[1 if wanted.apart else 0].pid, tokens)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(20)


def memory_kb(pid: int) -> float:
    """The resident memory of a process; not known away from Linux."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return float(line.split()[1])


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--clients", type=int, default=1000)
    options.add_argument("--events", type=int, default=20)
    options.add_argument("--database", default="", help="default: SQLite in the fresh home")
    options.add_argument("--apart", action="store_true", help="web, live and work as processes of their own")
    options.add_argument("--redis", default="", help="carries signals between them; default: PostgreSQL, or nothing")
    wanted = options.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, wanted.clients + 200), hard), hard))
    with tempfile.TemporaryDirectory(prefix="jiying-bench-") as folder, served(Path(folder), wanted) as ready:
        uvloop.run(run(ready, wanted.clients, wanted.events))


if __name__ == "__main__":
    main()
