"""Writes about people: tokens and memberships."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core.crypto import sm3_hex
from jiying.core.errors import BadInput
from jiying.people.models import Membership, Organisation, Token, User


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
) -> Membership:
    """Make `user` a member; saying it twice changes nothing."""
    member, _created = Membership.objects.update_or_create(
        user=user,
        organisation=organisation,
        role=role,
        defaults={"duty": duty, "places": list(places), "valid_from": since, "valid_to": None},
    )
    return member


def leave(member: Membership, *, on: date) -> None:
    """End a membership on `on`; history keeps it."""
    member.valid_to = on
    member.save(update_fields=["valid_to"])
