"""The follower `dispatch`: from what happens to orders to when the dispatcher looks at them.

It only marks; `loop` decides and acts, each order in its own transaction.  A batch that is handled twice marks the
same twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from jiying.dispatch.models import Task
from jiying.dispatch.plan import AUTOMATIC, FREE, STUCK_MIN
from jiying.dispatch.policies import Policies
from jiying.dispatch.standby.actions import overtake
from jiying.orders.models import Event, Order
from jiying.orders.states import IMPORT, RULE

WATCHED = frozenset(
    {
        *("report", "sign", "return", "reopen", "resume", "reclassify", "assign", "take", "note", "depart", "arrive"),
        *("pause", "done", "solve_remotely", "refuse", "cancel"),
    }
)
"""After these somebody may have to be found, found again, or no longer."""

_ANEW = ("due_at", "why", "tries")


def mark(events: Sequence[Event]) -> None:
    """Set or clear the tasks of the orders that a batch is about, and end the waiting of who goes: at most eight
    queries.
    """
    overtake(events)
    told = {
        event.order_id: event
        for event in events
        if event.verb in WATCHED and (event.verb != "note" or "declines" in event.data)
    }
    if not told:
        return
    orders: list[Order] = [event.order for event in told.values()]
    policies = Policies.on(timezone.localdate(), {order.district for order in orders})
    anew: list[Task] = []
    ours: list[Task] = []
    over: list[uuid.UUID] = []
    for order in orders:
        rules, event = policies.of(order), told[order.pk]
        if event.role == IMPORT:
            # What another system tells of the past sends nobody; whoever acts on the order here begins anew.
            over.append(order.pk)
            continue
        if rules.mode != AUTOMATIC or order.kind != "repair" or order.state not in (*FREE, "assigned", "en_route"):
            over.append(order.pk)
            continue
        # When to look; what is to be done then is derived from the order's events.
        waits = timedelta(seconds=rules.after_s) if order.state in FREE else timedelta(minutes=rules.depart_min)
        if order.state == "en_route":
            waits = timedelta(minutes=STUCK_MIN)
        elif event.verb == "assign":
            leave_by = event.data.get("advice", {}).get("leave_by")
            waits = waits if leave_by is None else min(waits, timedelta(minutes=leave_by))
        due = event.received_at if event.verb == "note" else event.received_at + waits
        task = Task(order_id=order.pk, district=order.district, due_at=due)
        # What the dispatcher did itself has not answered what it asked the centre for.
        (ours if event.role == RULE else anew).append(task)
    for tasks, fields in ((anew, _ANEW), (ours, ("due_at",))):
        if tasks:
            Task.objects.bulk_create(
                tasks, batch_size=500, update_conflicts=True, unique_fields=["order"], update_fields=fields
            )
    given = {event.order_id for event in events if event.verb in ("assign", "take", "reclassify")}
    called = {order.worker_id for order in orders if order.urgency == "emergency" and order.pk in given}
    if called := called - {None}:
        # What else they were sent to may now be better off with somebody else.
        held = Order.objects.filter(worker__in=called, state__in=("assigned", "en_route")).exclude(urgency="emergency")
        Task.objects.filter(order__in=held).update(due_at=max(event.received_at for event in told.values()))
    if over:
        Task.objects.filter(order_id__in=over).delete()
