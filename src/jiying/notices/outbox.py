"""From notices and events to rows of the outbox, in the transaction of the follower's cursor.

Only channels that are configured get rows; a batch that is handled twice writes nothing twice.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from jiying.estates.queries import zone_of
from jiying.notices import outgoing
from jiying.notices.models import Message, Notice
from jiying.notices.setup import Setup, setup
from jiying.notices.telling import REPLACED, Said, audiences
from jiying.notices.wishes import wishes_of
from jiying.orders.models import Event, Order

RESIDENT = "resident"

MOST_NEW_TIMES = 3
"""Texts about a new time that a resident gets in 24 hours about one order: their page tells all of them."""


def write(events: Sequence[Event], notices: Sequence[Notice]) -> None:
    """Write what goes out for a batch of events and the notices made of it."""
    ready = setup()
    if not ready.channels:
        return
    rows = [*_to_people(notices, events, ready), *_to_residents(events, ready), *_to_hooks(events, ready)]
    Message.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


def _to_people(notices: Sequence[Notice], events: Sequence[Event], ready: Setup) -> Iterator[Message]:
    channels = [name for name in ready.ready() if name in outgoing.PERSONAL]
    if not channels or not notices:
        return
    wishes = wishes_of(notice.user_id for notice in notices)
    by_id = {event.id: event for event in events}
    for notice in notices:
        event, wish = by_id[notice.event], wishes[notice.user_id]
        urgent = outgoing.is_urgent(event.order.urgency, notice.promise)
        kind = REPLACED if notice.why == REPLACED else notice.kind
        for channel in outgoing.channels_for(wish, kind, urgent=urgent, ready=channels):
            yield Message(
                **{**_facts(event), "step": notice.step},
                user_id=notice.user_id,
                recipient=str(notice.user_id),
                channel=channel,
                urgent=urgent,
                kind=kind,
                why=notice.why,
                due_at=outgoing.due(
                    wish, event.received_at, zone_of(event.district), urgent=urgent, on_duty=notice.on_duty
                ),
                parcel=outgoing.parcel(
                    wish,
                    urgent=urgent,
                    recipient=str(notice.user_id),
                    estate=event.order.estate_id or event.order_id,
                    promise=notice.promise,
                    step=notice.step or kind,
                ),
            )


def _to_residents(events: Sequence[Event], ready: Setup) -> Iterator[Message]:
    told = [event for event in events if _is_for_the_resident(event)] if "sms" in ready.channels else []
    if not told:
        return
    with_phone = set(
        Order.objects.filter(pk__in={event.order_id for event in told})
        .exclude(text__phone_hash="")
        .values_list("pk", flat=True)
    )
    texted = _new_times(told)
    for event in told:
        if event.order_id not in with_phone:
            continue
        if event.verb == "note":
            texted[event.order_id] += 1
        if event.verb != "note" or texted[event.order_id] <= MOST_NEW_TIMES:
            yield Message(
                **_facts(event),
                recipient=RESIDENT,
                channel="sms",
                urgent=True,
                kind=event.verb,
                why=RESIDENT,
                due_at=event.received_at,
                parcel=f"{RESIDENT}:{event.id}",
            )


def _new_times(events: Sequence[Event]) -> Counter[uuid.UUID]:
    """How many texts about a new time went out for each order in the 24 hours before these events; one query."""
    notes = [event for event in events if event.verb == "note"]
    if not notes:
        return Counter()
    since = min(event.received_at for event in notes) - timedelta(hours=24)
    rows = Message.objects.filter(order_id__in={event.order_id for event in notes}, recipient=RESIDENT, kind="note")
    rows = rows.filter(created_at__gt=since).exclude(event__in=[event.id for event in notes])
    return Counter(rows.values_list("order_id", flat=True))


def _is_for_the_resident(event: Event) -> bool:
    if event.verb not in outgoing.RESIDENT or event.role == "import" or event.data.get("quiet"):
        return False
    if event.verb == "note":
        return "new_time" in event.data
    return event.verb != "breach" or event.data.get("promise") == "respond_30"


def _to_hooks(events: Sequence[Event], ready: Setup) -> Iterator[Message]:
    hooks = ready.hooks()
    if not hooks:
        return
    told = [(event, audiences(Said(event.verb, event.role, event.milestone, event.data))) for event in events]
    told = [(event, who) for event, who in told if who]
    companies = _companies([event.order_id for event, _who in told])
    for event, who in told:
        for hook in hooks:
            wanted = [one for one in who if one in hook["audiences"]]
            if wanted and hook.get("company", "") in ("", companies.get(event.order_id)):
                yield Message(
                    **_facts(event),
                    recipient=f"hook:{hook['name']}",
                    channel="webhook",
                    urgent=outgoing.is_urgent(event.order.urgency, event.data.get("promise", "")),
                    kind=event.verb,
                    why=wanted[0],
                    due_at=event.received_at,
                    parcel=f"hook:{hook['name']}:{event.id}",
                )


def _companies(orders: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The credit codes of the companies that serve `orders`."""
    rows = Order.objects.filter(pk__in=orders, company__isnull=False)
    return dict(rows.values_list("pk", "company__organisation__code"))


def _facts(event: Event) -> dict[str, Any]:
    return {
        "district": event.district,
        "order_id": event.order_id,
        "event": event.id,
        "version": event.version,
        "step": event.data.get("step", ""),
        "promise": event.data.get("promise", ""),
        "created_at": event.received_at,
    }
