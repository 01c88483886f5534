"""`/worker`: what to do next, on a telephone; `/worker/orders/{id}`: one order and its next verb."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiying.core.errors import JiyingError, NotFound, StaleVersion
from jiying.dispatch.standby import queries, saying
from jiying.dispatch.surges import make_safe_first
from jiying.notices.queries import replaced
from jiying.notices.wording import asks_of
from jiying.orders import attachments, contacts
from jiying.orders import reveal as showing
from jiying.orders.actions import act
from jiying.orders.actors import Actor
from jiying.orders.models import Order
from jiying.orders.queries import Line, Row
from jiying.orders.states import OPEN
from jiying.orders.store import pack_of
from jiying.pages import moved, photoforms
from jiying.pages.albums import album_of, wanted
from jiying.pages.gates import live, signed_in
from jiying.pages.shown import category_of, map_href, place_of, sign_of, words_of
from jiying.pages.verbforms import data_from
from jiying.people import audit
from jiying.people.scopes import scope_of
from jiying.rules import words as rule_words
from jiying.worker.bars import Tried, bar_of
from jiying.worker.queries import duty_of, may_decline, own_order, sheet_of, zone

#: After these the worker looks for the next order, not at this one.
_ENDING = frozenset({"done", "solve_remotely"})
View = Callable[..., HttpResponse]


def for_workers(view: View) -> View:
    """Strangers sign in first; who is no worker gets the 403 page."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "worker" not in scope_of(request.user).roles:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return never_cache(login_required(checked))


@require_safe
@for_workers
@live
def mine(request: HttpRequest) -> HttpResponse:
    """The list: my orders by time left, then those to take."""
    return _list(request)


