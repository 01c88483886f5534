"""Checking the log: does every chain hold, and do orders say what their events say?

Found are changed, missing and foreign events, texts that were changed or are gone without a record of their
erasure, a deleted tail (the order remembers its last hash and version), and columns that do not follow from the
events.  A whole order that is gone is missed by its number, or by the daily head (`heads.gone`); which one it
was, nobody can say any more.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Generic, TypeVar

from django.db import transaction

from jiying.core.crypto import CannotUnseal, commitment, sm3_hex
from jiying.orders import contacts, heads, photochecks, store
from jiying.orders.chain import GENESIS, digest, utc
from jiying.orders.erasure import erased_up_to
from jiying.orders.ledger import Ledger
from jiying.orders.models import Clock, Event, EventText, Order
from jiying.orders.texts import PERSONAL
from jiying.rules.faults import NoPack


@dataclass(frozen=True, slots=True)
class Broken:
    """What is wrong with an order, and from which event on; without an order: with the log as a whole."""

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


def verify(order_id: uuid.UUID | None = None, *, files: bool = True) -> Report:
    """Check one order, or all; `files` False takes the files of photos on trust.

    Orders are read while others write: what looks broken is looked at again under its lock before it is said.
    """
    report, lines = Report(), []
    lost = orphans = 0
    orders = Order.objects.order_by("pk").select_related("text", "estate", "town")
    events = Event.objects.order_by("order_id", "version")
    clocks = Clock.objects.order_by("order_id", "pk")
    if order_id is not None:
        orders = orders.filter(pk=order_id)
        events, clocks = events.filter(order=order_id), clocks.filter(order=order_id)
    texts = EventText.objects.order_by("order_id", "version").only("order_id", "version", "field")
    if order_id is not None:
        texts = texts.filter(order=order_id)
    kept = _Groups(texts.iterator(chunk_size=2000))
    logged, timed = _Groups(events.iterator(chunk_size=2000)), _Groups(clocks.iterator(chunk_size=2000))
    for order in orders.iterator(chunk_size=2000):
        strays = [_orphan(group) for group in logged.before(order.pk)]
        report.broken += strays
        mine = logged.take(order.pk)
        lost, orphans = lost + max(order.version - len(mine), 0), orphans + len(strays)
        report.orders += 1
        report.events += len(mine)
        if _check(order, mine, timed.take(order.pk), kept.take(order.pk)):
            report.broken += _look_again(order.pk)
        lines.append(f"{order.pk}:{order.version}:{order.head}")
    strays = [_orphan(group) for group in logged.before(None)]
    report.broken, orphans = report.broken + strays, orphans + len(strays)
    report.broken += _check_texts(order_id)
    report.broken += [Broken(str(at), version, why) for at, version, why in photochecks.faults(order_id, files=files)]
    if order_id is None:
        report.broken += [Broken("", 0, reason) for reason in heads.gone(orders=orphans, events=lost)]
    report.head = sm3_hex("\n".join(lines).encode())
    return report


Row = TypeVar("Row", Event, Clock, EventText)


class _Groups(Generic[Row]):
    """Rows that come sorted by order, handed out order by order."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._groups: Iterator[tuple[uuid.UUID, Iterator[Row]]] = groupby(rows, key=attrgetter("order_id"))
        self._next: tuple[uuid.UUID, list[Row]] | None = None
        self._read()

    def _read(self) -> None:
        key, rows = next(self._groups, (None, iter(())))
        self._next = (key, list(rows)) if key is not None else None

    def before(self, order: uuid.UUID | None) -> Iterator[list[Row]]:
        """The groups of orders before `order` (None: all that are left)."""
        while self._next is not None and (order is None or self._next[0] < order):
            yield self._next[1]
            self._read()

    def take(self, order: uuid.UUID) -> list[Row]:
        """The rows of `order`, or none."""
        for _passed in self.before(order):
            pass
        if self._next is None or self._next[0] != order:
            return []
        rows = self._next[1]
        self._read()
        return rows


def _orphan(events: list[Event]) -> Broken:
    return Broken(str(events[0].order_id), events[0].version, "events without their order")


