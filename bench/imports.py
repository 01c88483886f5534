"""How long an import of 50,000 orders from XLSX takes on SQLite, and how much memory.

    python bench/imports.py [--orders 50000] [--open 0.2] [--keep DIR]

A demo district without history; a workbook of made-up orders with real dates, names and telephones, four in
five closed; the command `jiying import orders`.  Beside it the floor: bare inserts of as many events into
SQLite with synchronous=FULL.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path

import xlsxwriter
from common import floor, fresh_home, jiying, machine

MAPPING = """
version: 1
kind: orders
source: bench
timezone: Asia/Shanghai
columns:
  external_id: {from: 工单编号, required: true}
  reported_at: {from: 报修时间, required: true}
  estate: {from: 小区, required: true}
  category: {from: 类别, table: categories}
  description: {from: 内容, required: true}
  unit: {from: 室号}
  name: {from: 报修人}
  phone: {from: 电话}
  state: {from: 状态, table: states}
  due_at: {from: 期限}
  done_at: {from: 完工时间}
defaults: {kind: repair}
tables:
  categories: {漏水: leak, 停电: power, 电梯: lift, 下水道: drain, 门禁: access_control, "*": other}
  states: {已办结: closed, "*": open}
"""
HEAD = ("工单编号", "报修时间", "小区", "类别", "内容", "室号", "报修人", "电话", "状态", "期限", "完工时间")
SAID = {
    "漏水": "厨房天花板在漏水，楼上好像没人",
    "停电": "整个楼道没电了",
    "电梯": "电梯停在三楼不动了\n里面没有人",
    "下水道": "下水道堵了，水往外冒",
    "门禁": "门禁刷卡没反应",
    "路灯": "小区里的路灯不亮",
}


def workbook(path: Path, orders: int, open_share: float, estates: list[str]) -> None:
    """Orders of the two years before now, in no order, as a spreadsheet program keeps them."""
    rng, now = random.Random(1), datetime.now().replace(microsecond=0)  # noqa: DTZ005 - as a spreadsheet: local
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet, dates = book.add_worksheet("工单"), book.add_format({"num_format": "yyyy/m/d h:mm:ss"})
    sheet.write_row(0, 0, HEAD)
    for number in range(1, orders + 1):
        category = rng.choice(list(SAID))
        reported = now - timedelta(minutes=rng.randrange(3 * 1440, 730 * 1440))
        done = None if rng.random() < open_share else reported + timedelta(minutes=rng.randrange(20, 4000))
        sheet.write_string(number, 0, f"GD{number:08}")
        sheet.write_datetime(number, 1, reported, dates)
        room = f"{rng.randrange(1, 30)}0{rng.randrange(1, 5)}室"
        cells = (rng.choice(estates), category, SAID[category], room, "张三")
        for column, cell in enumerate(cells, start=2):
            sheet.write_string(number, column, cell)
        sheet.write_number(number, 7, 13_800_000_000 + rng.randrange(100_000_000))
        sheet.write_string(number, 8, "已办结" if done else "处理中")
        sheet.write_datetime(number, 9, reported + timedelta(days=2), dates)
        if done:
            sheet.write_datetime(number, 10, done, dates)
    book.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--open", type=float, default=0.2, help="The share that is still open.")
    parser.add_argument("--keep", type=Path, help="An empty folder to be the home, and to stay.")
    args = parser.parse_args()
    with nullcontext(args.keep) if args.keep else fresh_home() as home:
        jiying("migrate", home=home)
        jiying("seed", "--orders", "0", home=home)
        database = sqlite3.connect(home / "jiying.sqlite3")
        estates = [code for (code,) in database.execute("SELECT code FROM estates_estate")]
        workbook(home / "orders.xlsx", args.orders, args.open, estates)
        (home / "bench.yaml").write_text(MAPPING, encoding="utf-8")
        words = ("import", "orders", str(home / "orders.xlsx"), "--map", str(home / "bench.yaml"), "--json")
        cost = jiying(*words, home=home)
        [(events,)] = database.execute("SELECT count(*) FROM orders_event")
        bare = floor(events, home)
        size = (home / "orders.xlsx").stat().st_size >> 20
    sys.stdout.write(
        f"import: {json.dumps(cost.said)}\n"
        f"{args.orders} orders from {size} MB of XLSX, {events} events: {cost.wall_s:.1f} s"
        f" ({cost.cpu_s:.1f} s of processor), peak {cost.peak_mb} MB\n"
        f"floor: {bare:.2f} s for {events} bare inserts\n"
        f"machine: {machine()}\n"
    )


if __name__ == "__main__":
    main()
