"""Writes of the dispatcher: all through the one door of orders."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import Any

from django.utils import timezone

from jiying.dispatch.plan import CALLED_AWAY
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


def send(advice: Advice, version: int, *, now: datetime | None = None, called_away: bool = False) -> Order | None:
    """A rule assigns the best of `advice`, decided on `version` to the last event; None when there is nobody.

    `called_away`: instead of somebody whom it had sent to an emergency since.

    Raises:
        StaleVersion: something happened to the order since; the decision is void.
    """
    best = advice.ranking.best
    if best is None:
        return None
    return act(
        advice.order.pk,
        "assign",
        by=RULE,
        data={"worker": best.worker},
        expected_version=version,
        now=now,
        noted=advice.noted(best.worker, by_person=False) | ({CALLED_AWAY: True} if called_away else {}),
    )


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
