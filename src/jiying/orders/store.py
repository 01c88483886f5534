"""Between the pure ledger and the tables: loading orders, writing what happened.

Only `intake`, `actions`, `batch` and `watcher` write through here, always inside a transaction.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from jiying.core import bulk, wake
from jiying.core.errors import StaleVersion
from jiying.orders import asking, promises
from jiying.orders.chain import Moment
from jiying.orders.ledger import Ledger
from jiying.orders.models import Clock, Event, EventText, Order
from jiying.rules import packs
from jiying.rules.pack import Pack

CLOCK_KEY = ("district", "order", "promise", "round")
CLOCK_FIELDS = (
    "rule",
    "state",
    "from_at",
    "due_at",
    "reached_at",
    "limit_minutes",
    "paused_minutes",
    "reason",
    "claimed",
    "grade",
)
EVENT_FIELDS = (
    "id", "district", "order", "version", "verb", "milestone", "by", "role", "at", "received_at", "claimed",
    "canonical", "prev_hash", "hash",
)  # fmt: skip
MOVING_FIELDS = (
    "kind",
    "category",
    "urgency",
    "worker",
    "state",
    "state_since",
    "version",
    "acted_version",
    "head",
    "pack",
    "reopened",
    "next_at",
    "headline_promise",
    "headline_due",
)


pack_of = packs.stamped


def began_with(report: Moment | Event) -> Pack:
    """The pack that an order's first event says it is judged by; a `repack` later in its log says otherwise."""
    return pack_of(report.data["pack"])


def moment_of(event: Event) -> Moment:
    """The pure view of a stored event."""
    return Moment(
        order=event.order_id,
        version=event.version,
        verb=event.verb,
        milestone=event.milestone,
        by=event.by,
        role=event.role,
        at=event.at,
        received_at=event.received_at,
        claimed=event.claimed,
        data=event.data,
        id=event.id,
        prev_hash=event.prev_hash,
        hash=event.hash,
        canonical=event.canonical,
    )


def load(order: Order) -> Ledger:
    """The ledger of one order, from its events."""
    return load_many([order])[order.id]


def load_many(orders: Sequence[Order]) -> dict[uuid.UUID, Ledger]:
    """Ledgers of many orders, in one query."""
    ledgers: dict[uuid.UUID, Ledger] = {}
    events = Event.objects.filter(order_id__in=[order.id for order in orders]).order_by("order_id", "version")
    # Columns alone: making a row of each event would cost as much as judging it.
    for said in events.values_list(*_MOMENT_FIELDS).iterator(chunk_size=2000):
        moment = Moment(**dict(zip(_MOMENT_NAMES, said, strict=True)), data=json.loads(said[-1])["data"])
        ledger = ledgers.get(moment.order)
        if ledger is None:
            ledger = ledgers[moment.order] = Ledger.new(moment.order, began_with(moment))
        ledger.advance(moment)
    return ledgers


_MOMENT_FIELDS = (
    "order_id", "version", "verb", "milestone", "by", "role", "at", "received_at", "claimed", "id", "prev_hash", "hash",
    "canonical",
)  # fmt: skip
_MOMENT_NAMES = ("order", *_MOMENT_FIELDS[1:])


def mirror(order: Order, ledger: Ledger) -> None:
    """Set the order's columns to what its events say."""
    facts = ledger.judge.facts
    assert facts is not None, "an order has its report"
    order.kind, order.category, order.urgency = facts.kind, facts.category, facts.urgency
    order.worker_id = uuid.UUID(ledger.worker) if ledger.worker else None
    order.state, order.state_since = ledger.state, ledger.state_since
    order.version, order.acted_version, order.head = ledger.version, ledger.acted_version, ledger.head
    order.reopened, order.pack = ledger.reopened, ledger.pack.stamp
    order.next_at = ledger.next_at
    lead = promises.headline(ledger.judge.clocks) if ledger.state not in _QUIET else None
    order.headline_promise = lead.promise if lead else ""
    order.headline_due = lead.due_at if lead else None


_QUIET = frozenset({"done", "verified", "closed", "refused", "cancelled"})


