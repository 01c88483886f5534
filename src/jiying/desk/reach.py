"""Whose orders a desk holds, as conditions on single columns, so that the queue's indexes serve them.

`visible_to` joins several reaches by OR and adds what somebody reported themselves; a desk is about work, and
most people have one reach.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from jiying.estates.models import Company, Division, Estate
from jiying.orders.models import Ask
from jiying.people.scopes import Scope

MINE: dict[str, tuple[str, ...]] = {
    "manager": ("signed",),
    "company": ("submitted", "signed"),
    "committee": ("done", "verified", "paused"),
    "town": ("paused", "returned"),
    "operator": ("returned", "done", "verified"),
    "supervisor": ("returned",),
    "district": ("returned",),
}
"""The states in which an order waits for somebody of that role."""


def waits_for(scope: Scope) -> list[str]:
    """The states that wait for somebody of this scope."""
    return sorted({state for role in scope.roles for state in MINE.get(role, ())})


def reach_of(scope: Scope) -> Q | None:
    """The condition; None where nothing is reached.  At most five small queries, none for a whole district."""
    if scope.districts:
        return Q(district__in=sorted(scope.districts))
    parts: list[Q] = []
    for column, codes in (("town", scope.towns), ("committee", scope.committees)):
        if codes:
            ids = list(Division.objects.filter(code__in=codes).values_list("pk", flat=True))
            parts.append(Q(**{f"{column}_id__in": ids}))
    if scope.owned:
        parts.append(Q(estate_id__in=_estates(scope.owned)))
    if organisations := scope.companies | set(scope.managed):
        found = Company.objects.filter(organisation_id__in=organisations).values_list("organisation_id", "pk")
        for organisation, company in found:
            parts.append(_of_company(scope, organisation, company))
    if (bodies := scope.bodies) and (asked := list(Ask.objects.open_to(bodies).values_list("order_id", flat=True))):
        parts.append(Q(pk__in=asked))
    return reduce(or_, parts) if parts else None


def _of_company(scope: Scope, organisation: Any, company: Any) -> Q:
    """All of a company's orders, or for an estate manager those of their estates."""
    whole = Q(company_id=company)
    places = scope.managed.get(organisation)
    if organisation in scope.companies or not places:
        return whole
    return whole & Q(estate_id__in=_estates(places))


def _estates(codes: frozenset[str]) -> list[Any]:
    return list(Estate.objects.filter(code__in=codes).values_list("pk", flat=True))
