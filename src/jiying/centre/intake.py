"""`/centre/intake`: a call becomes an order, on one screen and without a mouse.

While typing, `beside` shows what was reported from this telephone before and what is likely the same matter.
It is asked by POST, so that telephone numbers stand in no address and no log.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiying.centre.called import CHANNELS, Call, earlier_of, likely_same, messages_of, place_of, places_for
from jiying.core.errors import BadInput, JiyingError, KeyReused
from jiying.estates.models import Building
from jiying.estates.queries import the_district, zone_of
from jiying.orders import intake
from jiying.orders.actors import Actor, serves
from jiying.orders.models import Event, Order
from jiying.orders.proof import arrival_code, track_token
from jiying.orders.queries import rows_of
from jiying.orders.verbs import KINDS
from jiying.pages.gates import only
from jiying.pages.words import word
from jiying.people.models import User
from jiying.people.queries import memberships_of
from jiying.people.scopes import scope_of
from jiying.rules import packs

takes_calls = only("operator", "supervisor", "company")


def _caller(request: HttpRequest) -> User:
    """The call-taker: the centre's people, and a company's front desk (PermissionDenied for the rest of it)."""
    user: Any = request.user
    if not scope_of(user).roles & {"operator", "supervisor"}:
        duties = {member.duty for member in memberships_of(user) if member.role == "company"}
        if "front_desk" not in duties:
            raise PermissionDenied
    found: User = user
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@takes_calls
def form(request: HttpRequest) -> HttpResponse:
    """The form, and what comes of sending it."""
    user = _caller(request)
    with timezone.override(zone_of(getattr(the_district(), "code", ""))):
        if request.method != "POST":
            return _page(request, user, Call.of({}))
        call = Call.of(request.POST.dict())  # type: ignore[arg-type]
        if request.POST.get("step") == "find":
            call.estate = ""
            return _page(request, user, call)
        try:
            new = call.new_order()
            if place_of(user, call.estate) is None:
                raise BadInput.of("estate", "unknown_estate", _("这个小区不在您的服务范围内，请重新选择。"))
            order, _new = intake.accept_one(new, by=Actor.of(user), caller=str(user.pk), key=call.key)
        except KeyReused:
            call.key = uuid.uuid4().hex
            title = _("刚才那一单已经登记了。如果这是另一件事，请再点一次登记。")
            return _page(request, user, call, title=title, status=409)
        except JiyingError as error:
            errors = messages_of(error)
            return _page(request, user, call, errors=errors, title="" if errors else error.detail, status=error.status)
    return redirect(f"/centre/intake/{order.pk}")


@require_GET
@takes_calls
def places(request: HttpRequest) -> HttpResponse:
    """The estates that fit `?q=`, as the piece of the form that offers them."""
    user = _caller(request)
    call = Call(q=request.GET.get("q", "").replace("\x00", ""))
    return render(request, "centre/parts/places.html", {"call": call, "found": places_for(user, call.q)})


@require_POST
@takes_calls
def beside(request: HttpRequest) -> HttpResponse:
    """What stands beside the form: the caller's history, likely duplicates, and the buildings to choose from."""
    user = _caller(request)
    call = Call.of(request.POST.dict())  # type: ignore[arg-type]
    with timezone.override(zone_of(getattr(the_district(), "code", ""))):
        return render(request, "centre/parts/beside.html", _beside(user, call))


@require_http_methods(["GET", "HEAD"])
@takes_calls
def taken(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """After saving: what to read out to the caller.  Only for who took the call; no code for the serving company."""
    user = _caller(request)
    order = Order.objects.visible_to(user).with_names().filter(pk=order_id).first()
    if order is None or not Event.objects.filter(order=order, version=1, by=str(user.pk)).exists():
        raise Http404
    may_know = not serves(order, Actor.of(user)) and not scope_of(user).serves_a_company
    with timezone.override(zone_of(order.district)):
        context = {
            "order": order,
            "clock": rows_of([order], Actor.of(user))[0].headline,
            "code": arrival_code(order.pk, 1 + order.reopened) if may_know else "",
            "track": request.build_absolute_uri(f"/t/{track_token(order.pk)}") if may_know else "",
        }
        return render(request, "centre/taken.html", context)


def _beside(user: User, call: Call) -> dict[str, Any]:
    estate = place_of(user, call.estate)
    buildings = Building.objects.filter(estate=estate).order_by("name") if estate else ()
    return {
        "estate": estate,
        "earlier": earlier_of(user, call.phone) if call.phone else None,
        "same": likely_same(user, estate, call.category, timezone.now()),
        "buildings": [building.name for building in buildings],
    }


def _page(
    request: HttpRequest,
    user: User,
    call: Call,
    *,
    errors: dict[str, str] | None = None,
    title: str = "",
    status: int = 200,
) -> HttpResponse:
    english = (get_language() or "").startswith("en")
    categories = packs.in_force(timezone.now()).categories.values()
    found = places_for(user, call.q) if call.q and not call.estate else []
    around = _beside(user, call)
    context = {
        "call": call,
        "errors": errors or {},
        "title": title,
        "found": [around["estate"]] if around["estate"] else found,
        "categories": [(one.code, one.names.en if english else one.names.zh) for one in categories],
        "kinds": [(kind, word("kind", kind)) for kind in KINDS],
        "channels": [(channel, word("channel", channel)) for channel in CHANNELS],
        **around,
    }
    return render(request, "centre/intake.html", context, status=status)
