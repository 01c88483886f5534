"""How somebody wants to be told, read and kept: telephone and address are sealed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from jiying.core.crypto import seal, unseal
from jiying.core.errors import BadInput
from jiying.core.phones import parse_phone
from jiying.notices.models import Wishes
from jiying.notices.outgoing import PERSONAL, Wish
from jiying.people.models import User

DIGESTS = ("now", "hour", "day")
LANGUAGES = ("zh-hans", "en")


def wish_of(user: User) -> Wish:
    """The wishes of `user`, or the defaults."""
    return wishes_of([user.pk])[user.pk]


def wishes_of(users: Iterable[uuid.UUID]) -> dict[uuid.UUID, Wish]:
    """The wishes of many; one query.  Who gave no address of their own has the one their account knows."""
    rows = User.objects.filter(pk__in=set(users)).select_related("wishes")
    return {user.pk: _read(user) for user in rows}


def _read(user: User) -> Wish:
    row: Wishes | None = getattr(user, "wishes", None)
    if row is None:
        return Wish(email=user.email)
    return Wish(
        email=_opened(user.pk, "email", row.email),
        phone=_opened(user.pk, "phone", row.phone),
        urgent=tuple(row.urgent),
        ordinary=tuple(row.ordinary),
        quiet_from=row.quiet_from,
        quiet_to=row.quiet_to,
        digest=row.digest,
        language=row.language,
    )


def _opened(user: uuid.UUID, field: str, blob: bytes | memoryview) -> str:
    return unseal(blob, context=f"wishes:{user}:{field}") if blob else ""


def _sealed(user: uuid.UUID, field: str, value: str) -> bytes:
    return seal(value, context=f"wishes:{user}:{field}") if value else b""


def keep(user: User, wish: Wish) -> None:
    """Keep what `user` wishes; an empty telephone or address means none.

    Raises:
        BadInput: bad_phone, bad_email, or `invalid` for a choice that is none.
    """
    phone = parse_phone(wish.phone, field="phone") if wish.phone else ""
    if wish.email:
        try:
            validate_email(wish.email)
        except ValidationError as error:
            raise BadInput.of("email", "bad_email", _("电子邮箱不对，请检查后再填。")) from error
    known = wish.digest in DIGESTS and wish.language in LANGUAGES
    known &= {*wish.urgent, *wish.ordinary} <= set(PERSONAL)
    known &= all(0 <= minute < 1440 for minute in (wish.quiet_from, wish.quiet_to))
    if not known:
        raise BadInput.of("settings", "invalid", _("页面不完整，请刷新后再试。"))
    Wishes.objects.update_or_create(
        user=user,
        defaults={
            "phone": _sealed(user.pk, "phone", phone),
            "email": _sealed(user.pk, "email", wish.email),
            "urgent": list(wish.urgent),
            "ordinary": list(wish.ordinary),
            "quiet_from": wish.quiet_from,
            "quiet_to": wish.quiet_to,
            "digest": wish.digest,
            "language": wish.language,
        },
    )
