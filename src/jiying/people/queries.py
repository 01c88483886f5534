"""Reads about people."""

from __future__ import annotations

from django.utils import timezone

from jiying.core.crypto import sm3_hex
from jiying.people.models import Membership, User

#: The role that names somebody who holds several: the one that reaches farthest.
_RANK = ("district", "supervisor", "operator", "town", "committee", "company", "manager", "worker", "resident")


def user_of_token(secret: str) -> User | None:
    """Whose bearer token this is; None when unknown, expired or the user is inactive."""
    return User.objects.filter(
        tokens__digest=sm3_hex(secret.encode()), tokens__expires_at__gt=timezone.now(), is_active=True
    ).first()


def memberships_of(user: User) -> list[Membership]:
    """Valid today, with their organisations."""
    return list(
        Membership.objects.filter(user=user)
        .valid_on(timezone.localdate())
        .select_related("organisation")
        .order_by("valid_from", "id")
    )


def main_role(roles: frozenset[str]) -> str:
    """The role that decides where somebody's home page is."""
    return next((role for role in _RANK if role in roles), "resident")
