"""Whether the counts that are kept are what the events say: a recount of every order.

Orders are counted again estate by estate and compared with what is kept of them and of the cells they make up;
then, in one look at each block of days, coarse rows with the sum of the fine ones.  The log may be written
meanwhile: what differs is looked at again before it is told.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from jiying.estates.queries import zone_of
from jiying.orders import followers
from jiying.orders.models import Order
from jiying.supervision.actions import FOLLOWERS
from jiying.supervision.models import Cell, Counted, Edition, Grain, Rollup, Waiting
from jiying.supervision.reading import Fresh, Key, Place, by_day, cells_of, count_orders, parts_of, spread, written

LOOKS = 4
"""How often something is looked at before it counts as different."""

TOLD = 100
"""How many differences are told one by one."""


@dataclass(slots=True)
class Report:
    """What was compared.  `behind`: how many events the followers had not read when the check began."""

    orders: int = 0
    rows: int = 0
    behind: int = 0
    different: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def tell(self, found: Iterable[dict[str, Any]]) -> None:
        for difference in found:
            self.different += 1
            if len(self.differences) < TOLD:
                self.differences.append(difference)


def check() -> Report:
    """Let the follower read to the end, then compare everything."""
    began = time.monotonic()
    lags = followers.lags()
    report = Report(behind=sum(lags[one.name] for one in FOLLOWERS))
    _catch_up()
    estates = list(Order.objects.order_by("estate_id").values_list("estate_id", flat=True).distinct())
    for estate in estates:
        report.tell(_look_again(partial(_estate, estate)))
    edition = _edition()
    report.tell(_strangers(edition))
    for span, start in Rollup.objects.filter(edition=edition).values_list("span", "start").distinct().order_by():
        report.tell(_look_again(partial(_block, span, start)))
    report.rows = Rollup.objects.filter(edition=edition).count()
    report.orders = Counted.objects.filter(edition=edition).count()
    report.seconds = round(time.monotonic() - began, 1)
    return report


def _edition() -> int:
    return Edition.objects.filter(state=Edition.State.SERVING).values_list("pk", flat=True).first() or 0


def _catch_up() -> None:
    for follower in FOLLOWERS:
        while followers.advance(follower):
            pass


def _look_again(look: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """What differs every time: what was merely being written is gone at the next look."""
    for _look in range(LOOKS - 1):
        if not look():
            return []
        _catch_up()
    return look()


def _estate(estate: uuid.UUID | None) -> list[dict[str, Any]]:
    """One estate's orders, and the cells they make up."""
    edition, found = _edition(), []
    sums: dict[Key, Counter[str]] = {}
    cells: dict[uuid.UUID, Cell] = {}
    orders = Order.objects.filter(estate=estate).order_by("pk")
    start = 0
    while rows := list(orders[start : start + 500]):
        start += len(rows)
        fresh = count_orders(rows)
        found += _orders(edition, fresh)
        for one in fresh:
            cell = cells_of(one.place)[-1]
            cells[cell.pk] = cell
            spread(sums, [cell], by_day(parts_of(one.counted), zone_of(one.place.district)))
    kept: dict[Key, Mapping[str, int]] = {}
    mine = Rollup.objects.filter(edition=edition, grain=Grain.CELL, cell__estate=estate)
    for cell_id, span, day, counts in mine.values_list("cell_id", "span", "start", "counts"):
        kept[cell_id, span, day] = json.loads(counts)
    return found + _compared(sums, kept)


def _orders(edition: int, fresh: list[Fresh]) -> list[dict[str, Any]]:
    ids = [one.order for one in fresh]
    kept = {row.order: row for row in Counted.objects.filter(edition=edition, order__in=ids)}
    waits: dict[uuid.UUID, set[tuple[Any, ...]]] = {}
    for wait in Waiting.objects.filter(edition=edition, order__in=ids):
        waits.setdefault(wait.order, set()).add((wait.at, wait.since, wait.adds, wait.grows, wait.cell_id))
    found = []
    for one in fresh:
        row, cell = kept.get(one.order), cells_of(one.place)[-1].pk
        wanted = {(wait.at, wait.since, " ".join(wait.adds), wait.grows, cell) for wait in one.counted.waits}
        text = written(parts_of(one.counted))
        if row is None or row.parts != text or row.cell_id != cell or waits.get(one.order, set()) != wanted:
            found.append({"order": str(one.order), "kept": row.parts if row else None, "counted": text})
    return found


def _compared(sums: Mapping[Key, Counter[str]], kept: Mapping[Key, Mapping[str, int]]) -> list[dict[str, Any]]:
    found = []
    for key in sums.keys() | kept.keys():
        counted = {name: n for name, n in sums.get(key, {}).items() if n}
        if counted != kept.get(key, {}):
            cell, span, start = key
            found.append(
                {
                    "cell": str(cell),
                    "span": span,
                    "start": start,
                    "names": sorted(
                        name
                        for name in counted.keys() | kept.get(key, {}).keys()
                        if counted.get(name) != kept.get(key, {}).get(name)
                    ),
                }
            )
    return found


def _strangers(edition: int) -> list[dict[str, Any]]:
    """What is kept of orders that there are not."""
    gone = Counted.objects.filter(edition=edition).exclude(order__in=Order.objects.values("pk"))
    return [{"order": str(row.order), "kept": row.parts, "counted": None} for row in gone]


def _block(span: int, start: int) -> list[dict[str, Any]]:
    """Coarse rows of one block of days against the sum of its cells."""
    sums: dict[Key, Counter[str]] = {}
    kept: dict[Key, Mapping[str, int]] = {}
    rows = Rollup.objects.filter(edition=_edition(), span=span, start=start).select_related("cell")
    for row in rows:
        counts, cell = json.loads(row.counts), row.cell
        if row.grain != Grain.CELL:
            kept[cell.pk, span, start] = counts
            continue
        for coarse in _coarse(cell):
            into = sums.setdefault((coarse.pk, span, start), Counter())
            for name, n in counts.items():
                into[name] += n
    return _compared(sums, kept)


def _coarse(cell: Cell) -> tuple[Cell, ...]:
    return cells_of(Place(cell.district, cell.town_id, cell.committee_id, cell.estate_id, cell.company_id))[:-1]
