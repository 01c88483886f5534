"""Writes about notices that are not derived from the log."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core.errors import NotFound
from jiying.core.text import clean
from jiying.notices.channels import load
from jiying.notices.models import Notice, Stopped
from jiying.people import audit
from jiying.people.models import AuditAction, User
from jiying.people.scopes import scope_of


def mark_read(user: User, ids: Iterable[uuid.UUID] | None = None, *, now: datetime | None = None) -> int:
    """Mark notices of `user` as read, all unread ones where no `ids` are given; returns how many were new to them.

    Others' notices among `ids` are left alone.  Nothing is done by reading: only the order's own events do that.
    """
    rows = Notice.objects.filter(user_id=user.pk, read_at=None)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    return rows.update(read_at=now or timezone.now())


def stop_channel(channel: str, *, by: User | None, reason: object, origin: str) -> None:
    """Stop a channel: what is due waits until `start_channel`.  Stopping what is stopped changes nothing.

    Raises:
        NotFound: no such channel.  BadInput: no reason.
    """
    said = _switch(channel, reason)
    with transaction.atomic():
        _row, new = Stopped.objects.get_or_create(pk=channel, defaults={"by": by, "reason": said, "at": timezone.now()})
        if new:
            _record(channel, "stop", by, said, origin)


def start_channel(channel: str, *, by: User | None, reason: object, origin: str) -> None:
    """Let a channel send again.  Raises: as `stop_channel`."""
    said = _switch(channel, reason)
    with transaction.atomic():
        if Stopped.objects.filter(pk=channel).delete()[0]:
            _record(channel, "start", by, said, origin)


def _switch(channel: str, reason: object) -> str:
    if channel not in load():
        raise NotFound(_("没有这个渠道。"))
    return clean(reason, field="reason", max_chars=200, single_line=True)


def _record(channel: str, change: str, by: User | None, reason: str, origin: str) -> None:
    districts = sorted(scope_of(by).districts) if by is not None else []
    audit.record(
        AuditAction.CHANNEL,
        by=by,
        district=districts[0] if len(districts) == 1 else "",
        origin=origin,
        subject=channel,
        about=channel,
        reason=reason,
        data={"change": change},
    )
