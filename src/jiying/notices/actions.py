"""Writes about notices that are not derived from the log."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

from jiying.notices.models import Notice
from jiying.people.models import User


def mark_read(user: User, ids: Iterable[uuid.UUID] | None = None, *, now: datetime | None = None) -> int:
    """Mark notices of `user` as read, all unread ones where no `ids` are given; returns how many were new to them.

    Others' notices among `ids` are left alone.  Nothing is done by reading: only the order's own events do that.
    """
    rows = Notice.objects.filter(user_id=user.pk, read_at=None)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    return rows.update(read_at=now or timezone.now())
