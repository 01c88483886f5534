"""`/centre/intake`: a call becomes an order, on one screen and without a mouse.

While typing, `around` shows who rings, what is likely the same matter and what the words suggest.  It is asked by
POST, so that telephone numbers stand in no address and no log.  Without a script the same stands on the page after
the buttons for it; each of them leaves what was typed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from jiying.centre import beside
from jiying.centre.called import CHANNELS, Call, messages_of, place_of, places_for
from jiying.core.errors import BadInput, JiyingError, KeyReused, NotFound
from jiying.estates.finding import Found
from jiying.estates.queries import the_district, zone_of
from jiying.orders import intake
from jiying.orders.actions import act
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
from jiying.rules import words as rule_words

MOST_SAID = 400
"""Characters of the caller's words that go along with an urging."""

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
        if step := _STEPS.get(request.POST.get("step", "")):
            step(user, call)
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


def _find(user: User, call: Call) -> None:
    """Look for the place; the building and the room that were typed with it go into their fields."""
    call.estate = ""
    if found := places_for(user, call.q)[:1]:
        call.building, call.unit = call.building or found[0].building, call.unit or found[0].unit


def _take(user: User, call: Call) -> None:
    """Take what the words suggest."""
    found = beside.suggested(packs.in_force(timezone.now()), call.description, call.category, call.urgency)
    if found is not None:
        call.category = found.category.code if found.category else call.category
        call.urgency = found.urgency or call.urgency


def _as_before(user: User, call: Call) -> None:
    """Take the place of the caller's last report."""
    caller = beside.caller_of(user, call.phone, timezone.now())
    if caller is not None and caller.last is not None and caller.last.estate is not None:
        last = caller.last
        call.estate, call.q = caller.last.estate.code, caller.last.estate.name
        call.building, call.unit = last.building.name if last.building else "", last.text.unit


#: Buttons of the form that only change the page.
_STEPS: dict[str, Callable[[User, Call], None]] = {"find": _find, "take": _take, "before": _as_before}


@require_GET
@takes_calls
def places(request: HttpRequest) -> HttpResponse:
    """The places that fit `?q=`, as the piece of the form that offers them."""
    user = _caller(request)
    call = Call(q=request.GET.get("q", "").replace("\x00", ""))
    return render(request, "centre/parts/places.html", {"call": call, "found": places_for(user, call.q)})


@require_POST
@takes_calls
def around(request: HttpRequest) -> HttpResponse:
    """What stands around the fields: the suggestion, likely duplicates, the caller, the buildings to choose from."""
    user = _caller(request)
    call = Call.of(request.POST.dict())  # type: ignore[arg-type]
    with timezone.override(zone_of(getattr(the_district(), "code", ""))):
        return render(request, "centre/parts/around.html", {"call": call, **_around(user, call)})


@require_POST
@takes_calls
def join(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """The call is about this order: it is urged, with what the caller said, instead of a second one."""
    user = _caller(request)
    call = Call.of(request.POST.dict())  # type: ignore[arg-type]
    said = call.description.strip()[:MOST_SAID]
    text = _("来电催办：%(said)s") % {"said": said} if said else _("来电催办。")
    with timezone.override(zone_of(getattr(the_district(), "code", ""))):
        try:
            act(order_id, "urge", by=Actor.of(user), data={"text": text}, key=call.key)
        except NotFound:
            raise Http404 from None
        except JiyingError as error:
            if isinstance(error, KeyReused):
                call.key = uuid.uuid4().hex
            return _page(request, user, call, title=error.detail, status=error.status)
    return redirect(f"/centre/intake/{order_id}/joined")


@require_safe
@takes_calls
def joined(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """After joining: the number, and how it stands, to read out."""
    user = _caller(request)
    order = Order.objects.visible_to(user).with_names().filter(pk=order_id).first()
    if order is None:
        raise Http404
    with timezone.override(zone_of(order.district)):
        clock = rows_of([order], Actor.of(user))[0].headline
        return render(request, "centre/joined.html", {"order": order, "clock": clock})


@require_safe
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


def _around(user: User, call: Call) -> dict[str, Any]:
    now = timezone.now()
    pack, estate = packs.in_force(now), place_of(user, call.estate)
    found = beside.suggested(pack, call.description, call.category, call.urgency)
    category = call.category or (found.category.code if found and found.category else "")
    safety = beside.first_aid(pack, call.category, found)
    return {
        "estate": estate,
        "suggested": found,
        "suggested_name": rule_words.said(found.category.names) if found and found.category else "",
        "safety": rule_words.said(safety) if safety else "",
        "caller": beside.caller_of(user, call.phone, now) if call.phone else None,
        "around": beside.around(user, estate, call.matter(estate, category, now), pack),
        "buildings": beside.buildings_of(estate),
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
    categories = packs.in_force(timezone.now()).categories.values()
    found = places_for(user, call.q) if call.q and not call.estate else []
    here = _around(user, call)
    context = {
        "call": call,
        "errors": errors or {},
        "title": title,
        "found": [Found(here["estate"])] if here["estate"] else found,
        "categories": [(one.code, rule_words.said(one.names)) for one in categories],
        "kinds": [(kind, word("kind", kind)) for kind in KINDS],
        "channels": [(channel, word("channel", channel)) for channel in CHANNELS],
        **here,
    }
    return render(request, "centre/intake.html", context, status=status)
