"""Writes of the dispatcher: all through the one door of orders."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from jiying.dispatch.models import Task
from jiying.dispatch.plan import ENGINE
from jiying.dispatch.service import Advice, advise
from jiying.orders.actions import act, observe
from jiying.orders.actors import Actor
from jiying.orders.models import Order
from jiying.people.scopes import NOBODY

log = logging.getLogger("jiying.dispatch")

NAME = "dispatch"
RULE = Actor(scope=NOBODY, rule=NAME)


def say(order_id: uuid.UUID, verb: str, *, by: Actor, data: dict[str, Any] | None = None, **more: Any) -> Order:
    """`orders.actions.act`; an assignment keeps beside it what would have been suggested, so that an overruling can
    be counted.  `more` and what is raised are those of `act`.
    """
    noted = _advised(order_id, by, data or {}) if verb == "assign" else None
    return act(order_id, verb, by=by, data=data, noted=noted, **more)


def _advised(order_id: uuid.UUID, by: Actor, data: dict[str, Any]) -> dict[str, Any]:
    order = Order.objects.in_scope(by.scope).select_related("company", "estate", "town").filter(pk=order_id).first()
    if order is None or not data.get("worker"):
        return {}
    return advise(order).noted(str(data["worker"]), by_person=True)


def send(advice: Advice, version: int, *, now: datetime | None = None, because: str = "") -> Order | None:
    """A rule assigns the best of `advice`, decided on `version` to the last event, and looks later whether they set
    off; None when there is nobody.

    `because`: why it is handed on though nothing is held against who had it, of `plan.HANDED_ON`.

    Raises:
        StaleVersion: something happened to the order since; the decision is void.
    """
    best, now = advice.ranking.best, now or timezone.now()
    if best is None:
        return None
    noted = advice.noted(best.worker, by_person=False) | ({because: True} if because else {})
    order_id, data = advice.order.pk, {"worker": best.worker}
    with transaction.atomic():
        order = act(order_id, "assign", by=RULE, data=data, expected_version=version, now=now, noted=noted)
        if advice.failed:
            ask_centre(order_id, ENGINE, now=now)
        due = now + timedelta(minutes=advice.rules.depart_min)
        Task.objects.filter(pk=order_id).update(due_at=due, tries=0, why=ENGINE if advice.failed else "")
    return order


def ask_centre(
    order_id: uuid.UUID, why: str, data: dict[str, Any] | None = None, *, now: datetime | None = None
) -> bool:
    """Tell the centre that an order wants a person (`why` as in `plan`); whether that was new."""
    kept = {"step": why, **(data or {})}
    return observe(order_id, "ask_centre", rule=NAME, data=kept, now=now or timezone.now()) is not None


def decline(order_id: uuid.UUID, *, by: Actor, reason: str, key: str = "") -> Order:
    """The worker who was sent says that they cannot go, and why; the order stays theirs until somebody else has it.

    Raises:
        BadInput: no reason; `not_yours`: not sent to them, or already on the way.
    """
    return act(order_id, "note", by=by, data={"text": reason, "declines": True}, key=key)
