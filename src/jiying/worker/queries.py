"""What a worker sees: their own orders, those anybody of the company may take, and what waits for an answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F
from django.utils import timezone

from jiying.estates.models import Worker
from jiying.estates.queries import the_district, with_duty, zone_of
from jiying.orders.actors import Actor, roles_towards
from jiying.orders.models import Order, OrderQuerySet
from jiying.orders.queries import Row, one, rows_of
from jiying.orders.states import OPEN, State

MOST_MINE, MOST_TO_TAKE, MOST_DONE = 60, 30, 5


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worker's list: `mine` and `to_take` by time left, `done` the latest that wait for the resident."""

    mine: tuple[Row, ...]
    to_take: tuple[Row, ...]
    done: tuple[Order, ...]


def sheet_of(user: Any) -> Sheet:
    """The list of `user`; a constant number of queries."""
    actor = Actor.of(user)
    by_time = (F("headline_due").asc(nulls_last=True), "reported_at")
    own = _orders(worker__user=user)
    mine = list(own.filter(state__in=sorted(OPEN)).order_by(*by_time)[:MOST_MINE])
    free = _orders(state=State.SIGNED, worker=None, company__organisation_id__in=actor.scope.works_for)
    to_take = list(free.order_by(*by_time)[:MOST_TO_TAKE])
    rows = rows_of([*mine, *to_take], actor)
    # A pause stops the clock: what waits for others stands below what waits for the worker.
    ours = sorted(rows[: len(mine)], key=lambda row: row.order.state == State.PAUSED)
    done = own.filter(state=State.DONE).order_by("-state_since")[:MOST_DONE]
    return Sheet(tuple(ours), tuple(rows[len(mine) :]), tuple(done))


def _orders(**which: Any) -> OrderQuerySet:
    return Order.objects.with_names().filter(**which)


@dataclass(frozen=True, slots=True)
class Duty:
    """Whether somebody is at work now, and until when that was switched (None: by their shifts)."""

    on: bool
    until: datetime | None


def duty_of(user: Any, *, now: datetime | None = None) -> Duty | None:
    """The duty of the worker whom `user` is; None for whoever is none.  Three queries."""
    now = now or timezone.now()
    rows = with_duty(Worker.objects.filter(user=user, active=True), now).select_related("company")
    worker = rows.first()
    if worker is None:
        return None
    holding = [change for change in worker.duty_changes.all() if change.at <= now < change.until]
    return Duty(worker.on_duty(now, zone_of(worker.company.district)), holding[-1].until if holding else None)


def may_decline(row: Row, user: Any) -> bool:
    """Whether `user` was sent to the order and has not set off."""
    order = row.order
    return order.state == State.ASSIGNED and order.worker is not None and order.worker.user_id == user.pk


def own_order(order_id: uuid.UUID, user: Any) -> Row | None:
    """An order that `user` works on or may take, with everything about it; else None."""
    row = one(order_id, user)
    if row is None or "worker" not in roles_towards(row.order, Actor.of(user)):
        return None
    return row


def zone(orders: Iterable[Order] = ()) -> ZoneInfo:
    """The time zone of the first of `orders`, or of this installation's district."""
    first = next(iter(orders), None)
    district = the_district() if first is None else None
    return zone_of(first.district if first is not None else district.code if district else "")
