"""`/desk`: the queue with its first order; `/desk/orders/{id}`: the queue with that order.

Everything works by links and forms.  With a script, a row opens beside the queue without a reload: the same
address, asked with `X-Part: matter`, answers only the panes of the order; `X-Part: queue` only the list.
"""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiying.core.errors import BadInput, JiyingError, NotFound, StaleVersion
from jiying.desk import queue
from jiying.desk.filters import Filters
from jiying.desk.matter import NOT_HERE, matter, pictures
from jiying.desk.shown import chips_of, title_of, total_of
from jiying.dispatch.actions import say as say_about
from jiying.estates.queries import the_district, zone_of
from jiying.orders import attachments
from jiying.orders import reveal as showing
from jiying.orders.actors import Actor
from jiying.orders.queries import Row, one
from jiying.pages import photoforms
from jiying.pages.gates import live, only, signed_in
from jiying.pages.verbforms import data_from
from jiying.pages.words import past, word
from jiying.people import audit
from jiying.people.scopes import scope_of

at_desk = only("company", "manager", "committee", "town", "operator", "supervisor", "district")


@require_safe
@at_desk
@live
def desk(request: HttpRequest) -> HttpResponse:
    """The queue; where there is room, its first order stands beside it."""
    return _page(request, Filters.of(request.GET))


@require_safe
@at_desk
@live
def order(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """One order, with the queue it was opened from."""
    return _page(request, Filters.of(request.GET), row=_found(request, order_id))


@require_POST
@at_desk
def say(request: HttpRequest, order_id: uuid.UUID, verb: str) -> HttpResponse:
    """Say a verb; then the order again.  What is refused comes back with the present state and a sentence."""
    filters = _came_from(request)
    try:
        _act(request, order_id, verb)
    except NotFound:
        raise Http404 from None
    except JiyingError as error:
        row = _found(request, order_id)
        return _page(request, filters, row=row, refused=_refusal(error, row), status=error.status)
    messages.success(request, _("已记下：%(verb)s") % {"verb": word("verb", verb)})
    if request.POST.get("back") == "centre":
        return redirect("/centre")
    query = f"?{filters.query}" if filters.query else ""
    if one(order_id, request.user) is None:
        return redirect(f"/desk{query}")
    return redirect(f"/desk/orders/{order_id}{query}")


@require_POST
@at_desk
def add_photos(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """Keep photos with an order; `purpose` as chosen."""
    _found(request, order_id)
    taken = photoforms.take(request, order_id, request.POST.get("purpose", "other"), Actor.of(request.user))
    return photoforms.answer(request, taken, f"/desk/orders/{order_id}")


@require_http_methods(["GET", "HEAD", "POST"])
@at_desk
def reveal(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """The reporter's whole telephone number, for a reason that goes on the audit; a reload masks it again."""
    filters, row = _came_from(request), _found(request, order_id)
    if request.method != "POST":
        return redirect(f"/desk/orders/{order_id}")
    try:
        contact = showing.reveal(
            order_id, by=signed_in(request), reason=request.POST.get("reason"), origin=audit.origin_of(request)
        )
    except JiyingError as error:
        return _page(request, filters, row=row, refused={"title": error.detail, "todo": ""}, status=error.status)
    return _page(request, filters, row=row, contact=contact)


def _act(request: HttpRequest, order_id: uuid.UUID, verb: str) -> None:
    """Raises: what `act` raises; BadInput `invalid` for a version that is none; NotFound for verbs of phones."""
    if verb in NOT_HERE:
        raise NotFound
    version = request.POST.get("version", "")
    if not version.isascii() or not version.isdigit() or len(version) > 9:
        raise BadInput.of("version", "invalid", _("页面不完整，请刷新后再试。"))
    data = data_from(verb, request.POST)
    if named := attachments.to_say_with(order_id, verb):
        data["attachments"] = named
    if verb == "note" and (answers := request.POST.get("answers")):
        data["answers"] = answers[:60]
    say_about(
        order_id,
        verb,
        by=Actor.of(request.user),
        data=data,
        expected_version=int(version),
        key=request.POST.get("idempotency_key", "")[:200],
    )


def _refusal(error: JiyingError, row: Row) -> dict[str, str]:
    """What to tell: of a stale page who was faster and how it stands now."""
    if not isinstance(error, StaleVersion):
        return {
            "title": error.detail,
            "todo": " ".join(item.message for item in error.errors if item.message != error.detail),
        }
    state = word("state", row.order.state)
    last = next((line for line in reversed(row.events) if line.event.role != "rule"), None)
    faster = past(last.event.verb, last.who or word("role", last.event.role)) if last else ""
    return {
        "title": _("有人先您一步：%(what)s，现在是“%(state)s”。") % {"what": faster, "state": state},
        "todo": _("您刚才的操作没有执行。下面是最新情况，看过之后仍需要的话请再点一次。"),
    }


def _found(request: HttpRequest, order_id: uuid.UUID) -> Row:
    row = one(order_id, request.user)
    if row is None:
        raise Http404
    return row


def _came_from(request: HttpRequest) -> Filters:
    """The filters of the page that a form was sent from."""
    came = urlsplit(request.headers.get("Referer", ""))
    return Filters.of(QueryDict(came.query[:2000]).dict() if came.path.startswith("/desk") else {})  # type: ignore[arg-type]


def _page(
    request: HttpRequest,
    filters: Filters,
    *,
    row: Row | None = None,
    refused: dict[str, str] | None = None,
    contact: showing.Contact | None = None,
    status: int = 200,
) -> HttpResponse:
    scope, part = scope_of(request.user), request.headers.get("X-Part", "")
    context: dict[str, Any] = {"filters": filters, "chosen": row is not None, "refused": refused}
    district = row.order.district if row else next(iter(scope.districts), "") or getattr(the_district(), "code", "")
    with timezone.override(zone_of(district)):
        if part != "matter":
            page = queue.page(scope, filters, request.GET.get("cursor", "")[:120])
            counts = queue.count(scope, filters)
            counted = queue.counted(scope, filters)
            context |= {
                "page": page,
                "chips": chips_of(filters, counts, scope),
                "title": title_of(filters),
                "total": total_of(filters, counted),
                "counted": counted[0] if counted else None,
                "query": f"?{filters.query}" if filters.query else "",
                "continued": "cursor" in request.GET,
                "crew": bool(scope.companies or scope.managed),
                "roster": bool(scope.districts or scope.towns or scope.committees or scope.companies or scope.managed),
            }
            if row is None and page.rows and part != "queue":
                row = one(page.rows[0].pk, request.user)
        if row is not None and part != "queue":
            context |= matter(row, scope) | {"contact": contact} | pictures(row.order, Actor.of(request.user))
            context["may_reveal"] = showing.may_reveal(row.order, Actor.of(request.user))
        context["current"] = row.order.pk if row is not None else None
        template = {"matter": "desk/parts/matter.html", "queue": "desk/parts/queue.html"}.get(part, "desk/desk.html")
        response = render(request, template, context, status=status)
    response.headers["Vary"] = "X-Part"
    return response