def _event_row(moment: Moment, district: str) -> tuple[object, ...]:
    """The values of `EVENT_FIELDS`."""
    return (
        moment.id,
        district,
        moment.order,
        moment.version,
        moment.verb,
        moment.milestone,
        moment.by,
        moment.role,
        moment.at,
        moment.received_at,
        moment.claimed,
        moment.canonical,
        moment.prev_hash,
        moment.hash,
    )


def clock_row(clock: promises.Clock, order: Order) -> Clock:
    values = {name: getattr(clock, name) for name in CLOCK_FIELDS}
    return Clock(district=order.district, order_id=order.id, promise=clock.promise, round=clock.round, **values)


def snapshot(clock: promises.Clock) -> tuple[object, ...]:
    """What tells a changed clock from an unchanged one."""
    return tuple(getattr(clock, name) for name in CLOCK_FIELDS)


def clocks_before(ledger: Ledger) -> dict[tuple[str, int], tuple[object, ...]]:
    """Snapshots to compare with after something happened."""
    return {(clock.promise, clock.round): snapshot(clock) for clock in ledger.judge.clocks}


@dataclass(slots=True)
class Change:
    """What happened to one order in one transaction, ready to be written."""

    order: Order
    ledger: Ledger
    moments: list[Moment] = field(default_factory=list)
    texts: list[EventText] = field(default_factory=list)
    before: dict[tuple[str, int], tuple[object, ...]] = field(default_factory=dict)

    def clocks(self) -> list[tuple[object, ...]]:
        """Rows of the clocks that changed: `CLOCK_KEY`, then `CLOCK_FIELDS`."""
        order, rows = self.order, []
        for clock in self.ledger.judge.clocks:
            now = snapshot(clock)
            if self.before.get((clock.promise, clock.round)) != now:
                rows.append((order.district, order.id, clock.promise, clock.round, *now))
        return rows


def write(change: Change) -> None:
    """Write one order's change; the compare-and-swap on `version` is what makes two writers safe.

    Raises:
        StaleVersion: somebody else wrote first.
    """
    order, expected = change.order, change.order.version
    mirror(order, change.ledger)
    moved = {name: getattr(order, name) for name in MOVING_FIELDS if name != "worker"}
    updated = Order.objects.filter(pk=order.pk, version=expected).update(
        worker_id=order.worker_id, poisoned_until=None, **moved
    )
    if not updated:
        raise StaleVersion(_("这张工单刚刚有人处理过，请看最新情况后再操作。"))
    write_log([change])


def write_together(changes: Sequence[Change]) -> None:
    """Write changes of orders that this transaction has locked; two writers of one would clash on its next event
    (IntegrityError), and neither be half written."""
    write_prepared(changes, prepared(changes))


def prepared(changes: Sequence[Change]) -> list[bulk.Statement]:
    """What writes some changes, worked out before others have to wait for it."""
    for change in changes:
        mirror(change.order, change.ledger)
        change.order.poisoned_until = None
    orders = [change.order for change in changes]
    moved = [bulk.updating(orders, (*MOVING_FIELDS, "poisoned_until"))] if orders else []
    return [*moved, *_logging(changes)]


def write_prepared(changes: Sequence[Change], statements: Iterable[bulk.Statement]) -> None:
    """Write what was worked out for exactly these changes, of orders that nobody wrote since."""
    for statement in statements:
        bulk.tell(statement)
    _write_beside(changes)


def write_log(changes: Iterable[Change]) -> None:
    """Append events, texts and clocks of many orders, and wake those who follow once committed."""
    changes = list(changes)
    for statement in _logging(changes):
        bulk.tell(statement)
    _write_beside(changes)


def _logging(changes: Sequence[Change]) -> Iterator[bulk.Statement]:
    events: list[tuple[object, ...]] = []
    clocks: list[tuple[object, ...]] = []
    for change in changes:
        events += [_event_row(moment, change.order.district) for moment in change.moments]
        clocks += change.clocks()
    yield bulk.upserting(Event, EVENT_FIELDS, events)
    yield bulk.upserting(Clock, (*CLOCK_KEY, *CLOCK_FIELDS), clocks, unique=CLOCK_KEY[1:], update=CLOCK_FIELDS)


def _write_beside(changes: Sequence[Change]) -> None:
    bulk.insert([text for change in changes for text in change.texts])
    bulk.insert(asking.asks_of(changes))
    # Robust: what is committed is committed, whatever becomes of those who wait for it.
    transaction.on_commit(wake.wake, robust=True)
