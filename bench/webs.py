"""What a second `jiying web` adds to intake on PostgreSQL, and what bounds it.

    python bench/webs.py [--database URL] [--seconds 15] [--connections 32]

Reports go to one web process, then to two, from one client with as many connections.  Beside the rates stands what
each order takes of the processor, in the web processes, in the database's and in this client: where their sum times
the rate reaches the machine's cores, no further process adds anything.  On a machine with fewer cores than that the
two rates are alike, and the costs say what more cores would give.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvloop
from common import free_port, fresh_home, jiying, machine, say, until_up
from intake import load, reports
from watcher import database

SERVER = os.environ.get("JIYING_TEST_POSTGRES_URL") or "postgresql://postgres@127.0.0.1:5432/postgres"
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def web(home: Path) -> Iterator[tuple[int, int]]:
    """A web process on a free port: port and pid."""
    port = free_port()
    env = os.environ | {"JIYING_HOME": str(home), "JIYING_PORT": str(port), "JIYING_PUBLIC_RATE": "off"}
    process = subprocess.Popen([sys.executable, "-m", "jiying", "web"], env=env, stderr=subprocess.DEVNULL)
    try:
        until_up(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def cpu_s(pid: int) -> float:
    """Seconds of the processor that a process has taken; 0 for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def database_pids() -> list[int]:
    """The processes of the PostgreSQL servers on this machine."""
    found = subprocess.run(["pgrep", "-x", "postgres"], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in found.split()]


def busy(count: int, home: Path, seconds: float, connections: int) -> float:
    """Measure with `count` web processes; prints, and returns orders a second."""
    with ExitStack() as stack:
        made = [stack.enter_context(web(home)) for _n in range(count)]
        with urllib.request.urlopen(f"http://127.0.0.1:{made[0][0]}/api/v1/estates?limit=200") as answer:
            estates = [row["code"] for row in json.load(answer)["items"]]

        async def all_of_them() -> list[str]:
            each = connections // count
            return await asyncio.gather(
                *(load(port, reports(estates[n::count]), b"201", seconds, each) for n, (port, _pid) in enumerate(made))
            )

        # A process of the database serves one connection, and is there as long as that.
        before = {pid: cpu_s(pid) for pid in [*(pid for _port, pid in made), *database_pids()]}
        own = resource.getrusage(resource.RUSAGE_SELF)
        began = time.perf_counter()
        told = uvloop.run(all_of_them())
        wall = time.perf_counter() - began
        here = resource.getrusage(resource.RUSAGE_SELF)
        webs = sum(cpu_s(pid) - before[pid] for _port, pid in made)
        server = sum(cpu_s(pid) - before.get(pid, 0.0) for pid in database_pids())
    client = here.ru_utime + here.ru_stime - own.ru_utime - own.ru_stime
    rate = sum(float(line.partition("/s")[0]) for line in told)
    each_ms = [part / wall / rate * 1000 for part in (webs, server, client)]
    say(f"{count} web: {rate:5.0f}/s; of the processor an order takes {each_ms[0]:.1f} ms in web, {each_ms[1]:.1f} in "
        f"PostgreSQL, {each_ms[2]:.1f} in this client; {(webs + server + client) / wall:.2f} cores busy")  # fmt: skip
    return rate


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--database", default=SERVER, help="A PostgreSQL server; a database is made on it.")
    options.add_argument("--seconds", type=float, default=15)
    options.add_argument("--connections", type=int, default=32)
    wanted = options.parse_args()
    os.environ.pop("JIYING_DATABASE_URL", None)
    with database(wanted.database), fresh_home() as home:
        # `database` closes what this process has open, which is nothing, but wants to know the settings.
        os.environ |= {"DJANGO_SETTINGS_MODULE": "jiying.config.settings", "JIYING_HOME": str(home)}
        where = {"JIYING_DATABASE_URL": os.environ["JIYING_DATABASE_URL"]}
        jiying("migrate", home=home, **where)
        jiying("seed", "--estates", "36", "--workers", "60", "--days", "1", "--orders", "0", home=home, **where)
        one, two = (busy(count, home, wanted.seconds, wanted.connections) for count in (1, 2))
        say(f"two take {two / one:.2f} times as many as one  ({machine()})")


if __name__ == "__main__":
    main()
