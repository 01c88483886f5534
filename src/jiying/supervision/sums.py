"""Adding up what is kept: the counts of a period by place, for somebody's reach.

A period is put together from blocks of days.  What a period has beyond whole days is counted from the orders that
have something in it, and so is what no cell tells apart (a worker's own orders).  What only the passing of time
adds comes from the orders that are waiting.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, TypeVar

import orjson
from django.db.models import Count, F, Q, Sum, Value

from jiying.orders.models import Clock, Event, Order
from jiying.supervision.days import SPANS, Days, blocks
from jiying.supervision.dialect import Bare, Gathered, Minutes
from jiying.supervision.models import Cell, Counted, Edition, Grain, Rollup, Waiting
from jiying.supervision.reading import instant, read

BY = {"town": Grain.TOWN, "company": Grain.COMPANY, "committee": Grain.CELL, "estate": Grain.CELL, "all": Grain.ALL}
"""What figures can be told apart by, and the grain that is read for it where nothing narrows the reach."""

ANSWERS = ("rate", "confirm", "verify", "reopen")
"""Verbs of residents' words, which count when they were said."""

Key = uuid.UUID | str | None
"""The id of a town, company, committee or estate as the database gives it (`Bare`); None for orders without one."""

Counts = defaultdict[Key, Counter[str]]
"""Counts by place."""

