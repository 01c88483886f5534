"""Sending what is due: a thread a channel, so that one which hangs delays no other.

Right with several processes and after a kill between any two lines: a message is claimed before it is sent, for a
time; what was claimed and never recorded goes out again under the same id, or, where the other side would not know
it again, counts as failed.
"""

from __future__ import annotations

import logging
import threading
import uuid
from datetime import datetime, timedelta

from django.db import close_old_connections, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from jiying.notices import outgoing
from jiying.notices.channels import Channel, NotSent, Unsure, load
from jiying.notices.models import Message, Notice, Stopped
from jiying.notices.packing import packed
from jiying.notices.passing_on import pass_on
from jiying.notices.setup import Setup, setup
from jiying.notices.sorting import sort_out

log = logging.getLogger("jiying.notices")

LEASE = timedelta(minutes=3)
"""Longer than any time-out of a channel."""
LOOK_EVERY_S = 0.5
CALLS = 3
"""How often somebody is called before it counts as not acknowledged."""
ANSWER_WITHIN_MIN = 2


def run(stop: threading.Event) -> None:
    """Send by every channel until `stop`."""
    threads = [
        threading.Thread(target=_work, args=(channel, stop), name=f"notices-{channel.name}", daemon=True)
        for channel in load().values()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _work(channel: Channel, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            close_old_connections()
            while sweep(channel) and not stop.is_set():
                pass
        except Exception:
            # The database may be away for a moment; what is due is still due when it is back.
            log.exception("channel %s failed; trying again", channel.name)
        stop.wait(LOOK_EVERY_S)
    connection.close()


def sweep(channel: Channel, now: datetime | None = None) -> bool:
    """Send one parcel of `channel` that is due; whether there was one.  Nothing where it is stopped or not set up."""
    now, ready = now or timezone.now(), setup()
    if channel.name not in ready.channels:
        return False
    _recover(channel, ready, now)
    _call_again(channel, now)
    if Stopped.objects.filter(pk=channel.name).exists():
        return False
    due = Message.objects.filter(channel=channel.name, state=Message.WAITING, due_at__lte=now)
    first = due.order_by("-urgent", "due_at", "pk").first()
    if first is None:
        return False
    claimed = _claim(channel, first, now)
    if claimed:
        _send(channel, claimed, ready, now)
    return True


def _claim(channel: Channel, first: Message, now: datetime) -> list[Message]:
    """The parcel of `first`, ours until the lease ends, its leader first; empty where nothing is to be sent of it."""
    with transaction.atomic():
        alike = Message.objects.filter(channel=channel.name, parcel=first.parcel, state=Message.WAITING)
        # All of it and in one order, so that two senders neither share a parcel nor wait for each other in a ring.
        held = list(alike.order_by("pk").select_for_update())
        rows = sort_out(held, asks=channel.asks, now=now)
        if channel.asks and rows and rows[0].calls >= CALLS:
            _fail(rows[0], "not acknowledged", now)
            return []
        if not rows:
            return []
        leader, carried = rows[0], rows[1:]
        leader.state, leader.attempts, leader.due_at = Message.SENDING, leader.attempts + 1, None
        leader.claimed_until = now + LEASE
        leader.save(update_fields=["state", "attempts", "due_at", "claimed_until"])
        Message.objects.filter(pk__in=[one.pk for one in carried]).update(
            state=Message.CARRIED, leader=leader, due_at=None
        )
    related = ("order__estate", "order__building", "order__text", "user")
    parcel = Message.objects.filter(pk=leader.pk) | Message.objects.filter(leader=leader)
    return sorted(parcel.select_related(*related), key=lambda one: (one.pk != leader.pk, one.created_at))


def _send(channel: Channel, messages: list[Message], ready: Setup, now: datetime) -> None:
    leader = messages[0]
    settings = ready.channels[channel.name]
    try:
        channel.send(packed(messages, ready), settings, private=ready.private)
    except NotSent as error:
        lost = isinstance(error, Unsure) and not channel.repeatable(settings)
        _not_sent(leader, str(error), now, final=error.final or lost)
    except Exception as error:
        # Whatever a channel stumbles over is this message's matter; the others go on.
        log.exception("message %s cannot be sent", leader.pk)
        _not_sent(leader, type(error).__name__, now, final=False)
    else:
        again = None
        if channel.asks:
            again = now + timedelta(minutes=settings.get("answer_within_min", ANSWER_WITHIN_MIN))
        _ours(leader).update(
            state=Message.SENT, sent_at=now, due_at=again, claimed_until=None, reason="", calls=F("calls") + 1
        )


def _ours(message: Message) -> QuerySet[Message]:
    """The row, if nobody took it over or acknowledged it meanwhile."""
    return Message.objects.filter(pk=message.pk, state=Message.SENDING, claimed_until=message.claimed_until)


def _not_sent(message: Message, reason: str, now: datetime, *, final: bool) -> None:
    with transaction.atomic():
        if final or message.attempts >= outgoing.ATTEMPTS:
            if _ours(message).exists():
                _fail(message, reason, now)
            return
        again = now + outgoing.rest(message.attempts)
        _ours(message).update(state=Message.WAITING, due_at=again, claimed_until=None, reason=reason[:200])


def _fail(message: Message, reason: str, now: datetime) -> None:
    message.state, message.reason, message.due_at, message.claimed_until = Message.FAILED, reason[:200], None, None
    message.save(update_fields=["state", "reason", "due_at", "claimed_until"])
    pass_on(message, now)


def _recover(channel: Channel, ready: Setup, now: datetime) -> None:
    """Take back what somebody claimed and never recorded."""
    lost = Message.objects.filter(channel=channel.name, state=Message.SENDING, claimed_until__lt=now)
    if not lost.exists():
        return
    again = channel.repeatable(ready.channels[channel.name])
    with transaction.atomic():
        for message in lost.order_by("pk").select_for_update():
            if again and message.attempts < outgoing.ATTEMPTS:
                message.state, message.due_at, message.claimed_until = Message.WAITING, now, None
                message.save(update_fields=["state", "due_at", "claimed_until"])
            else:
                _fail(message, "interrupted: nobody knows whether it went out", now)


def _call_again(channel: Channel, now: datetime) -> None:
    """Take up again what was to be acknowledged and was not."""
    if channel.asks:
        silent = Message.objects.filter(channel=channel.name, state=Message.SENT, due_at__lte=now)
        silent.update(state=Message.WAITING, attempts=0, due_at=now)


def acknowledge(message_id: uuid.UUID, now: datetime | None = None) -> bool:
    """Somebody pressed the key; whether the call is known.  Said twice it stays as it was."""
    now = now or timezone.now()
    with transaction.atomic():
        message = Message.objects.select_for_update().filter(pk=message_id, channel="voice").first()
        if message is None:
            return False
        if message.acknowledged_at is None:
            message.state, message.acknowledged_at, message.due_at = Message.ACKNOWLEDGED, now, None
            message.save(update_fields=["state", "acknowledged_at", "due_at"])
            events = [message.event, *message.carried.values_list("event", flat=True)]
            Notice.objects.filter(user_id=message.user_id, event__in=events, read_at=None).update(read_at=now)
    return True
