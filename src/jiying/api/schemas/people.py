"""Who asks."""

from __future__ import annotations

from uuid import UUID

from ninja import Schema

from jiying.api.schemas.common import Reference, RoleName


class User(Schema):
    """Somebody who signs in."""

    id: UUID
    username: str
    name: str


class Member(Schema):
    """What somebody is, for whom; `estates` narrows it to some, empty means all."""

    role: RoleName
    duty: str
    organisation: Reference | None
    kind: str | None
    estates: list[str]
    valid_from: str
    valid_to: str | None


class Me(Schema):
    """Who asks."""

    user: User
    memberships: list[Member]
    role: RoleName
