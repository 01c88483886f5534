"""`/t/{token}`: how far an order is, for whoever holds its link, and what its reporter may do.

The link alone shows the progress.  The arrival code and the verbs that change something want the last four digits
of the telephone, once in a browser's session.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from jiying.core import limits
from jiying.core.errors import BadCode, JiyingError, RateLimited, UnknownVerb
from jiying.estates.queries import zone_of
from jiying.orders.actions import act, check_last4
from jiying.orders.actors import TRACKER, Actor
from jiying.orders.models import Order
from jiying.orders.proof import arrival_code
from jiying.orders.queries import by_track, rows_of
from jiying.pages.albums import album_of
from jiying.pages.gates import live
from jiying.pages.shown import sign_of
from jiying.pages.verbforms import data_from
from jiying.resident import mine
from jiying.resident.form import plain
from jiying.resident.story import story_of

#: Verbs that only the reporter may say, not everybody with the link.
DELICATE = frozenset({"confirm", "reopen", "rate", "cancel"})
VERBS = DELICATE | {"urge", "note"}
#: As they stand on the page: the likely one first, the one that ends everything last.
_ORDER = ("confirm", "rate", "reopen", "urge", "note", "cancel")
#: Not a verb: shows the arrival code to who knows the digits.
SHOW_CODE = "show-code"
_BEFORE_ARRIVAL = frozenset({"submitted", "returned", "signed", "assigned", "en_route", "paused"})


@never_cache
@require_http_methods(["GET", "HEAD"])
@live
def track(request: HttpRequest, token: str) -> HttpResponse:
    """The page of one order."""
    order = by_track(token)
    if order is None:
        return _unknown(request)
    return _page(request, order, token)


@never_cache
@require_POST
def act_on_track(request: HttpRequest, token: str, verb: str) -> HttpResponse:
    """Say a verb as the reporter; what is refused comes back with all that was typed."""
    order = by_track(token)
    if order is None:
        return _unknown(request)
    try:
        proven = _do(request, order, verb)
    except JiyingError as error:
        return _page(request, by_track(token) or order, token, tried=verb, error=error)
    response = redirect(f"/t/{token}")
    if proven:
        mine.remember(request, response, order)
    return response


def _do(request: HttpRequest, order: Order, verb: str) -> bool:
    """Returns whether the digits were shown on the way.

    Raises:
        RateLimited, UnknownVerb, BadCode, and what `act` raises.
    """
    if verb not in VERBS | {SHOW_CODE}:
        raise UnknownVerb(_("没有这个操作。"))
    seconds = limits.allow(request.META["REMOTE_ADDR"])
    if seconds is not None:
        raise RateLimited(_("点得太快了，请过 %(n)d 秒再试。您写的内容都还在。") % {"n": seconds}, retry_after=seconds)
    last4 = plain(request.POST.get("last4", ""), 8)
    proven = verb in DELICATE | {SHOW_CODE} and (bool(last4) or not mine.is_proven(request, order))
    if proven:
        check_last4(order, last4)
    if verb != SHOW_CODE:
        by = Actor.of(request.user) if order.reporter_id and order.reporter_id == request.user.pk else TRACKER
        key = plain(request.POST.get("idempotency_key", ""), 200)
        act(order.pk, verb, by=by, data=data_from(verb, request.POST), key=key)
        messages.success(request, _THANKS[verb]())
    return proven


_THANKS = {
    "confirm": lambda: _("谢谢，已记下：修好了。"),
    "reopen": lambda: _("已记下：没修好。师傅会再来，时间从现在重新算。"),
    "rate": lambda: _("谢谢您的评价。"),
    "cancel": lambda: _("已撤回。"),
    "urge": lambda: _("已催办，处理的人马上看到。"),
    "note": lambda: _("留言已送到。"),
}


def _page(
    request: HttpRequest, order: Order, token: str, *, tried: str = "", error: JiyingError | None = None
) -> HttpResponse:
    row = rows_of([order], TRACKER, events=True)[0]
    proven = mine.is_proven(request, order)
    code = arrival_code(order.pk, 1 + order.reopened) if order.state in _BEFORE_ARRIVAL else ""
    with timezone.override(zone_of(order.district)):
        context: dict[str, Any] = {
            "order": order,
            "token": token,
            "sign": sign_of(order),
            "verbs": [verb for verb in _ORDER if verb in row.verbs],
            "album": album_of(order, f"/t/{token}/photos/", resident=True),
            "story": story_of(row, proven=proven, now=timezone.now()),
            "proven": proven,
            "code": code if proven else "",
            "code_hidden": bool(code) and not proven,
            "is_new": proven and bool(code) and request.GET.get("new") == "1",
            "ended": order.state in ("closed", "cancelled", "refused"),
            "address": request.build_absolute_uri(f"/t/{token}"),
            "tried": tried,
            "typed": request.POST if tried else {},
            "errors": _errors(error),
            "problem": error.detail if error is not None and not _errors(error) else "",
            "fresh_key": uuid.uuid4().hex,
        }
        response = render(request, "resident/track.html", context, status=error.status if error else 200)
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = f"{error.extra['retry_after']:.0f}"
    return _private(response)


def _errors(error: JiyingError | None) -> dict[str, str]:
    """What is wrong, by field of the form that was sent."""
    if isinstance(error, BadCode):
        return {"last4": error.detail}
    return {item.field.removeprefix("data."): item.message for item in error.errors} if error else {}


def _unknown(request: HttpRequest) -> HttpResponse:
    """The same for a wrong, a cut and a guessed link."""
    return _private(render(request, "resident/unknown_link.html", status=404))


def _private(response: HttpResponse) -> HttpResponse:
    """A link is a key: it is neither passed to other sites nor indexed."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
