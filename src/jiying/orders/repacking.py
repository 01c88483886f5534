"""Moving open orders under the rule pack that is in force: what judged them until now may no longer.

An order is judged by the pack of its report.  Where another one has come into force, whoever answers for a district may
let it judge what is still open: each such order gets an event `repack`, and its clocks are brought to the new rules as
after a reclassification.  What is done, closed, refused or cancelled keeps the pack it was judged by.

Events are read and folded outside of any transaction; a short one then writes the orders that nobody wrote meanwhile,
and the others come later.  A move that was killed goes on with what is left; two at once share the work.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from jiying.core.errors import BadInput
from jiying.estates.models import Division, Level
from jiying.estates.queries import zone_of
from jiying.orders import store
from jiying.orders.ledger import Ledger
from jiying.orders.models import Order, OrderQuerySet
from jiying.orders.moving import Moved
from jiying.orders.states import OPEN
from jiying.people import audit
from jiying.people.models import User
from jiying.rules import packs
from jiying.rules.pack import Pack

log = logging.getLogger("jiying.repacking")

TOGETHER = 200
"""Orders that are read and judged at a time."""
AT_A_TIME = 5_000
"""Ids held in memory."""
REST_HELD_S = 0.5
"""How long is rested before those are tried again that somebody else held."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a move makes way: `together` orders are written in one transaction; after each batch it rests for `rest`
    times as long as that took.
    """

    together: int
    rest: float


GENTLE, BRISK = Pace(25, 0.5), Pace(200, 0.02)
"""With one writer at a time, reports and actions wait behind a transaction, about a hundredth of a second.  On
PostgreSQL only who acts on one of these orders waits: there each commit costs more than holding them."""

Progress = Callable[[int], None]
"""Called outside of any transaction with how many orders were looked at so far; may raise to end the move."""


@dataclass(slots=True)
class Tally:
    """What a move does, or would do.

    `changed`: of the `orders`, those on which a clock changes.  `promises`: by promise, how many clocks are due
    `earlier` or `later`, are `new` or `void`; `overdue` of them are past the new due time already.  `failed`: orders
    that could not be judged, with why.
    """

    orders: int = 0
    changed: int = 0
    promises: dict[str, Counter[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, changes: Sequence[Moved], at: datetime) -> None:
        """Count one order."""
        self.orders += 1
        self.changed += bool(changes)
        for one in changes:
            counts = self.promises.setdefault(one.promise, Counter())
            counts[_how(one)] += 1
            counts["overdue"] += one.to_due is not None and one.to_due < at

    def as_json(self) -> dict[str, Any]:
        """`{orders, changed, promises{p: {earlier, later, new, void, overdue}}, failed[{order, why}]}`."""
        return {
            "orders": self.orders,
            "changed": self.changed,
            "promises": {name: {how: counts[how] for how in HOWS} for name, counts in sorted(self.promises.items())},
            "failed": [{"order": order, "why": why} for order, why in self.failed.items()],
        }


HOWS = ("earlier", "later", "new", "void", "overdue")


def _how(one: Moved) -> str:
    if one.from_due is None or one.to_due is None:
        return one.what
    return "earlier" if one.to_due < one.from_due else "later"


def districts_of(pack: Pack, district: str = "") -> list[str]:
    """Where a pack is in force today: in `district`, or in all there are.

    Raises:
        BadInput: it is in force nowhere of these (`not_in_force`): open orders belong under what is in force.
    """
    there = [district] if district else _districts()
    found = [code for code in there if packs.in_force(_today(code), code).stamp == pack.stamp]
    if not found:
        raise BadInput.of("pack", "not_in_force", f"{pack.stamp} is not in force today in {district or 'any district'}")
    return found


def _districts() -> list[str]:
    codes = Division.objects.filter(level=Level.DISTRICT).order_by("code").values_list("code", flat=True)
    return [*codes, ""]


def _today(district: str) -> Any:
    return timezone.localdate(timezone=zone_of(district))


def waiting(pack: Pack, districts: Iterable[str]) -> OrderQuerySet:
    """The open orders there that another pack judges."""
    return Order.objects.filter(district__in=list(districts), state__in=sorted(OPEN)).exclude(pack=pack.stamp)


def put_on_audit(pack: Pack, districts: Iterable[str], *, by: User | None, origin: str) -> None:
    """Put on the audit who lets a pack judge the open orders of which district, where there are any to be moved."""
    for district in districts:
        if n := waiting(pack, [district]).count():
            audit.record("repack", by=by, district=district, origin=origin, about=pack.stamp, data={"orders": n})


def preview(pack: Pack, districts: Sequence[str], *, progress: Progress | None = None) -> Tally:
    """What `move` would do now; writes nothing."""
    tally = Tally()
    for orders in _batches(waiting(pack, districts)):
        for order, ledger in _judged(orders, tally):
            with _by_itself(tally, order):
                at = timezone.now()
                tally.add(ledger.repacked(pack, at, _told(order, ledger, pack)), at)
        if progress:
            progress(tally.orders)
    return tally


def move(
    pack: Pack,
    districts: Sequence[str],
    *,
    by: str,
    progress: Progress | None = None,
    rest: Callable[[float], object] = time.sleep,
) -> Tally:
    """Put the open orders of `districts` under `pack`; again after a crash: goes on with what is left.

    Args:
        by: whose word it is, as events name them: a user's id, or `rule:…`.
        progress: see `Progress`.
        rest: rests for so many seconds.
    """
    tally, left = Tally(), True
    while left:
        left = False
        for orders in _batches(waiting(pack, districts).exclude(pk__in=[uuid.UUID(pk) for pk in tally.failed])):
            began = time.monotonic()
            left |= not _move_together(orders, pack, by, tally)
            if progress:
                progress(tally.orders)
            rest(_pace().rest * (time.monotonic() - began))
        if left:
            rest(REST_HELD_S)
    return tally


def _pace() -> Pace:
    return BRISK if connection.vendor == "postgresql" else GENTLE


def _batches(rows: OrderQuerySet) -> Iterator[list[Order]]:
    """Orders by their ids, some at a time; ids are read ahead, since a batch alone would scan the table again."""
    last = uuid.UUID(int=0)
    while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:AT_A_TIME]):
        last = ids[-1]
        for first in range(0, len(ids), TOGETHER):
            yield list(Order.objects.filter(pk__in=ids[first : first + TOGETHER]))


def _judged(orders: Sequence[Order], tally: Tally) -> Iterator[tuple[Order, Ledger]]:
    """Orders with their ledgers; each by itself where one of them cannot be judged."""
    try:
        ledgers = store.load_many(orders)
    except OperationalError:
        raise
    except Exception:
        if len(orders) == 1:
            _fail(tally, orders[0])
            return
        for order in orders:
            yield from _judged([order], tally)
        return
    for order in orders:
        yield order, ledgers[order.pk]


@contextmanager
def _by_itself(tally: Tally, order: Order) -> Iterator[None]:
    """What cannot be judged stops none of the others."""
    try:
        yield
    except Exception:
        _fail(tally, order)


def _fail(tally: Tally, order: Order) -> None:
    log.exception("order %s cannot be judged", order.number)
    tally.failed[str(order.pk)] = "it cannot be judged; see the log"


def _told(order: Order, ledger: Ledger, pack: Pack) -> dict[str, Any]:
    """What the pack's rules look at and the report did not say, since the pack of its day did not ask."""
    if pack.calendar is None or any("calendar" in moment.data for moment in ledger.moments):
        return {}
    return {"calendar": zone_of(order.district).key, "estate_type": order.estate.kind if order.estate else None}


