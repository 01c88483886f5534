"""`/report`: one page, three questions, no sign-in.

Everything works by plain GET and POST; scripts only spare a reload.  Whatever is refused, what was typed stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from jiying.core import limits
from jiying.core.crypto import sm3_hex
from jiying.core.errors import JiyingError, KeyReused, RateLimited
from jiying.orders import idempotency, intake
from jiying.orders.actors import Actor
from jiying.orders.models import Order
from jiying.orders.proof import track_token
from jiying.orders.states import BEFORE_ARRIVAL
from jiying.pages import photoforms
from jiying.pages.shown import place_of
from jiying.people.scopes import scope_of
from jiying.resident import mine
from jiying.resident.form import Filled, messages_of, plain, signs_of, where
from jiying.resident.photos import speaker
from jiying.rules import packs

#: Buttons of the form that only change the page.
_FIND, _CHANGE = "find", "change"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """The form, and what comes of sending it."""
    if request.method != "POST":
        return _page(request, Filled.of(request.GET))
    filled = Filled.of(request.POST)
    step = request.POST.get("step", "")
    if step == _CHANGE:
        return _page(request, replace(filled, estate="", building=""))
    if step == _FIND:
        return _page(request, replace(filled, estate="", building=""), asked=True)
    if picked := plain(request.POST.get("pick", "")):
        return _page(request, replace(filled, estate=picked, building=""))
    return _send(request, filled)


def _send(request: HttpRequest, filled: Filled) -> HttpResponse:
    try:
        order = _accepted(request, filled)
    except KeyReused:
        again = replace(filled, key=Filled.of({}).key)
        title = _("刚才那一份已经收到了。如果这是另一件事，请再点一次提交。")
        return _page(request, again, status=409, title=title)
    except RateLimited as error:
        response = _page(request, filled, status=429, title=error.detail)
        response.headers["Retry-After"] = f"{error.extra['retry_after']:.0f}"
        return response
    except JiyingError as error:
        errors = messages_of(error)
        if "point" in errors:
            # Nobody typed it, and nobody sees it: a wrong position would come again with every try.
            filled = replace(filled, point="")
        return _page(request, filled, status=error.status, errors=errors, title="" if errors else error.detail)
    # The report is safe by now, whatever becomes of the photos that came in the same form.
    photoforms.tell(request, photoforms.take(request, order.pk, "report", speaker(request, order)))
    response = redirect(f"/t/{track_token(order.pk)}?new=1")
    mine.remember(request, response, order)
    return response


def _accepted(request: HttpRequest, filled: Filled) -> Order:
    """The order: new, or the one that the same form made before.

    Raises:
        BadInput, KeyReused; RateLimited with `retry_after` in seconds.
    """
    now = timezone.now()
    new = filled.new_order(packs.in_force(now))
    caller = _caller(request)
    earlier = idempotency.earlier(caller, filled.key, new.body(), now)
    if earlier is not None:
        return earlier
    seconds = limits.allow(request.META["REMOTE_ADDR"])
    if seconds is not None:
        text = _("短时间内提交太多，请过 %(n)d 秒再点一次。您填的内容都还在。急事请直接打小区物业的电话。")
        raise RateLimited(text % {"n": seconds}, retry_after=seconds)
    order, _new = intake.accept_one(new, by=Actor.of(request.user), caller=caller, key=filled.key, now=now)
    return order


def _caller(request: HttpRequest) -> str:
    """To whom the form's key belongs: who is signed in, else this browser, which keeps the form's secret."""
    if request.user.is_authenticated:
        return str(request.user.pk)
    return f"form:{sm3_hex(request.META.get('CSRF_COOKIE', '').encode())[:32]}"


def _page(
    request: HttpRequest,
    filled: Filled,
    *,
    status: int = 200,
    errors: dict[str, str] | None = None,
    title: str = "",
    asked: bool = False,
) -> HttpResponse:
    pack = packs.in_force(timezone.now())
    context = {
        "filled": filled,
        "signs": signs_of(pack),
        "errors": errors or {},
        "first": next(iter(errors or ()), ""),
        "title": title,
        "asked": asked,
        "arriving": arriving(request.user, filled.estate, request.GET.get("sign", "")) if status == 200 else [],
        **where(filled),
    }
    return render(request, "resident/report.html", context, status=status)


def arriving(user: Any, estate: str, sign: str) -> list[dict[str, str]]:
    """Where a worker who scans a sign may report their arrival: their orders in that estate, with the sign's code."""
    if not (sign.isdecimal() and sign.isascii() and len(sign) == 8 and "worker" in scope_of(user).roles):
        return []
    mine = Order.objects.with_names().filter(worker__user=user, state__in=BEFORE_ARRIVAL, estate__code=estate)
    return [
        {"place": place_of(order).line, "href": f"/worker/orders/{order.pk}?do=arrive&code={sign}"}
        for order in mine.order_by("headline_due", "pk")[:5]
    ]


@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """The places that fit `?q=`, as the piece of the page that lists them."""
    filled = Filled(q=plain(request.GET.get("q", "")))
    return _piece(request, "resident/parts/found.html", filled)


@require_GET
def where_piece(request: HttpRequest) -> HttpResponse:
    """The question "where" with `?estate=` chosen, or open again without."""
    filled = Filled(estate=plain(request.GET.get("estate", "")), q=plain(request.GET.get("q", "")))
    return _piece(request, "resident/parts/where.html", filled)


def _piece(request: HttpRequest, template: str, filled: Filled) -> HttpResponse:
    context: dict[str, Any] = {"filled": filled, "errors": {}, "asked": True, **where(filled)}
    response = render(request, template, context)
    response.headers["Cache-Control"] = "private, max-age=60"
    return response
