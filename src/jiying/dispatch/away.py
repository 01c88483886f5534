"""To which emergencies somebody was sent who had an ordinary order already, and until when: from the events of these.

Columns of an order say what it is now: who had it before, and when they left it, only its events say.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby

from jiying.dispatch.plan import Away
from jiying.orders.models import Event, Order

SENDS = ("assign", "take")
LEAVES = frozenset({"done", "solve_remotely", "pause", "return", "refuse", "cancel"})
"""After these an order keeps nobody any more, for the time being at least."""

TOLD_LATE = timedelta(days=1)
"""So much later than it happened a telephone without signal may tell of it."""

_READ = (*SENDS, *LEAVES, "resume", "reopen", "reclassify")


def of(order: Order, since: datetime) -> Away:
    """Where who has an ordinary order was sent after `since`.  Two queries; none for an emergency."""
    worker = order.worker_id
    if worker is None or order.urgency == "emergency":
        return Away()
    sent = Event.objects.filter(
        verb__in=SENDS, at__gte=since - TOLD_LATE, received_at__gte=since, district=order.district,
        canonical__contains=str(worker),
    ).exclude(order=order.pk)  # fmt: skip
    ids = set(sent.values_list("order_id", flat=True))
    if not ids:
        return Away()
    rows = Event.objects.filter(order__in=ids, verb__in=_READ, received_at__gte=since)
    called: list[datetime] = []
    back: list[datetime] = []
    for _order, events in groupby(rows.select_related("order").order_by("order", "version"), lambda e: e.order_id):
        at_it, until = _stay(events, worker)
        called += [at_it] if at_it else []
        back += [until] if until else []
    return Away(min(called, default=None), max(back, default=None))


def _stay(events: Iterable[Event], worker: uuid.UUID) -> tuple[datetime | None, datetime | None]:
    """Since when `worker` is at an emergency, and until when they were the last time; an ordinary order is none."""
    at_it: datetime | None = None
    until: datetime | None = None
    theirs, lowered, urgent = False, False, False
    for event in events:
        urgent = event.order.urgency == "emergency"
        if event.verb in SENDS:
            theirs = event.data["worker"] == str(worker)
        if (event.verb in SENDS and not theirs) or event.verb in LEAVES:
            at_it, until = None, event.received_at if at_it else until
        elif theirs and event.verb in (*SENDS, "resume", "reopen"):
            at_it = at_it or event.received_at
        elif event.verb == "reclassify" and at_it and not urgent:
            at_it, until, lowered = None, event.received_at, True
    if not urgent and not lowered:
        return None, None
    return at_it if urgent else None, until
