"""Reads of the inbox: what wants an answer from somebody, why them, until when."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from jiying.notices.models import Notice
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
    """How many notices wait for an answer; reading them does not lower it."""
    return mine(user).filter(done_at=None).count()


def inbox(user: User, *, limit: int = SHOWN) -> tuple[list[Notice], list[Notice]]:
    """What waits, most pressing first, and what was answered in the last week, newest first; two queries."""
    rows = mine(user).select_related("order__estate", "order__building", "order__town", "order__company", "order__text")
    waiting = rows.filter(done_at=None).order_by(F("until").asc(nulls_last=True), "created_at", "pk")
    answered = rows.filter(done_at__gte=timezone.now() - KEPT).order_by("-done_at", "pk")
    return list(waiting[:limit]), list(answered[: limit // 4])
