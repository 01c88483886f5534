"""Orders: reporting, listing, reading, acting."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router

from jiying.api import schemas
from jiying.api.answers import json_answer, order_answer
from jiying.api.asking import Anybody, SignedIn, asker
from jiying.api.bodies import body_of, key_of, object_at, version_of
from jiying.api.filters import FILTERS, page_of_orders
from jiying.core import limits
from jiying.core.errors import BadInput, JiyingError, NotFound, NotYours, RateLimited, StaleVersion
from jiying.core.times import parse_rfc3339
from jiying.dispatch.actions import say
from jiying.dispatch.queries import suggestions as suggested
from jiying.dispatch.wire import suggestions_json
from jiying.orders import idempotency, queries
from jiying.orders import reveal as showing
from jiying.orders.actors import TRACKER, Actor, roles_for
from jiying.orders.intake import NewOrder, accept_one
from jiying.orders.models import Order
from jiying.orders.proof import arrival_code, track_token
from jiying.orders.states import roles_of
from jiying.orders.wire import order_json
from jiying.people import audit
from jiying.people.scopes import scope_of

router = Router(tags=["orders"])
SUGGESTED = 20


@router.post(
    "",
    auth=Anybody(),
    response={201: schemas.ReportedOrder, 200: schemas.ReportedOrder},
    openapi_extra=schemas.takes(schemas.Report, keyed=True),
    summary="Report something",
)
def report(request: HttpRequest) -> HttpResponse:
    """No sign-in is needed.  201 with the new order; 200 with the same order when the same request comes again
    under its `Idempotency-Key`.  `track_url` and `arrival_code` are left out for those who serve a company.
    """
    user = asker(request)
    by, key = Actor.of(user), key_of(request)
    caller = by.code or f"ip:{request.META['REMOTE_ADDR']}"
    new = new_order(body_of(request), by)
    if not by.code:
        _limit_strangers(request, new, caller, key)
    try:
        order, is_new = accept_one(new, by=by, caller=caller, key=key)
    except BadInput:
        # What was valid when it was first sent may no longer be (an appointment that has passed): a repeat stays one.
        earlier = idempotency.earlier(caller, key, new.body(), timezone.now()) if key else None
        if earlier is None:
            raise
        order, is_new = earlier, False
    # Who reports without an account holds the tracking link, and may do what its holder may.
    row = queries.rows_of([order], by if by.code else TRACKER)[0]
    out = order_json(row)
    if not by.scope.serves_a_company:
        out["track_url"] = f"/t/{track_token(order.pk)}"
        out["arrival_code"] = arrival_code(order.pk, 1 + order.reopened)
    response = json_answer(out, status=201 if is_new else 200)
    response.headers["Location"] = f"/api/v1/orders/{order.pk}"
    return response


def new_order(body: dict[str, Any], by: Actor) -> NewOrder:
    """What a request body says, unchecked; how it came in follows from who sends it.

    Raises:
        BadInput: `reporter` is no object.
    """
    reporter = object_at(body, "reporter")
    named = {name: body[name] for name in _FIELDS if name in body}
    return NewOrder(**named, name=reporter.get("name"), phone=reporter.get("phone"), channel=channel_of(by))


_FIELDS = (
    "kind", "category", "urgency", "estate", "building", "unit", "address", "point", "description", "appointment",
    "called_at",
)  # fmt: skip


def channel_of(by: Actor) -> str:
    """How an order came in: over a company's counter, by telephone to an office, or from a resident's own page."""
    if by.scope.serves_a_company:
        return "counter"
    return "phone" if by.staff else "page"


def _limit_strangers(request: HttpRequest, new: NewOrder, caller: str, key: str) -> None:
    """Count a report by a stranger against their address; repeating one that arrived counts nothing.

    Raises:
        RateLimited.
    """
    try:
        check_rate(request)
    except RateLimited:
        if not key or idempotency.earlier(caller, key, new.body(), timezone.now()) is None:
            raise


def check_rate(request: HttpRequest) -> None:
    """Count one write from the request's address (RateLimited with `retry_after`, seconds)."""
    seconds = limits.allow(request.META["REMOTE_ADDR"])
    if seconds is not None:
        text = _("短时间内提交太多，请过 %(n)d 秒再试。急事请直接打小区物业的电话。")
        raise RateLimited(text % {"n": seconds}, retry_after=seconds)


