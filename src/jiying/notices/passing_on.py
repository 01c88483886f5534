"""When somebody was not reached: the next who can do something hear of it in their inbox."""

from __future__ import annotations

from datetime import datetime

from jiying.notices.models import Message, Notice
from jiying.notices.recipients import Directory
from jiying.orders.models import Order

_STILL = (Message.WAITING, Message.SENDING, Message.SENT, Message.ACKNOWLEDGED)
_NEXT = {"centre": "supervisor", "supervisor": "district"}
"""Who hears of it; for everybody else the centre."""


def pass_on(failed: Message, now: datetime) -> int:
    """Tell the next of an urgent message that did not arrive; returns how many were told anew.

    Nobody is bothered while another channel may still reach the same person, unless it was a call that nobody
    answered: a mail that was delivered is no answer.
    """
    lost = [failed, *failed.carried.all()]
    told = 0
    for message in lost:
        if message.urgent and message.user_id is not None and (failed.channel == "voice" or not _others(message)):
            told += _tell(message, now)
    return told


def _others(message: Message) -> bool:
    alike = Message.objects.filter(event=message.event, recipient=message.recipient).exclude(channel=message.channel)
    return alike.filter(state__in=_STILL).exists()


def _tell(message: Message, now: datetime) -> int:
    order = Order.objects.select_related("company", "town", "committee", "estate").get(pk=message.order_id)
    asked = Notice.objects.filter(event=message.event, user_id=message.user_id).first()
    if asked is not None and asked.done_at is not None:
        return 0
    who = (_NEXT.get(message.why, "centre"),)
    people = Directory.of([order], now=now).people(order, who, None, at=now, waits=not message.urgent)
    before = Notice.objects.filter(order=order, version=message.version)
    known = set(before.values_list("user_id", flat=True))
    rows = [
        Notice(
            district=order.district,
            user_id=user,
            order=order,
            version=message.version,
            event=message.event,
            kind="unreached",
            why=why,
            on_duty=on_duty,
            step=message.step,
            promise=message.promise,
            ends_with=asked.ends_with if asked else "",
            until=asked.until if asked else order.headline_due,
            created_at=now,
        )
        for user, why, on_duty in people
        if user not in known
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
