"""From messages to what a channel is given: addresses and words, made at the last moment and kept nowhere."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.utils import translation

from jiying.core.crypto import keyed_hash, same
from jiying.core.times import rfc3339
from jiying.notices import wording
from jiying.notices.channels import NotSent, Parcel
from jiying.notices.models import Message
from jiying.notices.outbox import RESIDENT
from jiying.notices.outgoing import Wish
from jiying.notices.setup import Setup
from jiying.notices.wishes import wish_of
from jiying.orders.contacts import phone_of


def packed(messages: Sequence[Message], ready: Setup) -> Parcel:
    """The parcel of `messages`, whose first is the leader.

    Raises:
        NotSent: there is no address any more.
    """
    leader = messages[0]
    wish = wish_of(leader.user) if leader.user is not None else Wish()
    to = _address(leader, wish)
    if not to:
        raise NotSent("no address", final=True)
    with translation.override(wish.language):
        return Parcel(
            id=str(leader.pk) if not leader.calls else f"{leader.pk}-{leader.calls + 1}",
            to=to,
            subject=wording.subject(messages) if leader.user_id else "",
            text=_text(messages, ready.public_url),
            count=len(messages),
            callback=f"{ready.public_url}/hooks/voice/{leader.pk}/{sign(leader.pk)}",
            data={
                "event": str(leader.event),
                "kind": leader.kind,
                "why": leader.why,
                "step": leader.step,
                "promise": leader.promise,
                "order": {"id": str(leader.order_id), "number": leader.order.number},
                "at": rfc3339(leader.created_at),
            },
        )


def _address(message: Message, wish: Wish) -> str:
    if message.channel == "webhook":
        return message.recipient
    if message.recipient == RESIDENT:
        return phone_of(message.order)
    return wish.email if message.channel == "email" else wish.phone


def _text(messages: Sequence[Message], public_url: str) -> str:
    leader = messages[0]
    if leader.recipient == RESIDENT:
        return wording.to_resident(leader, public_url)
    if leader.channel == "email":
        return wording.mail(messages, public_url)
    return wording.short(messages) if leader.user_id else ""


def sign(message_id: uuid.UUID) -> str:
    """What makes a call's address one that only its gateway knows."""
    return keyed_hash(str(message_id), purpose="voice")[:32]


def is_signed(message_id: uuid.UUID, signature: str) -> bool:
    """Whether `signature` is that of the message."""
    return same(signature, sign(message_id))