@router.get("", auth=SignedIn(), response=schemas.Orders, openapi_extra=schemas.asks(*FILTERS), summary="List orders")
def orders(request: HttpRequest) -> HttpResponse:
    """Orders in the asker's scope, the latest report first."""
    user = asker(request)
    shown, following = page_of_orders(Order.objects.visible_to(user).with_names(), request)
    rows = queries.rows_of(shown, Actor.of(user))
    return json_answer({"items": [order_json(row) for row in rows], "next": following})


@router.get("/{order_id}", auth=SignedIn(), response=schemas.OrderWithEvents, summary="Read an order")
def order(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """One order with its events.  404 when there is none, and also when it is out of the asker's scope."""
    row = queries.one(order_id, asker(request))
    if row is None:
        raise NotFound(_("没有找到这张工单。"))
    return json_answer(order_json(row, events=True))


@router.get(
    "/{order_id}/suggestions", auth=SignedIn(), response=schemas.Suggestions, summary="Who could be sent to an order"
)
def suggestions(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """Those who can go, the best first, each with one sentence of why; and how many cannot, by reason.

    For those who assign: a company is told of its own people, the centre of all tiers.
    """
    user = asker(request)
    rows = Order.objects.visible_to(user).select_related("estate", "town", "company", "worker__company")
    order = rows.filter(pk=order_id).first()
    if order is None:
        raise NotFound(_("没有找到这张工单。"))
    if not roles_for("assign", order, Actor.of(user)) & (roles_of("assign") | {"supervisor"}):
        raise NotYours(_("派工由服务企业和指挥中心来做。"))
    (found,) = suggested([order], scope_of(user), limit=SUGGESTED)
    return json_answer(suggestions_json(found))


@router.post(
    "/{order_id}/actions/{verb}",
    auth=SignedIn(),
    response=schemas.Order,
    openapi_extra=schemas.takes(schemas.Action, keyed=True),
    summary="Say a verb about an order",
)
def action(request: HttpRequest, order_id: uuid.UUID, verb: str) -> HttpResponse:
    """`version` is the one the asker saw; what the watcher wrote since then does not make it stale."""
    user = asker(request)
    by, key, body = Actor.of(user), key_of(request), body_of(request)
    try:
        done = say(
            order_id,
            verb,
            by=by,
            at=parse_rfc3339(body["at"], "at") if body.get("at") is not None else None,
            data=object_at(body, "data"),
            expected_version=version_of(body),
            key=key,
        )
    except StaleVersion as error:
        raise _with_present_state(error, order_id, user) from error
    return order_answer(done.pk, by)


@router.post(
    "/{order_id}/reveal",
    auth=SignedIn(),
    response=schemas.Contact,
    openapi_extra=schemas.takes(schemas.Reveal),
    summary="See the reporter's telephone",
)
def reveal(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """The whole name and telephone, for a `reason`; every answer is a row on the audit.  403 for those whom the
    number does not serve, 429 after sixty in an hour.
    """
    contact = showing.reveal(
        order_id, by=asker(request), reason=body_of(request).get("reason"), origin=audit.origin_of(request)
    )
    return json_answer(asdict(contact))


def _with_present_state(error: StaleVersion, order_id: uuid.UUID, user: Any) -> JiyingError:
    """The refusal with the order as the asker may see it now.

    What two wanted to take and one got is out of the other's sight; it is told by its number and who has it.
    """
    row = queries.one(order_id, user)
    if row is not None:
        return StaleVersion(error.detail, **error.extra, order=order_json(row))
    order = Order.objects.select_related("worker").get(pk=order_id)
    worker = {"id": str(order.worker.pk), "name": order.worker.name} if order.worker else None
    brief = {"id": str(order.pk), "number": order.number, "state": order.state, "version": order.version}
    return StaleVersion(error.detail, **error.extra, order={**brief, "worker": worker})
