"""Reads of the inbox: what wants an answer from somebody, why them, until when."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from jiying.notices.models import Notice
from jiying.orders.models import Order
from jiying.people.models import User

SHOWN = 200
KEPT = timedelta(days=7)
"""For how long what was answered is still shown."""


def mine(user: User) -> QuerySet[Notice]:
    """The notices of `user` about orders they may still see: who left a company takes nothing along."""
    seen = Order.objects.visible_to(user).filter(pk=OuterRef("order_id"))
    return Notice.objects.filter(Exists(seen), user_id=user.pk)


def open_count(user: User) -> int:
    """How many notices wait for an answer; reading them does not lower it."""
    return mine(user).filter(done_at=None).count()


def inbox(user: User, *, limit: int = SHOWN) -> tuple[list[Notice], list[Notice]]:
    """What waits, most pressing first, and what was answered in the last week, newest first; two queries."""
    rows = mine(user).select_related("order__estate", "order__building", "order__town", "order__company", "order__text")
    waiting = rows.filter(done_at=None).order_by(F("until").asc(nulls_last=True), "created_at", "pk")
    answered = rows.filter(done_at__gte=timezone.now() - KEPT).order_by("-done_at", "pk")
    return list(waiting[:limit]), list(answered[: limit // 4])