def _look_again(order_id: uuid.UUID) -> list[Broken]:
    with transaction.atomic():
        order = (
            Order.objects.select_related("text", "estate", "town")
            .select_for_update(of=("self",), no_key=True)
            .get(pk=order_id)
        )
        events = list(Event.objects.filter(order=order_id).order_by("version"))
        clocks, texts = Clock.objects.filter(order=order_id), EventText.objects.filter(order=order_id)
        return _check(order, events, list(clocks), list(texts))


def _check(order: Order, events: list[Event], clocks: list[Clock], texts: list[EventText]) -> list[Broken]:
    broken = list(_links(order, events))
    if broken:
        return broken
    if not events:
        return [Broken(str(order.pk), 0, "the order has no events")]
    last = events[-1]
    if (last.version, last.hash) != (order.version, order.head):
        return [Broken(str(order.pk), order.version, "the last events are missing")]
    found = _said_otherwise(order, events[0])
    if found:
        return [Broken(str(order.pk), 1, found)]
    if gone := _gone_unrecorded(order, events, texts):
        return gone
    try:
        return [Broken(str(order.pk), last.version, reason) for reason in _mirrored_otherwise(order, events, clocks)]
    except NoPack as error:
        return [Broken(str(order.pk), last.version, f"it cannot be judged: {error}")]


def _said_otherwise(order: Order, report: Event) -> str:
    """What is wrong with the texts of the report; nothing where they were erased."""
    text = getattr(order, "text", None)
    if text is None or not text.salt:
        return ""
    try:
        same = commitment(contacts.said_of(order), text.salt) == report.data.get("said_sm3")
    except CannotUnseal:
        return "the contact cannot be opened"
    return "" if same else "the text of the report was changed"


def _gone_unrecorded(order: Order, events: list[Event], texts: list[EventText]) -> list[Broken]:
    """Texts that events committed to and that are not there, without a record of their erasure."""
    kept = {(text.version, f"{text.field}_sm3") for text in texts}
    text = getattr(order, "text", None)
    if text is not None and text.salt:
        kept.add((1, "said_sm3"))
    gone = [
        (event.version, name)
        for event in events
        # Most events commit to nothing: the bytes say so without being read.
        if '_sm3":' in event.canonical
        for name in event.data
        if name in _COMMITTED and (event.version, name) not in kept
    ]
    lawful = erased_up_to(order.pk) if gone else 0
    return [
        Broken(str(order.pk), version, f"the text of {name.removesuffix('_sm3')} is gone, and no erasure is recorded")
        for version, name in gone
        if version > lawful
    ]


def _mirrored_otherwise(order: Order, events: list[Event], clocks: list[Clock]) -> Iterator[str]:
    """What of the order's columns and clocks does not follow from its events."""
    report = events[0]
    reported = {
        "reported_at": (order.reported_at, report.at),
        "estate": (order.estate.code if order.estate else None, report.data.get("estate")),
        "town": (order.town.code if order.town else None, report.data.get("town")),
    }
    for name, (kept, said) in reported.items():
        if kept != said:
            yield f"{name} is {kept}, the report says {said}"
    ledger = Ledger.of(order.pk, store.began_with(report), map(store.moment_of, events))
    derived = Order(id=order.pk)
    store.mirror(derived, ledger)
    for name in _MIRRORED:
        kept, said = getattr(order, name), getattr(derived, name)
        if kept != said:
            yield f"{name.removesuffix('_id')} is {kept}, the events say {said}"
    kept_clocks = {(row.promise, row.round): tuple(getattr(row, name) for name in store.CLOCK_FIELDS) for row in clocks}
    said_clocks = store.clocks_before(ledger)
    for promise, number in sorted(kept_clocks.keys() | said_clocks.keys()):
        if kept_clocks.get((promise, number)) != said_clocks.get((promise, number)):
            yield f"the clock of {promise} ({number}) does not follow from the events"


#: Members of events that commit to a text beside the log.
_COMMITTED = frozenset(f"{name}_sm3" for name in (*PERSONAL, "said"))
#: Columns that pages and figures read; `next_at` and the headline are made anew with every event.
_MIRRORED = ("kind", "category", "urgency", "worker_id", "state", "state_since", "acted_version", "pack", "reopened")


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
        kept = {(event.order_id, event.version): event.canonical for event in events}
        for text in chunk:
            # A text's commitment stands in the bytes; whether these are what was hashed, the chain says.
            said = f'"{text.field}_sm3":"{commitment(text.text, text.salt)}"'
            if said not in kept.get((text.order_id, text.version), ""):
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