Parts = dict[Key, list[Mapping[str, int]]]
"""The same, of each place in parts that are still to be added up."""


Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose orders: `where` is a condition on cells, None for all of `districts`; `orders` one on orders, where cells
    cannot tell."""

    districts: frozenset[str]
    where: Q | None = None
    orders: Q | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """From `from_` up to but not including `to`, seen at `now`, on days of `zone`."""

    from_: datetime
    to: datetime
    now: datetime
    zone: tzinfo


def parts(reach: Reach, period: Period, by: str) -> Parts:
    """The counts of a period by place, in parts."""
    return _steady(lambda edition: _parts(edition, reach, period, by))


def daily(reach: Reach, first: int, end: int) -> dict[int, Counter[str]]:
    """The counts of each day (ordinals, `end` excluded) for the whole reach; what time alone adds is not in it."""
    return _steady(lambda edition: _daily(edition, reach, first, end))


def _steady(ask: Callable[[int], Found]) -> Found:
    """Ask one edition; when it was replaced while it was read, ask the next."""
    while True:
        edition = Edition.objects.filter(state=Edition.State.SERVING).values_list("pk", flat=True).first()
        found = ask(edition or 0)
        if edition == Edition.objects.filter(state=Edition.State.SERVING).values_list("pk", flat=True).first():
            return found


def _parts(edition: int, reach: Reach, period: Period, by: str) -> Parts:
    single: Counts = defaultdict(Counter)
    out: Parts = {}
    if reach.orders is not None:
        _exactly(single, edition, reach, period, by, [(period.from_, period.to)])
    else:
        days = Days.of(period.from_, period.to, period.zone)
        out = _whole_days(edition, reach, days, by)
        _exactly(single, edition, reach, period, by, days.edges)
    _waiting(single, edition, reach, period, by)
    for key, counted in single.items():
        out.setdefault(key, []).append(counted)
    return out


def _rows(edition: int, reach: Reach, by: str) -> Any:
    """The rollups to add up: of the coarsest grain that tells them apart."""
    rows = Rollup.objects.filter(edition=edition)
    if reach.where is None:
        return rows.filter(grain=BY[by], district__in=reach.districts)
    return rows.filter(grain=Grain.CELL, cell__in=_cells(reach.where))


def _place(by: str) -> Any:
    """What rows of cells are told apart by."""
    return F("district") if by == "all" else Bare(f"cell__{by}_id")


def _cells(where: Q) -> Any:
    return Cell.objects.filter(where, grain=Grain.CELL).values("pk")


def _whole_days(edition: int, reach: Reach, days: Days, by: str) -> Parts:
    starts: dict[int, list[int]] = {}
    for span, start in blocks(days.first, days.end):
        starts.setdefault(span, []).append(start)
    # The longest blocks lie side by side; naming each would be too many names in a period of centuries.
    sides = {
        span: Q(start__in=some) if span < SPANS[0] else Q(start__range=(some[0], some[-1]))
        for span, some in starts.items()
    }
    rows = _rows(edition, reach, by)
    # The database puts the days of a place together: thousands of estates have tens of thousands of rows.
    asked = [
        rows.filter(where, span=span).order_by().values_list(_place(by)).annotate(told=Gathered("counts"))
        for span, where in sides.items()
    ]
    out: Parts = {}
    for key, told in asked[0].union(*asked[1:], all=True) if asked else ():
        out.setdefault(key if by != "all" else None, []).extend(orjson.loads(told))
    return out


def _daily(edition: int, reach: Reach, first: int, end: int) -> dict[int, Counter[str]]:
    out: dict[int, Counter[str]] = {day: Counter() for day in range(first, end)}
    rows = _rows(edition, reach, "all").filter(span=1, start__gte=first, start__lt=end)
    for day, said in rows.values_list("start", "counts"):
        for name, n in orjson.loads(said).items():
            out[day][name] += n
    return out


def _exactly(
    out: Counts, edition: int, reach: Reach, period: Period, by: str, windows: Sequence[tuple[datetime, datetime]]
) -> None:
    """Add what orders have in `windows`, order by order."""
    for from_, to in windows:
        rows = Counted.objects.filter(edition=edition, order__in=_touching(reach, from_, to))
        begin, end = instant(from_), instant(to)
        for row in rows.values_list(*([] if by == "all" else [_place(by)]), "parts").iterator(chunk_size=2000):
            into = out[row[0] if by != "all" else None]
            for at, told in read(row[-1]).items():
                if begin <= at < end:
                    for name, n in told.items():
                        into[name] += n


def _touching(reach: Reach, from_: datetime, to: datetime) -> Any:
    """The orders in reach that may have something to count between two instants."""
    mine = Order.objects.filter(of_orders(reach)).order_by()
    if reach.orders is not None:
        return mine.values("pk")
    due = Clock.objects.filter(due_at__gte=from_, due_at__lt=to, district__in=reach.districts)
    said = Event.objects.filter(verb__in=ANSWERS, at__gte=from_, at__lt=to)
    touched = mine.filter(reported_at__gte=from_, reported_at__lt=to).values("pk")
    return touched.union(
        mine.filter(pk__in=due.values("order_id")).values("pk"),
        mine.filter(pk__in=said.values("order_id")).values("pk"),
    )


def of_orders(reach: Reach) -> Q:
    """The reach as a condition on orders."""
    districts = Q(district__in=sorted(reach.districts))
    condition = reach.orders if reach.orders is not None else reach.where
    return districts & condition if condition is not None else districts


def _waiting(out: Counts, edition: int, reach: Reach, period: Period, by: str) -> None:
    """Add what time alone adds to orders that are waiting."""
    rows = Waiting.objects.filter(
        edition=edition, at__gte=period.from_, at__lt=min(period.to, period.now), district__in=reach.districts
    )
    if reach.orders is not None:
        rows = rows.filter(order__in=Order.objects.filter(of_orders(reach)).values("pk"))
    elif reach.where is not None:
        rows = rows.filter(cell__in=_cells(reach.where))
    place = _place(by)
    spent = Minutes(F("since"), Value(period.now))
    clocks = rows.filter(grows__in=("", "m")).annotate(spent=spent).order_by()
    for key, adds, grows, minutes, n in clocks.values_list(place, "adds", "grows", "spent").annotate(n=Count("*")):
        into = out[key if by != "all" else None]
        for name in adds.split():
            into[name] += n
        if grows:
            into[f"m.{max(0, minutes)}"] += n
    growing = rows.exclude(grows__in=("", "m")).order_by()
    for key, grows, minutes in growing.values_list(place, "grows").annotate(minutes=Sum(spent)):
        out[key if by != "all" else None][grows] += max(0, minutes)
