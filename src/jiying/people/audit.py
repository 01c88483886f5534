"""The audit: one row for every unmasking, export, erasure and change of permission.

    audit.record("export", by=request.user, district="310115", about="工单", data={"rows": 1200},
                 reason="月度核对", origin=audit.origin_of(request))

Rows are only ever added.  Call it inside the transaction of what it tells of, so that neither stands alone.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from jiying.core.crypto import keyed_hash, same, sm3_hex
from jiying.people.models import Audit, AuditAction, User
from jiying.people.queries import main_role
from jiying.people.scopes import scope_of

COMMAND = "command"
"""The origin of what is done by a command on the machine itself."""


def origin_of(request: HttpRequest) -> str:
    """Where a request came from: its address, as the web server in front vouches for it."""
    return str(request.META.get("REMOTE_ADDR", ""))[:60]


def record(
    action: str,
    *,
    by: User | None,
    district: str,
    origin: str,
    role: str = "",
    subject: object = "",
    about: str = "",
    reason: str = "",
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> Audit:
    """Add one row.

    Args:
        action: one of `AuditAction`.
        by: the user who did it; None for a command on the machine.
        district: whose officers see the row; "" where none can be told (all of them see it).
        origin: `origin_of(request)`, or `COMMAND`.
        role: as what they did it; their farthest reaching role unless said.
        subject, about: the id and the name of what it was about; `about` is shown to people.
        reason: what was given as the reason, at most 200 characters.
        data: counts and codes as JSON; never personal data.
    """
    row = Audit(
        action=AuditAction(action),
        by=str(by.pk) if by is not None else "",
        role=role or (main_role(scope_of(by).roles) if by is not None else ""),
        district=district,
        subject=str(subject)[:60],
        about=about[:120],
        reason=reason[:200],
        origin=origin[:60],
        data=data or {},
        at=at or timezone.now(),
    )
    row.mark = _mark(row)
    row.save(force_insert=True)
    return row


def genuine(row: Audit) -> bool:
    """Whether the row is as `record` wrote it."""
    return same(row.mark, _mark(row))


def _mark(row: Audit) -> str:
    said = {
        name: getattr(row, name)
        for name in ("action", "by", "role", "district", "subject", "about", "reason", "origin", "data")
    }
    said |= {"id": str(row.id), "at": row.at.astimezone(UTC).isoformat(), "action": str(row.action)}
    return keyed_hash(json.dumps(said, sort_keys=True, ensure_ascii=False), purpose="audit")


def count_since(by: User, action: str, span: timedelta, now: datetime | None = None) -> int:
    """How many rows of `action` somebody caused within `span` before now: for limits."""
    now = now or timezone.now()
    return Audit.objects.filter(by=str(by.pk), action=action, at__gt=now - span).count()


def rows_of(action: str, subject: object) -> list[Audit]:
    """The genuine rows of `action` about `subject`, oldest first."""
    rows = Audit.objects.filter(action=action, subject=str(subject)).order_by("at", "pk")
    return [row for row in rows if genuine(row)]


def head() -> tuple[int, str]:
    """How many rows there are, and SM3 over their marks by id: exported daily, so that a deleted row shows."""
    marks = list(Audit.objects.order_by("pk").values_list("mark", flat=True).iterator(chunk_size=5000))
    return len(marks), sm3_hex("\n".join(marks).encode())
