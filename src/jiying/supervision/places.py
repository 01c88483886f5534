"""The places behind the figures: whose they may be seen by, what they are called, how many live there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from jiying.estates.models import Company, Contract, Division, Estate, Level
from jiying.people.scopes import Scope
from jiying.supervision.dialect import Bare
from jiying.supervision.models import Cell, Grain
from jiying.supervision.sums import Key, Reach

Names = dict[Key, tuple[str, str]]
Homes = dict[Key, tuple[int, int | None]]

CODES = {"town": "town__code", "committee": "committee__code", "estate": "estate__code", "company": "company__uscc"}
"""How an address names one place of each sort, on orders and on cells."""


def reach_of(scope: Scope, within: tuple[str, str] | None = None) -> Reach | None:
    """The orders whose figures somebody may see, or those of them in one place; None when there are none.

    As `visible_to`, without what they reported themselves: a figure is about a place, not about its reader.

    Args:
        within: one of `CODES`, and a code.
    """
    place = Q(**{CODES[within[0]]: within[1]}) if within else Q()
    if scope.districts:
        return Reach(scope.districts, place if within else None)
    conditions = _conditions(scope)
    cells = reduce(or_, conditions) if conditions else None
    here = frozenset(Division.objects.filter(level=Level.DISTRICT).values_list("code", flat=True))
    if scope.works_for - scope.companies:
        own = Q(worker__user_id=scope.user_id)
        return Reach(here, orders=place & (own | cells if cells is not None else own))
    return Reach(here, place & cells) if cells is not None else None


def _conditions(scope: Scope) -> list[Q]:
    wanted: list[dict[str, Any]] = [
        {column: values}
        for column, values in (
            ("town__code__in", scope.towns),
            ("committee__code__in", scope.committees),
            ("estate__code__in", scope.owned),
            ("company__organisation_id__in", scope.companies),
        )
        if values
    ]
    for organisation, places in scope.managed.items():
        mine: dict[str, Any] = {"company__organisation_id": organisation}
        wanted.append(mine | {"estate__code__in": places} if places else mine)
    return [Q(**each) for each in wanted]


def names_of(keys: Iterable[Key], scope: Scope, by: str, day: date, within: tuple[str, str] | None) -> Names:
    """Code and name of each row; and of the towns, committees and companies in reach where nothing happened."""
    keys = list(keys)
    ids = [key for key in keys if key is not None]
    names: Names = {None: ("", "")} if None in keys else {}
    rows: Any
    if by == "estate":
        # A whole district's are read without naming thousands of them.
        known = set(ids)
        rows = Estate.objects.filter(district__in=scope.districts) if scope.districts else Estate.objects.none()
        told = {key: (code, name) for key, code, name in rows.values_list(Bare("pk"), "code", "name") if key in known}
        rest = Estate.objects.filter(pk__in=known - told.keys())
        return {**names, **told, **_named(rest, "code")}
    if by == "company":
        mine = Q(organisation_id__in=scope.companies | set(scope.managed)) if not within else Q(pk=None)
        return {**names, **_named(Company.objects.filter(Q(pk__in=ids) | mine), "uscc")}
    return {**names, **_named(Division.objects.filter(Q(pk__in=ids) | _quiet(scope, by, day, within)), "code")}


def _named(rows: Any, code: str) -> Names:
    return {key: (code, name) for key, code, name in rows.values_list(Bare("pk"), code, "name")}


def name_in(scope: Scope, within: tuple[str, str], day: date) -> str | None:
    """The name of one place, if it lies in reach or holds orders that do."""
    by, code = within
    if by == "estate":
        place: Any = Estate.objects.filter(code=code).first()
        mine = place is not None and place.district in scope.districts
    elif by == "company":
        place = Company.objects.filter(uscc=code).first()
        mine = place is not None and (
            place.district in scope.districts or place.organisation_id in scope.companies | set(scope.managed)
        )
    else:
        rows = Division.objects.filter(code=code, level=by).select_related("parent__parent")
        place = rows.order_by("-valid_from").first()
        above = {place.parent.code, getattr(place.parent.parent, "code", "")} if place and place.parent else set()
        mine = bool(above & scope.districts) or code in (scope.towns if by == "town" else scope.committees)
    reach = reach_of(scope, within)
    if place is None or reach is None:
        return None
    if not mine and reach.orders is None:
        mine = Cell.objects.filter(reach.where or Q(), grain=Grain.CELL, district__in=reach.districts).exists()
    return str(place.name) if mine or homes_of(scope, "town", day, within) else None


def _quiet(scope: Scope, by: str, day: date, within: tuple[str, str] | None) -> Q:
    """The divisions that have a row whether or not anything happened."""
    mine = Q(code__in=scope.towns if by == "town" else scope.committees)
    if by == "town":
        mine |= Q(parent__code__in=scope.districts)
    rows = Division.objects.valid_on(day).filter(mine, level=Level.TOWN if by == "town" else Level.COMMITTEE)
    if within:
        rows = rows.filter(code=within[1]) if within[0] == by else rows.none()
    return Q(pk__in=rows.values("pk"))


def homes_of(scope: Scope, by: str, day: date, within: tuple[str, str] | None) -> Homes:
    """Households of each place, and how many of them live where a contract runs; of those in reach.

    A company's are those of its contracts on `day`, of which coverage is no question.
    """
    estates = _estates(scope, day, within)
    if by == "company" or (within and within[0] == "company"):
        running: Any = Contract.objects.valid_on(day).filter(estate__in=estates.values("pk"))
        if within and within[0] == "company":
            running = running.filter(company__uscc=within[1])
        elif not scope.districts and not (scope.towns or scope.committees or scope.owned):
            running = running.filter(company__organisation_id__in=scope.companies | set(scope.managed))
        column = {"company": "company_id", "estate": "estate_id"}.get(by, f"estate__{by}_id")
        return {
            key: (n or 0, None)
            for key, n in running.order_by().values_list(Bare(column)).annotate(n=Sum("estate__households"))
        }
    inside = Exists(Contract.objects.valid_on(day).filter(estate=OuterRef("pk")))
    column = "pk" if by == "estate" else f"{by}_id"
    counted = (
        estates.order_by()
        .values_list(Bare(column))
        .annotate(n=Sum("households"), covered=Coalesce(Sum("households", filter=Q(inside)), 0))
    )
    asks = scope.districts or scope.towns or scope.committees or scope.owned
    return {key: (n or 0, covered if asks else None) for key, n, covered in counted}


def _estates(scope: Scope, day: date, within: tuple[str, str] | None) -> Any:
    """The estates in reach, in one place of it."""
    if scope.districts:
        rows: Any = Estate.objects.filter(district__in=scope.districts)
    else:
        contracted = Contract.objects.valid_on(day).filter(
            company__organisation_id__in=scope.companies | {key for key, places in scope.managed.items() if not places}
        )
        rows = Estate.objects.filter(
            Q(town__code__in=scope.towns)
            | Q(committee__code__in=scope.committees)
            | Q(code__in=set(scope.owned).union(*scope.managed.values()))
            | Q(pk__in=contracted.values("estate_id"))
        )
    if within and within[0] != "company":
        column = "code" if within[0] == "estate" else f"{within[0]}__code"
        rows = rows.filter(**{column: within[1]})
    return rows
