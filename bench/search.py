"""How fast orders are found by words among 200,000, on SQLite or PostgreSQL (JIYING_DATABASE_URL).

    python bench/search.py [--orders 200000] [--open 20000] [--rounds 30] [--home DIR]

Builds a district in a fresh home (kept with --home) and indexes it.  Each question is asked `rounds` times as the
desk asks it: the first fifty rows by time left of the open orders, or the latest of all, of what the asker may
see, with everything a row shows.  Prints p50 and p95 in milliseconds, the rows found, and as the floor the same
page by LIKE '%…%' over the words as they were said, which is what there was before.

Then the search for places, among 3,000 estates.

`漏水` stands in half of all orders, `台风` in a twentieth, all of them of one week two months ago.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import and_, or_
from pathlib import Path
from typing import Any

from common import analyse, machine, say, start
from desk import build

from jiying.core import garbage
from jiying.core.pinyin import pinyin
from jiying.core.text import initials

HALF = ("漏水", "厨房漏水，楼下也湿了", "卫生间漏水到楼下", "水管接头漏水")
PLACES = (
    "厨房",
    "阳台",
    "主卧",
    "客厅",
    "楼道",
    "地下车库",
    "单元门口",
    "北门",
    "泵房",
    "屋顶",
    "三楼平台",
    "电表箱旁",
)
REST = (
    "电梯停在三楼不动了", "灯不亮，报过一次还没修", "下水道堵了，水往上翻", "门禁刷卡没反应", "跳闸推不上去",
    "窗户关不上", "消防门闭门器坏了", "有异味，像是垃圾没清", "水压很小", "墙皮脱落，怕砸到人",
)  # fmt: skip
QUESTIONS = ("漏水", "电梯", "台风", "漏水 厨房", "泵房", "鸽子", "花园 漏水", "堵", "没有的词", "1204室")


def speak(orders: int) -> None:
    """Give the orders other words, of the frequencies that `QUESTIONS` are about, and index them."""
    from django.db import transaction
    from django.utils import timezone

    from jiying.orders import search
    from jiying.orders.models import Order, OrderText

    rng, storm = random.Random(2), timezone.now() - timedelta(days=60)
    rows = Order.objects.order_by("pk").values_list("pk", "reported_at")
    texts: list[Any] = []
    for n, (pk, at) in enumerate(rows.iterator(chunk_size=5000)):
        words = rng.choice(HALF) if rng.random() < 0.5 else f"{rng.choice(PLACES)}{rng.choice(REST)}"
        if abs(at - storm) < timedelta(days=3.5) and rng.random() < 0.7:
            words = f"台风吹倒树，{words}"
        if n % 20_000 == 77:
            words = "空调外机上有鸽子窝"
        texts.append(OrderText(order_id=pk, description=f"{rng.choice(PLACES)}{words}", unit=f"{n % 2000 + 100}室"))
    with transaction.atomic():
        OrderText.objects.bulk_update(texts, ["description", "unit"], batch_size=400)
    began = time.monotonic()
    search.rebuild(lambda done: sys.stderr.write(f"\r{done} indexed"))
    sys.stderr.write("\n")
    say(f"indexed {orders} orders in {time.monotonic() - began:.0f} s")
    analyse()


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds: p50 and p95 on the wall, p95 of the processor; and how many rows came."""

    p50: float
    p95: float
    cpu: float
    rows: int


def timed(ask: Callable[[], int], rounds: int) -> Spent:
    """Ask so often; the first asking does not count."""
    rows = ask()
    wall, cpu = [], []
    for _round in range(rounds):
        began, worked = time.perf_counter(), time.process_time()
        ask()
        cpu.append((time.process_time() - worked) * 1000)
        wall.append((time.perf_counter() - began) * 1000)
    most_wall, most_cpu = (statistics.quantiles(spent, n=20)[-1] for spent in (wall, cpu))
    return Spent(statistics.median(wall), most_wall, most_cpu, rows)


def measure(rounds: int) -> None:
    """Each question, for the whole district and for one town, in the desk's two orders."""
    from jiying.desk import queue
    from jiying.desk.filters import Filters
    from jiying.orders.models import Order
    from jiying.people.models import User
    from jiying.people.scopes import scope_of

    garbage.settle()
    worst, said = 0.0, f"{'who':16}{'list':8}{'question':14}{'rows':>6}{'p50 ms':>9}{'p95 ms':>9}{'CPU p95':>9}"
    say(f"{said}{'LIKE CPU':>10}")
    for who in ("demo-operator", "demo-town"):
        scope = scope_of(User.objects.get(username=who))
        for group in ("open", "all"):
            for words in QUESTIONS:
                filters = Filters.of({"q": words, "state": group})
                ours = timed(lambda f=filters, s=scope: len(queue.page(s, f).rows), rounds)  # type: ignore[misc]
                plain = queue._narrowed(queue._of(scope), scope, Filters.of({"state": group})).filter(_said(words))
                order = ("urgency", "headline_due", "pk") if group == "open" else ("-reported_at", "-pk")
                rows = plain.with_names().order_by(*order)[:51]
                floor = timed(lambda r=rows: len(r.all()), 2)  # type: ignore[misc]
                worst = max(worst, ours.p95)
                figures = f"{ours.rows:6}{ours.p50:9.1f}{ours.p95:9.1f}{ours.cpu:9.1f}{floor.cpu:10.1f}"
                say(f"{who:16}{group:8}{words:14}{figures}")
    say(f"worst p95 {worst:.1f} ms; {Order.objects.count()} orders")


def measure_places(rounds: int) -> None:
    """The call-taker's search for a place, among all estates of the district."""
    from jiying.estates.finding import find
    from jiying.estates.models import Estate

    say(f"{'place':24}{'found':>6}{'p50 ms':>9}{'p95 ms':>9}{'CPU p95':>9}")
    name = Estate.objects.order_by("code").values_list("name", flat=True)[17]
    sounds = pinyin(name)
    slip = f"{name[:-1]}圆"
    for words in (name, name[1:3], initials(name), f"{initials(name)} 3 502", sounds, "路 1", slip, "没有这个地方"):
        spent = timed(lambda w=words: len(find(w, Estate.objects.all(), 8)), rounds)  # type: ignore[misc]
        say(f"{words:24}{spent.rows:6}{spent.p50:9.1f}{spent.p95:9.1f}{spent.cpu:9.1f}")
    say(f"{Estate.objects.count()} estates")


def _said(words: str) -> Any:
    """The floor's condition: every word stands somewhere in what was said, or in the estate's name."""
    from django.db.models import Q

    where = ("text__description", "estate__name", "text__unit")
    each = (reduce(or_, (Q(**{f"{column}__icontains": word}) for column in where)) for word in words.split())
    return reduce(and_, each)


def main() -> None:
    """Build, unless the home has orders, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--open", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--home", type=Path, default=None)
    asked = parser.parse_args()
    start(asked.home)
    from django.db import connection

    from jiying.estates.models import Estate
    from jiying.orders.models import Order, OrderWords
    from jiying.simulation import demo

    if not Estate.objects.exists():
        demo.seed(demo.Size(estates=3000, orders=0, days=1), lambda _text: None)
    if Order.objects.count() < asked.orders:
        build(asked.orders, asked.open)
    if OrderWords.objects.count() < asked.orders:
        speak(asked.orders)
    say(f"{connection.vendor}, {machine()}")
    measure(asked.rounds)
    measure_places(asked.rounds)


if __name__ == "__main__":
    main()
