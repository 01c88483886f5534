"""Writes about people: tokens and memberships.  A change of what somebody may do is put on the audit."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core.crypto import sm3_hex
from jiying.core.errors import BadInput
from jiying.people import audit
from jiying.people.models import AuditAction, Membership, Organisation, Token, User


def issue_token(user: User, *, days: int = 30) -> tuple[str, datetime]:
    """A new bearer token and when it ends; only its SM3 is stored."""
    if not 1 <= days <= 3650:
        raise BadInput.of("days", "out_of_range", _("有效天数应在 1 到 3650 之间。"))
    secret = secrets.token_urlsafe(32)
    now = timezone.now()
    token = Token.objects.create(
        user=user, digest=sm3_hex(secret.encode()), created_at=now, expires_at=now + timedelta(days=days)
    )
    return secret, token.expires_at


def join(
    user: User,
    organisation: Organisation,
    role: str,
    *,
    duty: str = "",
    places: tuple[str, ...] = (),
    since: date = date(2000, 1, 1),
    by: User | None = None,
    origin: str = audit.COMMAND,
) -> Membership:
    """Make `user` a member; saying it twice changes nothing."""
    wanted = {"duty": duty, "places": list(places), "valid_from": since, "valid_to": None}
    with transaction.atomic():
        member = Membership.objects.filter(user=user, organisation=organisation, role=role).first()
        if member is not None and all(getattr(member, name) == value for name, value in wanted.items()):
            return member
        member, _created = Membership.objects.update_or_create(
            user=user, organisation=organisation, role=role, defaults=wanted
        )
        record_membership(member, "join", by=by, origin=origin)
    return member


def leave(member: Membership, *, on: date, by: User | None = None, origin: str = audit.COMMAND) -> None:
    """End a membership on `on`; history keeps it."""
    member.valid_to = on
    with transaction.atomic():
        member.save(update_fields=["valid_to"])
        record_membership(member, "leave", by=by, origin=origin)


def record_membership(member: Membership, change: str, *, by: User | None, origin: str) -> None:
    """Put a changed membership on the audit; `change` is join, leave, or delete."""
    organisation = member.organisation
    audit.record(
        AuditAction.PERMISSION,
        by=by,
        district=organisation.district if organisation else "",
        origin=origin,
        subject=member.user_id,
        about=member.user.username,
        data={
            "change": change,
            "role": member.role,
            "organisation": organisation.code if organisation else "",
            "duty": member.duty,
            "places": len(member.places),
            "from": member.valid_from.isoformat(),
            "to": member.valid_to.isoformat() if member.valid_to else None,
        },
    )


def record_power(user: User, powers: dict[str, bool], *, by: User | None, origin: str) -> None:
    """Put a user's changed powers on the audit: whether they may sign in, enter the back office, do all there."""
    audit.record(
        AuditAction.PERMISSION,
        by=by,
        district="",
        origin=origin,
        subject=user.pk,
        about=user.username,
        data={"change": "power", **powers},
    )
