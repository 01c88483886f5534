"""Who is listening: a session, a bearer token or a tracking link.  Reads the database, so it runs on threads."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from jiying.live.reading import Item
from jiying.live.scope import may_see
from jiying.orders.queries import by_track
from jiying.people.models import User
from jiying.people.queries import user_of_token
from jiying.people.scopes import NOBODY, Scope, scope_of


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request brought: `kind` is session, bearer or track."""

    kind: str
    secret: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """What a listener may hear: the orders of a scope, or (`order`) one order in outline."""

    scope: Scope
    order: uuid.UUID | None = None

    def frame_of(self, item: Item) -> bytes | None:
        """What this viewer is told of an event: all of it, the outline, that it left their sight, or nothing."""
        if self.order is not None:
            return item.tracked if item.facts.order == self.order else None
        if may_see(self.scope, item.facts):
            return item.frame
        if item.before is not None and may_see(self.scope, item.before):
            return item.gone
        return None


def identify(credential: Credential) -> Viewer | None:
    """Who that is now; None when nobody: signed out, expired, revoked, unknown."""
    if credential.kind == "track":
        order = by_track(credential.secret)
        return Viewer(NOBODY, order.pk) if order else None
    user = user_of_token(credential.secret) if credential.kind == "bearer" else _of_session(credential.secret)
    if user is None or not user.is_authenticated:
        return None
    return Viewer(scope_of(user))


def identify_all(credentials: Sequence[Credential]) -> list[Viewer | None]:
    """The same for many, on one thread; who appears several times is looked up once."""
    known = {credential: identify(credential) for credential in dict.fromkeys(credentials)}
    return [known[credential] for credential in credentials]


def _of_session(key: str) -> User | AnonymousUser:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return get_user(request)
