"""Checking the log: does every chain hold, and do orders say what their events say?

Found are changed, missing and foreign events, a deleted tail (the order remembers its last hash and
version), and columns that do not follow from the events.  A whole order that is gone shows in the head over
all orders, which is exported every day.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from jiying.core.crypto import commitment, sm3_hex
from jiying.orders import store
from jiying.orders.chain import GENESIS, digest, utc
from jiying.orders.ledger import Ledger
from jiying.orders.models import Event, EventText, Order


@dataclass(frozen=True, slots=True)
class Broken:
    order: str
    version: int
    reason: str


@dataclass(slots=True)
class Report:
    """What `verify-chain` prints; `head` is SM3 over `order:version:hash` of every order, by id."""

    orders: int = 0
    events: int = 0
    broken: list[Broken] = field(default_factory=list)
    head: str = ""


def verify(order_id: uuid.UUID | None = None) -> Report:
    """Check one order, or all."""
    report, heads = Report(), []
    orders = Order.objects.order_by("pk")
    events = Event.objects.order_by("order_id", "version")
    if order_id is not None:
        orders, events = orders.filter(pk=order_id), events.filter(order_id=order_id)
    chains = groupby(events.iterator(chunk_size=2000), key=attrgetter("order_id"))
    pending = next(chains, None)
    for order in orders.iterator(chunk_size=2000):
        report.orders += 1
        mine: list[Event] = []
        if pending is not None and pending[0] == order.pk:
            mine = list(pending[1])
            pending = next(chains, None)
        report.events += len(mine)
        report.broken += _check(order, mine)
        heads.append(f"{order.pk}:{order.version}:{order.head}")
    report.broken += _check_texts(order_id)
    report.head = sm3_hex("\n".join(heads).encode())
    return report


def _check(order: Order, events: list[Event]) -> list[Broken]:
    broken = list(_links(order, events))
    if broken:
        return broken
    if not events:
        return [Broken(str(order.pk), 0, "the order has no events")]
    last = events[-1]
    if (last.version, last.hash) != (order.version, order.head):
        return [Broken(str(order.pk), order.version, "the last events are missing")]
    ledger = Ledger.of(order.pk, store.pack_of(order.pack), map(store.moment_of, events))
    if ledger.state != order.state:
        return [Broken(str(order.pk), last.version, f"state is {order.state}, the events say {ledger.state}")]
    return []


def _links(order: Order, events: list[Event]) -> Iterator[Broken]:
    prev = GENESIS
    for expected, event in enumerate(events, start=1):
        reason = ""
        if event.version != expected:
            reason = f"version {expected} is missing"
        elif event.prev_hash != prev:
            reason = "does not follow the event before"
        elif digest(prev, event.canonical) != event.hash:
            reason = "its content was changed"
        elif not _columns_match(event):
            reason = "its columns differ from what was hashed"
        if reason:
            yield Broken(str(order.pk), event.version, reason)
            return
        prev = event.hash


def _columns_match(event: Event) -> bool:
    said = json.loads(event.canonical)
    columns = {
        "id": str(event.id),
        "order": str(event.order_id),
        "version": event.version,
        "verb": event.verb,
        "milestone": event.milestone,
        "by": event.by,
        "role": event.role,
        "at": utc(event.at),
        "received_at": utc(event.received_at),
        "claimed": event.claimed,
    }
    return all(said.get(name) == value for name, value in columns.items())


def _check_texts(order_id: uuid.UUID | None) -> list[Broken]:
    """Texts that are still there must open the commitments in their events; erased ones are fine."""
    texts = EventText.objects.order_by("order_id", "version")
    if order_id is not None:
        texts = texts.filter(order_id=order_id)
    broken = []
    for chunk in _chunks(texts.iterator(chunk_size=500), 300):
        keys = {(text.order_id, text.version) for text in chunk}
        events = Event.objects.filter(order_id__in={key[0] for key in keys})
        data = {(event.order_id, event.version): event.data for event in events}
        for text in chunk:
            said = data.get((text.order_id, text.version), {}).get(f"{text.field}_sm3")
            if said != commitment(text.text, text.salt):
                broken.append(Broken(str(text.order_id), text.version, f"the text of {text.field} was changed"))
    return broken


def _chunks(rows: Iterator[EventText], size: int) -> Iterator[list[EventText]]:
    chunk: list[EventText] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
