"""Who could go to what nobody goes to: beside the emergencies, with a button for each."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy

from jiying.dispatch import saying
from jiying.dispatch.queries import Suggestions, suggestions, wants_somebody
from jiying.orders.models import Order, OrderQuerySet
from jiying.people.scopes import Scope

MOST, FIRST, OTHERS = 4, 3, 1
WHY: dict[str, Lazy | str] = {
    "nobody": gettext_lazy("没有合适的人可派"),
    "not_departed": gettext_lazy("换过人了还没有人出发"),
    "stuck": gettext_lazy("派出的人迟迟没有到"),
    "engine": gettext_lazy("派工引擎出了故障，已按最近的人派出"),
}
"""What the dispatcher asks the centre for."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who could go; `press` is the key that sends them, for the first order."""

    worker: str
    name: str
    tier: str
    why: str
    key: str
    press: str


@dataclass(frozen=True, slots=True)
class Wanting:
    """An order without anybody on the way; `why` the dispatcher asks, `others` why the rest cannot go; `wider` what
    a wider pool would have.
    """

    order: Order
    why: str
    people: tuple[Person, ...]
    others: str
    wider: str


@dataclass(frozen=True, slots=True)
class ToSend:
    """The most pressing ones, how many there are, and whether the asker may assign."""

    rows: tuple[Wanting, ...]
    n: int
    may: bool


def to_send(mine: OrderQuerySet, scope: Scope, now: datetime) -> ToSend:
    """In a number of queries that does not grow with orders and workers."""
    wanting = wants_somebody(mine)
    first = list(wanting.with_names().select_related("dispatch_task").order_by("headline_due", "pk")[:MOST])
    found = suggestions(first, scope, limit=FIRST, now=now)
    rows = tuple(_row(one, _why(one.order), n == 0) for n, one in enumerate(found))
    return ToSend(rows, wanting.count(), "operator" in scope.roles)


def _why(order: Order) -> str:
    task = getattr(order, "dispatch_task", None)
    return task.why if task is not None else ""


def _row(found: Suggestions, why: str, first: bool) -> Wanting:
    people = tuple(
        Person(
            worker=choice.worker,
            name=found.advice.person(choice).name,
            tier=found.pool(choice) or saying.tier(choice.tier),
            why=found.why(choice),
            key=uuid.uuid4().hex,
            press=str(n) if first else "",
        )
        for n, choice in enumerate(found.choices[: FIRST if first else OTHERS], start=1)
    )
    return Wanting(found.order, str(WHY.get(why, "")), people, saying.left_out(found.left_out), found.wider)
