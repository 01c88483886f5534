"""Reads of inbox and outbox: what wants an answer from somebody, who was told what, how the channels stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from jiying.dispatch.standby.models import Stand, Standby
from jiying.dispatch.standby.queries import asked_of
from jiying.notices.channels import load
from jiying.notices.models import Message, Notice, Stopped
from jiying.notices.setup import setup
from jiying.notices.surging import calls
from jiying.notices.telling import REPLACED
from jiying.orders.models import Order
from jiying.people.models import User
from jiying.people.scopes import scope_of

SHOWN = 200
REPLACED_TOLD = timedelta(days=1)
KEPT = timedelta(days=7)
"""For how long what was answered is still shown."""


def mine(user: User) -> QuerySet[Notice]:
    """The notices of `user` about orders they may still see: who left a company takes nothing along.

    That one need not go any more is told for a day, while one works somewhere: the order itself is gone.
    """
    seen: Exists | Q = Exists(Order.objects.visible_to(user).filter(pk=OuterRef("order_id")))
    if scope_of(user).works_for:
        seen = Q(seen) | Q(why=REPLACED, created_at__gt=timezone.now() - REPLACED_TOLD)
    return Notice.objects.filter(seen, user_id=user.pk)


def replaced(user: User) -> list[Notice]:
    """What `user` was sent to and need not go to any more, as long as the one sent instead has not set off."""
    rows = (
        mine(user).filter(why=REPLACED, done_at=None).select_related("order__estate", "order__building", "order__text")
    )
    return list(rows.order_by("-created_at")[:5])


def open_count(user: User) -> int:
    """How many notices wait for an answer, with surges and a wish to wait elsewhere; reading them does not lower it."""
    return mine(user).filter(done_at=None).count() + len(calls(user)) + (asked_to_wait(user) is not None)


def asked_to_wait(user: User) -> Standby | None:
    """Where `user`, who repairs, was asked to wait and has not said whether they go."""
    one = asked_of(user)
    return one if one is not None and one.state == Stand.ASKED else None


def inbox(user: User, *, limit: int = SHOWN) -> tuple[list[Notice], list[Notice]]:
    """What waits, most pressing first, and what was answered in the last week, newest first; two queries."""
    rows = mine(user).select_related("order__estate", "order__building", "order__town", "order__company", "order__text")
    waiting = rows.filter(done_at=None).order_by(F("until").asc(nulls_last=True), "created_at", "pk")
    answered = rows.filter(done_at__gte=timezone.now() - KEPT).order_by("-done_at", "pk")
    return list(waiting[:limit]), list(answered[: limit // 4])


OVERDUE = timedelta(minutes=10)
MOST_TOLD = 300


@dataclass(frozen=True, slots=True)
class Standing:
    """How a channel stands: `ready` set up; `overdue` of those that wait, for more than ten minutes; `failed` within
    a day."""

    name: str
    ready: bool
    stopped: Stopped | None
    waiting: int
    overdue: int
    failed: int


def standing(now: datetime) -> list[Standing]:
    """All channels; three queries."""
    ready, stopped = setup().ready(), {row.pk: row for row in Stopped.objects.select_related("by")}
    due = Q(state=Message.WAITING, due_at__lt=now - OVERDUE) | Q(state=Message.SENDING, claimed_until__lt=now - OVERDUE)
    counts = {
        row["channel"]: row
        for row in Message.objects.filter(
            Q(state__in=(Message.WAITING, Message.SENDING)) | Q(created_at__gt=now - KEPT)
        )
        .values("channel")
        .annotate(
            waiting=Count("pk", filter=Q(state=Message.WAITING)),
            overdue=Count("pk", filter=due),
            failed=Count("pk", filter=Q(state=Message.FAILED, created_at__gt=now - timedelta(days=1))),
        )
        .order_by()
    }
    none = {"waiting": 0, "overdue": 0, "failed": 0}
    return [
        Standing(name, name in ready, stopped.get(name), **{key: counts.get(name, none)[key] for key in none})
        for name in load()
    ]


@dataclass(frozen=True, slots=True)
class Told:
    """One line of who was told what: `who` a user's name, empty for the resident; `channel` may be `inbox`.

    `on_duty`: the duty roster named them.
    """

    at: datetime
    who: str
    why: str
    event: UUID
    kind: str
    step: str
    promise: str
    channel: str
    state: str
    acknowledged_at: datetime | None
    reason: str
    on_duty: bool = False


def told_about(order: Order) -> list[Told]:
    """Who was told what about an order, when and how, newest first; two queries."""
    notices = Notice.objects.filter(order=order).select_related("user").order_by("-created_at", "-pk")[:MOST_TOLD]
    lines = [_noticed(one) for one in notices]
    named = {(one.user_id, one.event) for one in notices if one.on_duty}
    messages = Message.objects.filter(order=order).select_related("user", "leader").order_by("-created_at", "-pk")
    lines += [_told(one, on_duty=(one.user_id, one.event) in named) for one in messages[:MOST_TOLD]]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:MOST_TOLD]


def _noticed(notice: Notice) -> Told:
    return Told(
        notice.created_at,
        str(notice.user),
        notice.why,
        notice.event,
        notice.kind,
        notice.step,
        notice.promise,
        "inbox",
        "sent",
        notice.read_at,
        "",
        notice.on_duty,
    )


def _told(message: Message, *, on_duty: bool) -> Told:
    # How it stands with a message that another carried is how it stands with that one.
    bearer = message.leader or message
    who = str(message.user) if message.user else message.recipient.partition(":")[2]
    return Told(
        bearer.sent_at or message.created_at,
        who,
        message.why,
        message.event,
        message.kind,
        message.step,
        message.promise,
        message.channel,
        bearer.state,
        bearer.acknowledged_at,
        bearer.reason,
        on_duty,
    )
