"""The tracking link: what its holder sees and may do, without sign-in.

A link that is passed on shows the progress only.  What is personal, the arrival code and the delicate verbs want
the last four digits of the reporter's telephone, where one was given; five wrong ones close the link for an hour.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router

from jiying.api import schemas
from jiying.api.answers import json_answer
from jiying.api.bodies import body_of, key_of, object_at
from jiying.api.orders import check_rate
from jiying.core.errors import BadCode, NotFound
from jiying.orders import contacts, idempotency, queries
from jiying.orders.actions import act, check_last4
from jiying.orders.actors import TRACKER
from jiying.orders.models import Order
from jiying.orders.proof import arrival_code
from jiying.orders.queries import Line
from jiying.orders.wire import event_json, order_json

router = Router(tags=["tracking"])

DELICATE = frozenset({"cancel", "confirm", "reopen", "rate"})
#: What only the reporter is shown: what they said, who they are and where they live.
_PRIVATE = ("description", "unit", "address", "reporter")
#: What an event tells somebody who holds a link; its words, its people and the chain stay inside.
_TOLD = ("seq", "verb", "milestone", "role", "at", "received_at", "claimed")


def _found(token: str) -> Order:
    order = queries.by_track(token) if token.isascii() else None
    if order is None:
        raise NotFound(_("没有找到这张工单，请核对链接是否完整。"))
    return order


@router.get(
    "/{token}",
    response=schemas.TrackedOrder,
    openapi_extra=schemas.asks("last4", header="X-Last4"),
    summary="Follow an order by its link",
)
def track(request: HttpRequest, token: str) -> HttpResponse:
    """Masked.  With the last four digits (`last4` or the header `X-Last4`) also the arrival code and what was
    reported; `needs_last4` says that they are wanted.
    """
    order = _found(token)
    last4 = request.GET.get("last4") or request.headers.get("X-Last4") or ""
    if last4:
        check_last4(order, last4)
    return json_answer(tracked(order, proven=bool(last4) or not contacts.last4_of(order)))


def tracked(order: Order, *, proven: bool) -> dict[str, Any]:
    """An order as the holder of its link sees it; `proven`: they also proved to be its reporter."""
    row = queries.rows_of([order], TRACKER, events=True)[0]
    out = order_json(row)
    if not proven:
        out |= dict.fromkeys(_PRIVATE)
    out["arrival_code"] = arrival_code(order.pk, 1 + order.reopened) if proven else None
    out["needs_last4"] = not proven
    out["events"] = [_told(line) for line in row.events if line.event.verb != "wrong_code"]
    return out


def _told(line: Line) -> dict[str, Any]:
    whole = event_json(line)
    return {name: whole[name] for name in _TOLD}


@router.post(
    "/{token}/actions/{verb}",
    response=schemas.TrackedOrder,
    openapi_extra=schemas.takes(schemas.TrackAction, keyed=True),
    summary="Say a verb as the reporter",
)
def track_action(request: HttpRequest, token: str, verb: str) -> HttpResponse:
    """`confirm reopen rate urge cancel note`; the first three and `cancel` want `last4` where a telephone was given."""
    order, body, key = _found(token), body_of(request), key_of(request)
    data, last4 = object_at(body, "data"), body.get("last4")
    earlier = [str(order.pk), verb, data]
    if not key or idempotency.earlier(f"track:{order.pk}", key, earlier, timezone.now()) is None:
        check_rate(request)
    if last4 not in (None, "") and not isinstance(last4, str):
        raise BadCode(_("电话后四位应是四个数字的文字，例如 0123。"))
    if verb in DELICATE or last4:
        check_last4(order, last4)
    act(order.pk, verb, by=TRACKER, data=data, key=key)
    return json_answer(tracked(_found(token), proven=bool(last4) or not contacts.last4_of(order)))
