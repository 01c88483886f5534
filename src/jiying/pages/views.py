"""The front page, signing in and out, and the page that shows every component."""

from __future__ import annotations

import re
from typing import Any

from allauth.account.views import LoginView
from django.conf import settings
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from jiying.pages import samples
from jiying.pages.doors import home_of
from jiying.people.models import User
from jiying.people.queries import main_role
from jiying.people.scopes import scope_of

DEMO_PREFIX = "demo-"
_TRACK = re.compile(r"(?:^|/t/)([A-Za-z0-9_-]{16,64})/?(?:[?#]|$)")
_BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_GET
def front(request: HttpRequest) -> HttpResponse:
    """`/`: what this is, for strangers; for everybody else the way to their own place.

    `?track=` takes a saved tracking link, or its token, and goes there.
    """
    pasted = request.GET.get("track", "").strip()[:300]
    if found := _TRACK.search(pasted):
        return redirect(f"/t/{found[1]}")
    if request.user.is_authenticated and not pasted:
        return redirect(home_of(scope_of(request.user).roles))
    return render(request, "pages/front.html", {"lost": pasted})


def _demo_users() -> list[dict[str, Any]]:
    """The demo's users with their role and organisation, nearest to the resident first."""
    users = User.objects.filter(username__startswith=DEMO_PREFIX, is_active=True, is_staff=False).prefetch_related(
        "memberships__organisation"
    )
    order = ["resident", "worker", "manager", "company", "committee", "town", "operator", "supervisor", "district"]
    found = []
    for user in users:
        role = main_role(scope_of(user).roles)
        body = next((m.organisation.name for m in user.memberships.all() if m.organisation is not None), "")
        found.append({"username": user.username, "name": str(user), "role": role, "organisation": body})
    return sorted(found, key=lambda row: (row["username"].endswith("-2"), order.index(row["role"])))


class SignIn(LoginView):  # type: ignore[misc]
    """`/sign-in`: name and password; in a demo also one click for each of its users."""

    template_name = "pages/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Adds `demo_users`, empty outside a demo."""
        return {**super().get_context_data(**kwargs), "demo_users": _demo_users() if settings.DEMO else []}


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session; only by POST, so that no picture on another page can do it."""
    logout(request)
    return redirect("/")


@require_POST
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """One-click sign-in as a user of the demo; 404 outside a demo, and for users who are none of its own."""
    if not settings.DEMO:
        raise Http404
    username = request.POST.get("username", "")
    if not username:
        return HttpResponseBadRequest(_("请选择一位演示用户。"))
    if not username.startswith(DEMO_PREFIX) or "\0" in username:
        raise Http404
    # Whoever has the back office's keys signs in with a password, in a demo too.
    user = User.objects.filter(username=username, is_active=True, is_staff=False, is_superuser=False).first()
    if user is None:
        raise Http404
    login(request, user, backend=_BACKEND)
    return redirect(home_of(scope_of(user).roles))


@require_GET
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in every state, for looking at; only in a demo."""
    if not settings.DEMO:
        raise Http404
    return render(request, "pages/styleguide.html", samples.context())


def error_403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Signed in, but the page is for others."""
    return render(request, "403.html", status=403)


def error_csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token is missing or has run out; the reason is for developers, and stays in the log."""
    return render(request, "403_csrf.html", status=403)


def error_404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such page, or out of the asker's scope: the two are not told apart."""
    return render(request, "404.html", status=404)


def too_many(request: HttpRequest, *_rest: Any, **_more: Any) -> HttpResponse:
    """Too many tries in a short time; axes calls it too, with the credentials that were tried."""
    return render(request, "429.html", status=429)


def error_500(request: HttpRequest) -> HttpResponse:
    """Something broke: a page that leans on nothing, in both languages."""
    return HttpResponse(render_to_string("500.html"), status=500)
