"""How long an export of 100,000 orders takes on SQLite, and how much memory.

    python bench/exports.py [--orders 100000] [--format xlsx] [--home DIR]

The desk's bench builds the orders (kept with --home).  A process of its own then does what the job of a large
export does: the district's officer asks for all orders of the desk, the worker writes the file.  Beside it the
floor: as many rows of as many short cells written by the same library from memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from common import Cost, analyse, machine, most_mb, say, start
from desk import build

CELLS = 41
"""About as many as the desk's table has."""


def work(home: Path, format: str) -> dict[str, Any]:
    """Ask for the export and work the job off, in this process."""
    start(home)
    from jiying.exchange import exports, jobs
    from jiying.exchange.models import Export
    from jiying.people.models import User

    user = User.objects.get(username="demo-district")
    wish = exports.ask(user, "orders", "state=all", format, language="zh-hans")
    jobs.work_off()
    done = Export.objects.get(pk=wish.pk)
    assert done.finished_at is not None, done.problem
    return {"rows": done.rows, "size": done.size, "peak_mb": most_mb()}


def in_a_process(*words: str) -> Cost:
    """Run this program anew, and see what it takes alone."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = json.loads(done.stdout)
    return Cost(said, wall, cpu, said["peak_mb"])


def floor(rows: int, path: Path) -> float:
    """Seconds in which the library writes as many rows from memory."""
    import xlsxwriter

    began = time.monotonic()
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    page = book.add_worksheet()
    for row in range(rows):
        for column in range(CELLS):
            if column % 2:
                page.write_number(row, column, row * 1.5)
            else:
                page.write_string(row, column, "厨房水管漏水")
    book.close()
    path.unlink()
    return time.monotonic() - began


def main() -> None:
    """Build, unless the home has orders, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--format", choices=("xlsx", "csv"), default="xlsx")
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        say(json.dumps(work(asked.home, asked.format)))
        return
    home = start(asked.home)
    from jiying.estates.models import Estate
    from jiying.orders.models import Order
    from jiying.simulation import demo

    if not Estate.objects.exists():
        demo.seed(demo.Size(orders=0, days=1), lambda _text: None)
    if Order.objects.count() < asked.orders:
        build(asked.orders, asked.orders // 5)
        analyse()
    cost = in_a_process("--work", "--home", str(home), "--format", asked.format)
    say(
        f"{cost.said['rows']} orders to {cost.said['size'] >> 20} MB of {asked.format}: {cost.wall_s:.1f} s"
        f" ({cost.cpu_s:.1f} s of processor), peak {cost.peak_mb} MB"
    )
    say(f"floor: {floor(cost.said['rows'], home / 'floor.xlsx'):.1f} s for as many rows of {CELLS} cells from memory")
    say(f"machine: {machine()}")


if __name__ == "__main__":
    main()
