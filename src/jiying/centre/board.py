"""What the wall shows: emergencies nobody has reached, by time left, and beside them what is stuck."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from jiying.centre.sending import to_send
from jiying.orders.models import Clock, Order, OrderQuerySet
from jiying.orders.queries import open_emergencies
from jiying.orders.states import OPEN
from jiying.people.scopes import Scope

BIG = 3
"""Emergencies drawn with a large ring."""

EMERGENCIES = 40
BESIDE = 8
PAUSED_LONG = timedelta(days=3)
"""After this a pause is worth a look, whatever its reason."""


@dataclass(frozen=True, slots=True)
class Column:
    """One list beside the emergencies: at most `BESIDE` rows, and how many there are."""

    rows: list[Order]
    n: int


def _column(rows: OrderQuerySet, *order: str) -> Column:
    return Column(list(rows.with_names().order_by(*order)[:BESIDE]), rows.count())


def _together(one: Column, two: Column) -> Column:
    """Two lists as one, by time left: asked apart, each by its own index."""
    far = datetime.max.replace(tzinfo=UTC)
    rows = sorted((*one.rows, *two.rows), key=lambda order: (order.headline_due or far, order.pk))
    return Column(rows[:BESIDE], one.n + two.n)


def board_of(scope: Scope, now: datetime) -> dict[str, Any]:
    """All of the wall, in a constant number of queries."""
    mine = Order.objects.filter(district__in=sorted(scope.districts))
    # Said again as the queue's index has it: only orders that have something due.
    waiting: Any = open_emergencies(mine.filter(headline_due__isnull=False))
    first = list(waiting.with_names()[:EMERGENCIES])
    clocks = Clock.objects.filter(order__in=[order.pk for order in first[:BIG]], promise="respond_30").order_by("round")
    ring = {clock.order_id: clock for clock in clocks}
    unsigned = mine.filter(state="submitted").exclude(company=None)
    return {
        "big": [(order, ring.get(order.pk)) for order in first[:BIG]],
        "emergencies": first[BIG:],
        "emergency_n": waiting.count(),
        "unsigned": _column(unsigned, "headline_due", "pk"),
        "stuck": _column(mine.filter(state="paused", state_since__lt=now - PAUSED_LONG), "state_since"),
        "nobody": _together(
            _column(mine.filter(state="returned"), "headline_due", "pk"),
            _column(mine.filter(company=None, state__in=("submitted", "signed")), "headline_due", "pk"),
        ),
        "to_send": to_send(mine, scope, now),
        "fresh": _column(mine.filter(reported_at__gt=now - timedelta(hours=1)), "-reported_at"),
        "totals": _totals(mine, now),
    }


def _totals(mine: OrderQuerySet, now: datetime) -> dict[str, int]:
    """Open, late, and emergencies: from the queue's index alone."""
    due = mine.filter(headline_due__isnull=False, state__in=sorted(OPEN)).order_by()
    totals = due.aggregate(
        open=Count("*"),
        late=Count("headline_due", filter=Q(headline_due__lt=now)),
        paused=Count("headline_due", filter=Q(state="paused")),
    )
    return {name: int(n) for name, n in totals.items()}
