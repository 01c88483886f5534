"""The grouped questions behind `queries.table`: each fills one part of the tallies, in one query."""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from jiying.estates.models import Contract, Estate
from jiying.orders.models import Clock, Event, Order
from jiying.orders.states import AFTER_WORK, State
from jiying.people.scopes import Scope
from jiying.supervision.dialect import FromData, Minutes
from jiying.supervision.figures import PROMISES, Tally

Tallies = defaultdict[uuid.UUID | None, Tally]
"""Tallies by the id of town, committee, company or estate; None for orders without one."""

ANSWERS = ("rate", "confirm", "verify", "reopen")
"""Events in which a resident says whether it is solved."""


def _due(reach: Q, from_: datetime, to: datetime, now: datetime) -> QuerySet[Clock]:
    """The clocks whose promise is judged in the period."""
    judged = Q(state__in=("met", "missed")) | Q(state="running", due_at__lt=now)
    return Clock.objects.filter(judged, reach, promise__in=PROMISES, due_at__gte=from_, due_at__lt=to)


def clocks(tallies: Tallies, reach: Q, from_: datetime, to: datetime, by: str, now: datetime) -> None:
    """Promises met and missed, and the minutes to arrival."""
    due = _due(reach, from_, to, now)
    column = f"order__{by}_id"
    counted = due.order_by().values_list(column, "promise", "state", "claimed", "grade").annotate(n=Count("*"))
    for key, promise, state, claimed, grade, n in counted:
        kept = tallies[key].promises[promise]
        if state != "met":
            kept.missed += n
            continue
        kept.met += n
        kept.claimed += n if claimed else 0
        if grade:
            kept.grades[grade] += n
    spent = Minutes(F("from_at"), Coalesce(F("reached_at"), Value(now)))
    arrivals = due.filter(promise="respond_30").order_by()
    for key, minutes, n in arrivals.values_list(column, spent).annotate(n=Count("*")):
        tallies[key].minutes[minutes] += n


def orders(tallies: Tallies, reach: Q, from_: datetime, to: datetime, by: str) -> None:
    """What became of the orders reported in the period."""
    reported = Order.objects.filter(reach, reported_at__gte=from_, reported_at__lt=to).order_by()
    for key, state, kind, reopened, n in reported.values_list(f"{by}_id", "state", "kind", "reopened").annotate(
        n=Count("*")
    ):
        count = tallies[key].orders
        count["submitted"] += n
        if kind == "complaint":
            count["complaints"] += n
        if state in AFTER_WORK or reopened:
            count["done"] += n
        if reopened:
            count["reopened"] += n
        if state == State.CLOSED:
            count["closed"] += n
            count["fixed_first"] += 0 if reopened else n
        elif state in (State.REFUSED, State.CANCELLED):
            count[state] += n


def left_out(tallies: Tallies, reach: Q, from_: datetime, to: datetime, by: str) -> None:
    """Orders reported in the period that were ever returned, or downgraded by the centre."""
    said = Event.objects.filter(
        reach,
        verb__in=("return", "reclassify"),
        at__gte=from_,
        order__reported_at__gte=from_,
        order__reported_at__lt=to,
    ).order_by()
    said = said.annotate(down=FromData(F("canonical"), "downgraded"))
    for key, verb, down, n in said.values_list(f"order__{by}_id", "verb", "down").annotate(
        n=Count("order", distinct=True)
    ):
        if verb == "return":
            tallies[key].orders["returned"] += n
        elif down == "true":
            tallies[key].orders["downgraded"] += n


def words(tallies: Tallies, reach: Q, from_: datetime, to: datetime, by: str) -> None:
    """What residents said in the period: every rating, and the answers to "solved" that are an order's last word."""
    said = Event.objects.filter(verb__in=ANSWERS, at__gte=from_, at__lt=to).exclude(role="rule")
    later = Event.objects.filter(order=OuterRef("order"), version__gt=OuterRef("version"), verb__in=ANSWERS)
    rows: Any = said.filter(reach).annotate(
        satisfaction=FromData(F("canonical"), "satisfaction"),
        solved=FromData(F("canonical"), "solved"),
        superseded=Exists(later.exclude(role="rule")),
    )
    counted = rows.order_by().values_list(f"order__{by}_id", "verb", "satisfaction", "solved", "superseded")
    for key, verb, satisfaction, solved, superseded, n in counted.annotate(n=Count("*")):
        if verb == "rate" and satisfaction:
            tallies[key].ratings[satisfaction] += n
        if not superseded:
            tallies[key].answers["solved" if verb != "reopen" and solved == "true" else "unsolved"] += n


def households(tallies: Tallies, scope: Scope, by: str, day: date) -> None:
    """Households of the places in the tallies; a company's are those of its contracts on `day`."""
    estates = Estate.objects.all()
    if scope.towns and not scope.districts:
        estates = estates.filter(town__code__in=scope.towns)
    if by == "company":
        running: Any = Contract.objects.valid_on(day).filter(estate__in=estates)
        counted = running.order_by().values_list("company_id").annotate(n=Sum("estate__households"))
    else:
        key = "pk" if by == "estate" else f"{by}_id"
        counted = estates.order_by().values_list(key).annotate(n=Sum("households"))
    for key, n in counted:
        if key in tallies:
            tallies[key].households += n
