"""Figures read from orders, clocks and events, grouped by the database.

`table` answers in a constant number of queries, whatever the number of orders and of rows.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.utils import timezone

from jiying.core.times import rfc3339
from jiying.estates.models import Company, Division, Estate, Level
from jiying.estates.queries import the_district, zone_of
from jiying.orders.models import Order
from jiying.orders.store import stamp_of
from jiying.people.scopes import Scope, scope_of
from jiying.rules import packs
from jiying.supervision import counts
from jiying.supervision.figures import Tally

BY = ("town", "committee", "company", "estate")


def table(who: Any, from_: datetime, to: datetime, by: str = "town", *, now: datetime | None = None) -> dict[str, Any]:
    """The figures of a period, one row for each town, committee, company or estate, and their total.

    A promise belongs to the period of its `due_at`; orders, returns and complaints to that of their report;
    ratings and answers to that of their saying.  Running past its due time counts as missed; void, paused and
    not yet due are left out.

    Args:
        who: a user, or a scope: figures cover the orders that their roles reach.
        from_, to: aware times, `to` excluded.
        by: one of `BY`.

    Returns:
        `{pack, official, from, to, by, rows: [{key, name, …}], total}` with rows as `figures.Tally.shown` says;
        `key` is the division's code, the company's USCC or the estate's code, empty where an order has none.

    Raises:
        ValueError: `by` is none of `BY`, or `to` is not after `from_`.
    """
    if by not in BY:
        raise ValueError(f"by is one of {', '.join(BY)}, not {by!r}")
    if to <= from_:
        raise ValueError("the period ends before it begins")
    scope = who if isinstance(who, Scope) else scope_of(who)
    now = now or timezone.now()
    today = timezone.localdate(now)
    tallies: counts.Tallies = defaultdict(Tally)
    if reach_of(scope) is not None:
        counts.clocks(tallies, _here(scope) & _reach(scope, "order__"), from_, to, by, now)
        counts.orders(tallies, _reach(scope), from_, to, by)
        counts.left_out(tallies, _reach(scope, "order__"), from_, to, by)
        counts.words(tallies, _reach(scope, "order__"), from_, to, by)
    names = _names(tallies, scope, by, today)
    for key in names:
        tallies[key]  # A town without orders has its row too.
    counts.households(tallies, scope, by, today)
    pack = packs.in_force(min(to, now))
    days = (to - from_) / timedelta(days=1)
    total = Tally()
    for tally in tallies.values():
        total.add(tally)
    zone = zone_of(next(iter(scope.districts), "") or getattr(the_district(), "code", ""))
    return {
        "pack": stamp_of(pack),
        "official": pack.official,
        "from": rfc3339(from_, zone),
        "to": rfc3339(to, zone),
        "by": by,
        "rows": [
            {"key": code, "name": name, **tallies[key].shown(days)}
            for key, (code, name) in sorted(names.items(), key=lambda item: (not item[1][0], item[1][0]))
        ],
        "total": total.shown(days),
    }


def reach_of(scope: Scope, prefix: str = "") -> Q | None:
    """The orders whose figures somebody may see, as a condition; None when there are none.

    With a `prefix` it is about rows that have a `district` of their own besides their order, as clocks and
    events do: a whole district is then found without looking at the orders.

    As `visible_to`, without what they reported themselves: a figure is about a place, not about its reader.
    """
    if scope.districts:
        return Q(district__in=sorted(scope.districts))
    wanted: list[dict[str, Any]] = []
    for column, values in (
        ("town__code__in", scope.towns),
        ("committee__code__in", scope.committees),
        ("estate__code__in", scope.owned),
        ("company__organisation_id__in", scope.companies),
    ):
        if values:
            wanted.append({column: values})
    for organisation, places in scope.managed.items():
        mine: dict[str, Any] = {"company__organisation_id": organisation}
        wanted.append(mine | {"estate__code__in": places} if places else mine)
    if scope.works_for:
        wanted.append({"worker__user_id": scope.user_id})
    parts = [Q(**{f"{prefix}{column}": value for column, value in each.items()}) for each in wanted]
    return reduce(or_, parts) if parts else None


def _here(scope: Scope) -> Q:
    """All districts of the installation, said for the index that clocks have by district; none for a whole one."""
    if scope.districts:
        return Q()
    return Q(district__in=list(Division.objects.filter(level=Level.DISTRICT).values_list("code", flat=True)))


def _reach(scope: Scope, prefix: str = "") -> Q:
    reach = reach_of(scope, prefix)
    assert reach is not None, "asked only for those who reach something"
    return reach


def first_report(scope: Scope) -> datetime | None:
    """When the first order in reach was reported: before that, figures know nothing."""
    if reach_of(scope) is None:
        return None
    rows = Order.objects.filter(_reach(scope)).order_by("reported_at")
    return rows.values_list("reported_at", flat=True).first()


Names = dict[uuid.UUID | None, tuple[str, str]]


def _names(tallies: counts.Tallies, scope: Scope, by: str, day: date) -> Names:
    """Code and name of each row; by town, also of the towns in reach that have no orders."""
    ids = [key for key in tallies if key is not None]
    names: Names = {None: ("", "")} if None in tallies else {}
    if by == "company":
        names.update({row.pk: (row.uscc, row.name) for row in Company.objects.filter(pk__in=ids)})
    elif by == "estate":
        names.update({row.pk: (row.code, row.name) for row in Estate.objects.filter(pk__in=ids)})
    else:
        wanted = Q(pk__in=ids)
        if by == "town":
            towns = Division.objects.valid_on(day).filter(level=Level.TOWN)
            mine = Q(code__in=scope.towns) | Q(parent__code__in=scope.districts)
            wanted |= Q(pk__in=towns.filter(mine).values("pk"))
        names.update({row.pk: (row.code, row.name) for row in Division.objects.filter(wanted)})
    return names