def _move_together(orders: Sequence[Order], pack: Pack, by: str, tally: Tally) -> bool:
    """Move some orders; False where somebody wrote one of them meanwhile, which is then left as it is."""
    now = timezone.now()
    changes: list[tuple[int, store.Change]] = []
    for order, ledger in _judged(orders, tally):
        if ledger.state not in OPEN or ledger.pack.stamp == pack.stamp:
            continue
        change = store.Change(order=order, ledger=ledger, before=store.clocks_before(ledger))
        read = ledger.version
        with _by_itself(tally, order):
            _say(change, pack, by, now)
            changes.append((read, change))
    whole = True
    together = _pace().together
    for first in range(0, len(changes), together):
        some = changes[first : first + together]
        written = _write(some)
        whole &= len(written) == len(some)
        for change in written:
            tally.add(_changed(change), now)
    return whole


def _write(changes: Sequence[tuple[int, store.Change]]) -> list[store.Change]:
    """Write those of the orders, each with the version that was read, that nobody wrote meanwhile."""
    read = {change.order.pk: version for version, change in changes}
    all_of_them = [change for _version, change in changes]
    statements = store.prepared(all_of_them)
    with transaction.atomic():
        rows = Order.objects.filter(pk__in=list(read))
        rows = rows.select_for_update(no_key=True, skip_locked=connection.features.has_select_for_update_skip_locked)
        same = {pk for pk, version in rows.values_list("pk", "version") if version == read[pk]}
        written = [change for change in all_of_them if change.order.pk in same]
        store.write_prepared(written, statements if len(written) == len(changes) else store.prepared(written))
    return written


def _say(change: store.Change, pack: Pack, by: str, now: datetime) -> None:
    ledger = change.ledger
    # What fell due before is still judged by the old rules, as a watcher in time would have.
    change.moments += ledger.fire(now - timedelta.resolution)
    change.moments.append(ledger.repack(pack, by=by, now=now, told=_told(change.order, ledger, pack)))


def _changed(change: store.Change) -> list[Moved]:
    return [Moved.of(one) for one in change.moments[-1].data["changed"]]
