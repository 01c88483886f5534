"""Who asks: a bearer token, a session, or nobody.

A token that is given and wrong is refused everywhere, also where none is needed: to be taken for a stranger
unnoticed would be worse.  Writes by session want the CSRF token, as pages do; tokens and strangers do not.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security import HttpBearer
from ninja.utils import check_csrf

from jiying.api.problems import BadToken, CsrfFailed, SignInRequired
from jiying.core import journal
from jiying.people.models import User
from jiying.people.queries import user_of_token

Asker = User | AnonymousUser
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def asker_of(request: HttpRequest) -> Asker:
    """The user behind a request.

    Raises:
        BadToken, CsrfFailed.
    """
    given = request.headers.get("Authorization", "")
    if given:
        scheme, _space, secret = given.partition(" ")
        user = user_of_token(secret.strip()) if scheme.lower() == "bearer" and secret.isascii() else None
        if user is None:
            raise BadToken(_("令牌无效或已过期，请重新申请。"))
        journal.note(user=str(user.pk))
        return user
    session: Any = request.user
    if not session.is_authenticated:
        return AnonymousUser()
    # The body is read first: the check looks into forms, and a form that was looked into has no body any more.
    # An upload is a form, is only read as one, and would be too much for a body.
    upload = request.content_type == "multipart/form-data"
    if request.method not in _SAFE and (upload or request.body is not None) and check_csrf(request) is not None:
        raise CsrfFailed(_("用会话登录时，写操作要带上 X-CSRFToken 请求头。"))
    return session  # type: ignore[no-any-return]


class Anybody(HttpBearer):
    """Signed in or not."""

    def __call__(self, request: HttpRequest) -> Asker:
        return asker_of(request)

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Not used: `asker_of` reads the header itself."""
        raise NotImplementedError


class SignedIn(Anybody):
    """Signed in."""

    def __call__(self, request: HttpRequest) -> Asker:
        asker = asker_of(request)
        if not asker.is_authenticated:
            raise SignInRequired(_("请先登录，或带上有效的令牌。"))
        return asker


def asker(request: HttpRequest) -> Any:
    """The user that `Anybody` or `SignedIn` let in."""
    return request.auth  # type: ignore[attr-defined]
