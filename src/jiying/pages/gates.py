"""Who may enter a room: strangers sign in first, who has none of its roles gets the 403 page.  And from where on
an open page is told what happens."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from jiying.orders import followers
from jiying.people.models import User
from jiying.people.scopes import scope_of

View = Callable[..., HttpResponse]


def signed_in(request: HttpRequest) -> User:
    """The user of a request that passed a gate."""
    assert isinstance(request.user, User)
    return request.user


def only(*roles: str) -> Callable[[View], View]:
    """A view for those who hold one of `roles` today; its answers are never kept by caches."""
    wanted = frozenset(roles)

    def gate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not wanted & scope_of(request.user).roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return never_cache(login_required(checked))

    return gate


def live(view: View) -> View:
    """A view whose page follows the stream, from where the log stood before the page was read.

    An event between the reading and the connection would otherwise be told to nobody.
    """

    @wraps(view)
    def followed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        xid, seq = followers.end()
        request.live_from = f"{xid}-{seq}"  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return followed
