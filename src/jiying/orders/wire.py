"""Orders, clocks and events as the contract writes them: the one place that knows the JSON shapes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from jiying.core.times import rfc3339
from jiying.estates.queries import zone_of
from jiying.orders import contacts
from jiying.orders.models import Clock
from jiying.orders.queries import Line, Row


def reference(code: str, name: str) -> dict[str, str]:
    """A reference to something with a code."""
    return {"code": code, "name": name}


def _time(at: datetime | None, district: str) -> str | None:
    return rfc3339(at, zone_of(district)) if at is not None else None


def clock_json(clock: Clock) -> dict[str, Any]:
    """A promise: state as of now, minutes as integers, times with the district's offset."""
    return {
        "promise": clock.promise,
        "round": clock.round,
        "state": clock.present_state,
        "from_at": _time(clock.from_at, clock.district),
        "due_at": _time(clock.due_at, clock.district),
        "reached_at": _time(clock.reached_at, clock.district),
        "limit_minutes": clock.limit_minutes,
        "paused_minutes": clock.paused_minutes,
        "claimed": clock.claimed,
        "grade": clock.grade or None,
        "reason": clock.reason or None,
    }


def event_json(line: Line) -> dict[str, Any]:
    """An event; texts that were withheld from the chain stand in `data` where they still exist."""
    event = line.event
    return {
        "seq": event.seq,
        "id": str(event.id),
        "order": str(event.order_id),
        "version": event.version,
        "verb": event.verb,
        "milestone": event.milestone,
        "by": reference(event.by, line.who) if event.by else None,
        "role": event.role,
        "at": _time(event.at, event.district),
        "received_at": _time(event.received_at, event.district),
        "claimed": event.claimed,
        "data": line.data,
        "prev_hash": event.prev_hash,
        "hash": event.hash,
    }


def order_json(row: Row, *, events: bool = False) -> dict[str, Any]:
    """An order as those in its scope see it; contacts masked."""
    order = row.order
    text = getattr(order, "text", None)
    out: dict[str, Any] = {
        "id": str(order.pk),
        "number": order.number,
        "kind": order.kind,
        "category": order.category,
        "urgency": order.urgency,
        "state": order.state,
        "version": order.version,
        "channel": order.channel,
        "estate": reference(order.estate.code, order.estate.name) if order.estate else None,
        "town": reference(order.town.code, order.town.name) if order.town else None,
        "company": reference(order.company.uscc, order.company.name) if order.company else None,
        "worker": {"id": str(order.worker.pk), "name": order.worker.name} if order.worker else None,
        "building": order.building.name if order.building else None,
        "unit": text.unit if text else "",
        "address": text.address if text else "",
        "description": text.description if text else "",
        "reporter": contacts.masked(order),
        "reported_at": _time(order.reported_at, order.district),
        "reopened": order.reopened,
        "promises": [clock_json(clock) for clock in row.clocks],
        "possible_verbs": row.verbs,
    }
    if events:
        out["events"] = [event_json(line) for line in row.events]
    return out
