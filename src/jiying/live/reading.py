"""Reads of the stream: events after a cursor, each made ready once for all who will see it.

Runs on threads; the event loop never waits for the database here.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from jiying.core.times import rfc3339
from jiying.estates.queries import zone_of
from jiying.live.frames import frame
from jiying.live.scope import Facts, facts_of, unassigned
from jiying.orders import followers
from jiying.orders.followers import Position
from jiying.orders.models import Event, Order
from jiying.orders.queries import Line, names_of
from jiying.orders.wire import event_json, reference

BATCH = 200
REMEMBERED = 20_000
"""Orders whose last facts are kept, to tell those from whose sight one went."""


@dataclass(frozen=True, slots=True)
class Item:
    """An event on its way: the frames for people in scope, for a tracking page, for whom it leaves.

    `before` are the order's facts as they were, where known and different.
    """

    position: Position
    facts: Facts
    before: Facts | None
    frame: bytes
    tracked: bytes
    gone: bytes


class Reader:
    """Reads on from a cursor; remembers what it saw of orders.  One thread at a time."""

    def __init__(self) -> None:
        self._last: OrderedDict[uuid.UUID, Facts] = OrderedDict()

    def after(self, position: Position, limit: int = BATCH) -> list[Item]:
        """The next events, at most `limit`."""
        items = ready(list(followers.after(position)[:limit]), self._last)
        while len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        return items


def between(start: Position, end: Position, limit: int) -> list[Item] | None:
    """The events after `start` up to and with `end`; None when there are more than `limit`, or when `start`
    lies beyond the end of the log, as after a restored backup."""
    if start > followers.end():
        return None
    events = [event for event in followers.after(start)[: limit + 1] if (event.xid, event.seq) <= end]
    return None if len(events) > limit else ready(events, OrderedDict())


def ready(events: list[Event], last: OrderedDict[uuid.UUID, Facts]) -> list[Item]:
    """Events with what decides who sees them; four queries for any number.

    Facts are the order's present ones: an event that is read late is shown to those who may see it now.
    """
    ids = {event.order_id for event in events}
    rows = Order.objects.select_related("town", "committee", "estate", "company", "worker__company")
    rows = rows.prefetch_related("asks")
    orders = {order.pk: order for order in rows.filter(pk__in=ids)}
    names = names_of(event.by for event in events)
    items = []
    for event in events:
        order = orders[event.order_id]
        facts = facts_of(order)
        items.append(_item(event, order, facts, _before(event, facts, last), names))
        last[facts.order] = facts
        last.move_to_end(facts.order)
    return items


def _before(event: Event, facts: Facts, last: OrderedDict[uuid.UUID, Facts]) -> Facts | None:
    known = last.get(facts.order)
    if known is None and event.verb in ("assign", "take"):
        known = unassigned(facts)
    return known if known != facts else None


def _item(event: Event, order: Order, facts: Facts, before: Facts | None, names: dict[str, str]) -> Item:
    position = (event.xid, event.seq)
    now = standing(order)
    full = {**event_json(Line(event, who=names.get(event.by, ""))), **now}
    brief = {"version": event.version, "verb": event.verb, "milestone": event.milestone, "at": full["at"]}
    brief |= {name: now[name] for name in ("order_state", "number", "headline_promise", "headline_due")}
    return Item(
        position=position,
        facts=facts,
        before=before,
        frame=frame("order", full, position),
        tracked=frame("order", brief, position),
        gone=frame("gone", {"order": str(order.pk), "number": order.number}, position),
    )


def standing(order: Order) -> dict[str, Any]:
    """Where an order stands now, as its event is told; codes and names, no personal text."""
    due = order.headline_due
    return {
        "order_state": order.state,
        "number": order.number,
        "town": reference(order.town.code, order.town.name) if order.town else None,
        "company": reference(order.company.uscc, order.company.name) if order.company else None,
        "estate": reference(order.estate.code, order.estate.name) if order.estate else None,
        "worker": {"id": str(order.worker.pk), "name": order.worker.name} if order.worker else None,
        "urgency": order.urgency,
        "headline_promise": order.headline_promise or None,
        "headline_due": rfc3339(due, zone_of(order.district)) if due else None,
    }
