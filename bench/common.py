"""What the benches of bulk work share: a command in a fresh home, and the floor beneath it.

Nothing to run here by itself.
"""

from __future__ import annotations

import json
import logging
import os
import re
import resource
import socket
import sqlite3
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
from typing import Any

EVENTS_A_FLUSH = 1000
"""About as many events as bulk work writes in one transaction."""

UNRELATED = {"JIYING_DATABASE_URL", "JIYING_HOST", "JIYING_PORT", "JIYING_DEMO"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command printed as JSON, and what it took: seconds on the wall and of the processor, megabytes."""

    said: dict[str, Any]
    wall_s: float
    cpu_s: float
    peak_mb: int


@contextmanager
def fresh_home() -> Iterator[Path]:
    """An empty folder to be a home, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="jiying-bench-") as folder:
        yield Path(folder)


def jiying(*words: str, home: Path, **env: str) -> Cost:
    """Run `jiying WORDS…`; leaves with its complaint when it fails (1 is none: rows were rejected)."""
    clean = {name: value for name, value in os.environ.items() if name not in UNRELATED}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", "from jiying.config.cli import main; main()", *words],
        env=clean | {"JIYING_HOME": str(home)} | env,
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return Cost(said, wall, cpu, after.ru_maxrss // 1024)


def start(home: Path | None = None) -> Path:
    """Start the application in this process, in `home` or a folder of its own, with its tables; returns the home."""
    import django
    from django.core.management import call_command

    home = home or Path(tempfile.mkdtemp(prefix="jiying-bench-"))
    os.environ["JIYING_HOME"] = str(home)
    os.environ["JIYING_DEMO"] = "1"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiying.config.settings")
    django.setup()
    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)
    return home


def analyse() -> None:
    """Let the database count what it holds, as it does by itself in time."""
    from django.db import connection

    from jiying.core import dbstats

    dbstats.refresh()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def most_mb() -> int:
    """The most memory that this program alone has held; what getrusage says remembers who started it."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024  # type: ignore[index]


def say(line: str) -> None:
    """Print a line of the answer at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_up(port: int) -> None:
    """Wait until it answers."""
    for _try in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)


def floor(events: int, folder: Path) -> float:
    """Seconds to insert as many rows of an event's size, durably, in transactions as large as bulk work's."""
    connection = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, said TEXT, prev TEXT, hash TEXT)")
    rows = [(uuid.uuid4().hex, "x" * 420, "0" * 64, "1" * 64) for _ in range(events)]
    began = time.monotonic()
    for start in range(0, events, EVENTS_A_FLUSH):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO event (id, said, prev, hash) VALUES (?, ?, ?, ?)", rows[start : start + EVENTS_A_FLUSH]
        )
        connection.execute("COMMIT")
    seconds = time.monotonic() - began
    connection.close()
    return seconds


def machine() -> str:
    """The number of cores, and how busy they are: figures of a busy machine say little."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
