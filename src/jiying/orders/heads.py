"""The daily head over all orders, and what shows that something is gone.

A chain holds its own order together; a whole order that vanishes takes its chain with it.  Two things tell:

- Every day one file `heads/DAY.json` is written under JIYING_HOME: SM3 over `order:version:hash` of each order,
  by id, how many orders and events there were up to the last of each, and the head of the audit's rows.  Nothing
  is deleted but with its record (`Withdrawal`), so there can never be fewer.  Files are meant to be copied away,
  to somewhere the database's keeper does not write.
- On SQLite, which has one writer at a time, the numbers of events have no holes and the database remembers the
  last one; only a log that lost its beginning looks whole.  On PostgreSQL a number is also used up by what was
  rolled back: there the files alone tell.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Sum

from jiying.core.crypto import sm3_hex
from jiying.orders.models import Event, Order, Withdrawal
from jiying.people import audit


def head() -> tuple[int, str]:
    """How many orders there are, and the head over them."""
    rows = Order.objects.order_by("pk").values_list("pk", "version", "head")
    lines = [f"{pk}:{version}:{digest}" for pk, version, digest in rows.iterator(chunk_size=5000)]
    return len(lines), sm3_hex("\n".join(lines).encode())


def tell_withdrawn(import_id: object, orders: int, digest: str) -> Path:
    """Say beside the daily heads which import was taken out again, with how many orders and the head over them."""
    folder = Path(settings.HOME) / "heads"
    folder.mkdir(exist_ok=True)
    path = folder / f"withdrawn-{import_id}.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"import": str(import_id), "orders": orders, "head": digest}) + "\n")
    fresh.replace(path)
    return path


def export(day: date) -> Path | None:
    """Write the head of `day` unless it was written before; returns the new file."""
    folder = Path(settings.HOME) / "heads"
    path = folder / f"{day.isoformat()}.json"
    if path.exists():
        return None
    ids = Order.objects.order_by("pk").values_list("pk", flat=True)
    first_order, last_order = ids.first(), ids.last()
    last_event = Event.objects.aggregate(last=Max("seq"))["last"] or 0
    orders, digest = head()
    rows, audited = audit.head()
    told = {
        "day": day.isoformat(),
        "head": digest,
        "orders": orders,
        "first_order": str(first_order) if first_order else None,
        "last_order": str(last_order) if last_order else None,
        "orders_to_it": Order.objects.filter(pk__lte=last_order).count() if last_order else 0,
        "last_event": last_event,
        "events_to_it": Event.objects.filter(seq__lte=last_event).count(),
        "audit": rows,
        "audit_head": audited,
    }
    folder.mkdir(exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(told) + "\n")
    fresh.replace(path)
    return path


def gone(*, orders: int = 0, events: int = 0) -> Iterator[str]:
    """What shows that more was deleted than `orders` and `events`, of which is known which; in words.

    Orders of a withdrawn import are gone by right: each has its record.
    """
    withdrawn = Withdrawal.objects.aggregate(orders=Count("pk"), events=Sum("version"))
    orders, events = orders + withdrawn["orders"], events + (withdrawn["events"] or 0)
    for path in sorted((Path(settings.HOME) / "heads").glob("*.json")):
        yield from _fewer_than(path.stem, json.loads(path.read_text()), orders, events)
    if connection.vendor == "sqlite":
        yield from _holes(events)


def _fewer_than(day: str, told: dict[str, Any], orders: int, events: int) -> Iterator[str]:
    """Fewer orders or events, up to the last that the head of `day` knew; what commits late only adds to them."""
    if (
        not told.get("last_order")
        or not Order.objects.filter(pk__in=[told["first_order"], told["last_order"]]).exists()
    ):
        # Nobody had reported anything, or it is the head of another database that this home has had.
        return
    lost = told["orders_to_it"] - Order.objects.filter(pk__lte=uuid.UUID(told["last_order"])).count()
    if lost > orders:
        yield f"of {told['orders_to_it']} orders in the head of {day}, {lost} are gone"
    lost = told["events_to_it"] - Event.objects.filter(seq__lte=told["last_event"]).count()
    if lost > events:
        yield f"of {told['events_to_it']} events in the head of {day}, {lost} are gone"


def _holes(events: int) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [Event._meta.db_table])
        row = cursor.fetchone()
    # Read after the last number that is remembered: what is written meanwhile is no hole.
    found = Event.objects.aggregate(n=Count("pk"), first=Min("seq"), last=Max("seq"))
    if not found["n"]:
        return
    # A log may begin anywhere: where it was brought over from elsewhere it does.
    written = max(row[0] if row else 0, found["last"]) - found["first"] + 1
    if written - found["n"] > events:
        yield f"of {written} events that were written, {written - found['n']} are gone"
