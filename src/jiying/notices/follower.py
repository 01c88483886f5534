"""The follower `notices`: from events to rows in inboxes and in the outbox, and from later events to their end.

Idempotent: a batch that is handled twice writes nothing twice.  The number of queries does not grow with the
batch.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from jiying.estates.models import Worker
from jiying.notices import outbox
from jiying.notices.models import Notice
from jiying.notices.recipients import Directory
from jiying.notices.telling import REPLACED, Said, audiences, reason_of, settles
from jiying.orders.models import Clock, Event, Order
from jiying.orders.store import pack_of

ClockKey = tuple[uuid.UUID, str, int]


def tell(events: Sequence[Event]) -> None:
    """Write the notices of a batch, then settle what its events answer."""
    notices = _notices(events)
    Notice.objects.bulk_create(notices, batch_size=500, ignore_conflicts=True)
    outbox.write(events, notices)
    _settle(events)


def said_of(event: Event, *, worker: bool = False) -> Said:
    """The pure view of a stored event."""
    return Said(event.verb, event.role, event.milestone, event.data, worker)


def _notices(events: Sequence[Event]) -> list[Notice]:
    told = [event for event in events if audiences(said_of(event))]
    if not told:
        return []
    ids = {event.order_id for event in told}
    rows = Order.objects.filter(pk__in=ids).select_related("company", "town", "committee", "estate", "worker")
    orders = {order.pk: order for order in rows}
    clocks = {
        (clock.order_id, clock.promise, clock.round): clock
        for clock in Clock.objects.filter(order_id__in={e.order_id for e in told if "promise" in e.data})
    }
    sent = _sent(told)
    directory = Directory.of(orders.values(), told)
    notices: list[Notice] = []
    for event in told:
        order = orders[event.order_id]
        worker = sent.get(event.data.get("worker", ""), order.worker.user_id if order.worker else None)
        who = audiences(said_of(event, worker=worker is not None))
        blank = _blank(event, order, clocks)
        replaced = sent.get(event.data.get("instead_of", ""))
        waits = order.urgency != "emergency" or event.verb == "supervise"
        people = directory.people(order, who, worker, replaced, at=event.received_at, event=event.id, waits=waits)
        for user, why, on_duty in people:
            if str(user) != event.by:
                step = reason_of(event.data) if why == REPLACED else event.data.get("step", "")
                notices.append(Notice(user_id=user, why=why, on_duty=on_duty, step=step, **blank))
    return notices


def _sent(events: Iterable[Event]) -> dict[str, uuid.UUID | None]:
    """The users of the workers whom `assign` events send and replace: by then the order may have somebody else."""
    named = [event.data for event in events if event.verb == "assign"]
    ids = {data[name] for data in named for name in ("worker", "instead_of") if name in data}
    return {str(pk): user for pk, user in Worker.objects.filter(pk__in=ids).values_list("pk", "user_id")} if ids else {}


def _blank(event: Event, order: Order, clocks: dict[ClockKey, Clock]) -> dict[str, object]:
    """What all notices of an event share."""
    data = event.data
    clock = clocks.get((event.order_id, data.get("promise", ""), data.get("round", 0)))
    return {
        "district": event.district,
        "order_id": event.order_id,
        "version": event.version,
        "event": event.id,
        "kind": event.verb,
        "promise": data.get("promise", ""),
        "ends_with": _ends_with(data.get("step", ""), order, clock),
        "until": _until(event, order, clock),
        "created_at": event.received_at,
    }


def _until(event: Event, order: Order, clock: Clock | None) -> datetime | None:
    if event.verb == "supervise":
        return datetime.fromisoformat(event.data["answer_by"])
    return clock.due_at if clock else order.headline_due


def _ends_with(step: str, order: Order, clock: Clock | None) -> str:
    """The milestone a rung or a clock waits for, as the order's own rule pack says it."""
    if clock is None:
        return ""
    pack = pack_of(order.pack)
    rung = next((rung for rung in pack.ladder if rung.step == step), None)
    if rung is not None and rung.unless:
        return rung.unless
    return next((rule.target for rule in pack.promises if rule.id == clock.rule), "")


_SILENT = frozenset({"report", "warn", "escalate", "wrong_code", "attach", "erase", "ask_centre", "repack"})
"""Events that answer nothing."""


def _settle(events: Sequence[Event]) -> None:
    spoken = [event for event in events if event.verb not in _SILENT]
    if not spoken:
        return
    waiting: dict[uuid.UUID, list[Notice]] = {}
    for notice in Notice.objects.filter(order_id__in={event.order_id for event in spoken}, done_at=None):
        waiting.setdefault(notice.order_id, []).append(notice)
    done: list[Notice] = []
    for event in spoken:
        said = said_of(event)
        for notice in waiting.get(event.order_id, ()):
            if notice.done_at is None and notice.version < event.version and settles(said, notice):
                notice.done_at = event.received_at
                done.append(notice)
    Notice.objects.bulk_update(done, ["done_at"], batch_size=500)