def _list(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    sheet = sheet_of(request.user)
    with timezone.override(zone(row.order for row in (*sheet.mine, *sheet.to_take))):
        return render(
            request,
            "worker/list.html",
            {
                "mine": [_card(row) for row in sheet.mine],
                "to_take": [_card(row) for row in sheet.to_take],
                "done": sheet.done,
                "ended": next((one for one in sheet.done if one.number == request.GET.get("done")), None),
                "problem": problem,
                "duty": duty_of(request.user),
                "replaced": [(one, asks_of(one)) for one in replaced(request.user)],  # type: ignore[arg-type]
                "standby": _standby(request),
            },
            status=status,
        )


def _standby(request: HttpRequest) -> dict[str, Any] | None:
    """Where one is asked to wait, or waits; None where nowhere."""
    one = queries.asked_of(signed_in(request))
    if one is None:
        return None
    return {"one": one, "why": saying.why(one), "way": saying.way(one), "map_href": map_href(one.lon, one.lat)}


def shown_order(order: Order) -> dict[str, Any]:
    """What a card and a page say of an order: `place`, `sign`, and `said` unless that only repeats the sign."""
    category = category_of(order.category)
    said = words_of(order)
    if category is not None and said in (category.names.zh, category.names.en):
        said = ""
    return {"place": _place_in_hand(order), "sign": sign_of(order), "said": said}


def _place_in_hand(order: Order) -> dict[str, str]:
    """A place for reading while walking: the estate on one line, building and unit (`inside`) on the next."""
    place = place_of(order)
    inside = " · ".join(part for part in (place.building, place.unit) if part) if place.estate else ""
    names = {name: str(getattr(place, name)) for name in ("estate", "address", "town", "line", "map_href")}
    return {**names, "inside": inside}


def _card(row: Row) -> dict[str, Any]:
    surge = make_safe_first(row.order, row.clocks)
    return {**shown_order(row.order), "row": row, "bar": bar_of(row, []), "safe_first": surge}


@require_safe
@for_workers
@live
def one(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """One order; `?do=VERB` opens that verb's form, `?code=` fills in a place's code."""
    row = own_order(order_id, request.user)
    if row is None:
        raise Http404
    # A scanned sign leads here with its code.
    code = request.GET.get("code", "")[:12]
    return _order(request, row, Tried(verb=request.GET.get("do", ""), typed={"code": code} if code else {}))


@require_POST
@for_workers
def say(request: HttpRequest, order_id: uuid.UUID, verb: str) -> HttpResponse:
    """Say a verb; what is refused comes back on the order's present page, with all that was typed."""
    try:
        with timezone.override(_zone_of(order_id)):
            data = data_from(verb, request.POST)
        if verb in attachments.WITH_VERB:
            data |= _photos(request, order_id, verb)
        order = act(
            order_id,
            verb,
            by=Actor.of(request.user),
            data=data,
            expected_version=_version(request),
            key=request.POST.get("idempotency_key", "")[:200],
        )
    except JiyingError as error:
        return _refused(request, order_id, verb, error)
    if verb in _ENDING:
        # The number travels in the address: a script that follows the redirect would use up a message.
        return redirect(f"/worker?done={order.number}")
    messages.success(request, _said(verb))
    return redirect(f"/worker/orders/{order_id}")


@require_http_methods(["GET", "HEAD", "POST"])
@for_workers
def reveal(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """The reporter's telephone as a link to ring, for a purpose that goes on the audit; a reload masks it again."""
    row = own_order(order_id, request.user)
    if row is None:
        raise Http404
    if request.method != "POST":
        return redirect(f"/worker/orders/{order_id}")
    try:
        contact = showing.reveal(
            order_id, by=signed_in(request), reason=request.POST.get("reason"), origin=audit.origin_of(request)
        )
    except JiyingError as error:
        return _order(request, row, Tried(error=error), status=error.status)
    return _order(request, row, Tried(), contact=contact)


def _photos(request: HttpRequest, order_id: uuid.UUID, verb: str) -> dict[str, Any]:
    """The photos that go with `verb`: those in its form (the first refusal is raised), and those sent before."""
    purpose = attachments.WITH_VERB[verb][-1]
    taken = photoforms.take(request, order_id, purpose, Actor.of(request.user))
    if taken.errors:
        raise taken.errors[0]
    named = attachments.to_say_with(order_id, verb)
    return {"attachments": named} if named else {}


@require_POST
@for_workers
def add_photos(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """Keep photos with an order in the worker's hand; `purpose` as sent."""
    if own_order(order_id, request.user) is None:
        raise Http404
    purpose = request.POST.get("purpose", "other")
    taken = photoforms.take(request, order_id, purpose, Actor.of(request.user))
    return photoforms.answer(request, taken, f"/worker/orders/{order_id}")


def _zone_of(order_id: uuid.UUID) -> Any:
    return zone(Order.objects.filter(pk=order_id).only("district"))


def _version(request: HttpRequest) -> int | None:
    raw = request.POST.get("version", "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else None


def _refused(request: HttpRequest, order_id: uuid.UUID, verb: str, error: JiyingError) -> HttpResponse:
    row = own_order(order_id, request.user)
    if row is not None:
        return _order(request, row, Tried.of(verb, request.POST, error), status=error.status)
    if isinstance(error, NotFound):
        raise Http404
    # Taken by a colleague, or given to one: it is no longer theirs to look at, but the list says what happened.
    return _list(request, error.detail, status=error.status)


def refused_order(request: HttpRequest, row: Row, error: JiyingError) -> HttpResponse:
    """The order's page with what was refused and why."""
    return _order(request, row, Tried(error=error), status=error.status)


def _order(
    request: HttpRequest, row: Row, tried: Tried, status: int = 200, contact: showing.Contact | None = None
) -> HttpResponse:
    with timezone.override(zone([row.order])):
        context = {
            "row": row,
            "order": row.order,
            **shown_order(row.order),
            "reporter": contacts.masked(row.order),
            "contact": contact,
            "may_reveal": showing.may_reveal(row.order, Actor.of(request.user)),
            "bar": bar_of(row, _pauses(row.order), tried),
            "events": _told(row.events),
            "album": album_of(row.order, f"/api/v1/orders/{row.order.pk}/attachments/"),
            "photos_url": f"/worker/orders/{row.order.pk}/photos",
            "wanted": wanted(row.order),
            "may_add": row.order.state in OPEN,
            "problem": tried.problem,
            "stale": isinstance(tried.error, StaleVersion),
            "may_decline": may_decline(row, request.user),
            "safe_first": make_safe_first(row.order, row.clocks),
            "decline_key": uuid.uuid4().hex,
        }
        return render(request, "worker/order.html", context, status=status)


def _told(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The events for the timeline, with the words that go with them and what they changed of the clocks."""
    changes, out = moved.changes(lines), []
    for line in lines:
        event = line.event
        shown = {name: getattr(event, name) for name in ("verb", "milestone", "role", "at", "claimed", "data")}
        out.append({**shown, "texts": line.texts, "who": line.who, "changed": changes.get(event.version)})
    return out


def _pauses(order: Order) -> list[tuple[str, str]]:
    """The reasons of the pack that judges the order, which need not be today's."""
    return [(code, rule_words.said(reason.names)) for code, reason in pack_of(order.pack).pauses.items()]


def _said(verb: str) -> str:
    words = {
        "take": _("接到了，是您的单。"),
        "depart": _("已记下出发，路上注意安全。"),
        "contact": _("已记下：联系过居民。"),
        "arrive": _("已记下到场。"),
        "make_safe": _("已记下：险情排除。"),
        "pause": _("已挂起。"),
        "resume": _("已恢复，时间继续走。"),
    }
    return words.get(verb, _("已记下。"))
