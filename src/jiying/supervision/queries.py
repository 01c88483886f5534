"""Figures for screens, the interface and exports: `table`, and the days behind one place.

Read from what the follower `rollups` keeps, so that the time of an answer depends on places and days, not on
orders.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from jiying.core.times import rfc3339
from jiying.estates.queries import the_district, zone_of
from jiying.orders.models import Order
from jiying.people.scopes import Scope, scope_of
from jiying.rules import packs
from jiying.supervision import sums
from jiying.supervision.figures import Tally
from jiying.supervision.models import Grain
from jiying.supervision.places import homes_of, name_in, names_of, reach_of
from jiying.supervision.sums import Period

BY = ("town", "committee", "company", "estate")
Within = tuple[str, str]
"""One place: one of `BY`, and its code."""


def table(
    who: Any,
    from_: datetime,
    to: datetime,
    by: str = "town",
    *,
    now: datetime | None = None,
    within: Within | None = None,
) -> dict[str, Any]:
    """The figures of a period, one row for each town, committee, company or estate, and their total.

    A promise belongs to the period of its `due_at`; orders, returns and complaints to that of their report;
    ratings and answers to that of their saying.  Running past its due time counts as missed; void, paused and
    not yet due are left out.

    Args:
        who: a user, or a scope: figures cover the orders that their roles reach.
        from_, to: aware times, `to` excluded.  Whole days of the district are answered soonest.
        by: one of `BY`.
        within: only what lies in this place.

    Returns:
        `{pack, official, from, to, by, rows: [{key, name, …}], total}` with rows and total as `figures.Shown` says;
        `key` is the division's code, the company's USCC or the estate's code, empty where an order has none.

    Raises:
        ValueError: `by` is none of `BY`, or `to` is not after `from_`.
    """
    if by not in BY:
        raise ValueError(f"by is one of {', '.join(BY)}, not {by!r}")
    scope, period = _asked(who, from_, to, now)
    today = timezone.localdate(period.now, period.zone)
    reach = reach_of(scope, within)
    tallies = {key: Tally(*some) for key, some in (sums.parts(reach, period, by) if reach else {}).items()}
    names = names_of(tallies, scope, by, today, within)
    homes = homes_of(scope, by, today, within)
    for key in names:
        tally = tallies.setdefault(key, Tally())
        tally.households, tally.covered = homes.get(key, (0, None))
    # What nobody serves and where nothing happened has no row, but people live there all the same.
    living = homes_of(scope, "town", today, within) if by == "company" else homes
    total = _total(reach, period, by, tallies.values())
    for households, covered in living.values():
        total.add(Tally(households=households, covered=covered))
    pack, days = packs.in_force(min(to, period.now).astimezone(period.zone)), _length(period)
    rows = [
        tallies[key].shown(days, key=code, name=name)
        for key, (code, name) in sorted(names.items(), key=lambda item: (not item[1][0], item[1][0]))
    ]
    return {
        "pack": pack.stamp,
        "official": pack.official,
        "from": rfc3339(from_, period.zone),
        "to": rfc3339(to, period.zone),
        "by": by,
        "rows": rows,
        "total": total.shown(days),
    }


def _total(reach: sums.Reach | None, period: Period, by: str, tallies: Iterable[Tally]) -> Tally:
    """The counts of all places together, without their households.

    A whole district is kept as one row a day, which is sooner read than thousands of places are added up.
    """
    if sums.BY[by] is Grain.CELL and reach is not None and reach.where is None and reach.orders is None:
        return Tally(*sums.parts(reach, period, "all").get(None, ()))
    total = Tally()
    for tally in tallies:
        total.add(Tally(tally.counts))
    return Tally(total.counts)


def summary(
    who: Any, from_: datetime, to: datetime, *, now: datetime | None = None, within: Within | None = None
) -> Tally:
    """All of a reach, or of one place in it, as one tally.  Raises as `table`."""
    scope, period = _asked(who, from_, to, now)
    reach = reach_of(scope, within)
    tally = Tally(*(sums.parts(reach, period, "all").get(None, ()) if reach else ()))
    for households, covered in homes_of(scope, "town", timezone.localdate(period.now, period.zone), within).values():
        tally.add(Tally(households=households, covered=covered))
    return tally


def daily(who: Any, first: date, last: date, *, within: Within | None = None) -> list[tuple[date, Tally]]:
    """Each day from `first` to `last` (both included); what is still waiting is in none of them."""
    scope = who if isinstance(who, Scope) else scope_of(who)
    reach = reach_of(scope, within)
    if reach is None or reach.orders is not None:
        return []
    days = sums.daily(reach, first.toordinal(), last.toordinal() + 1)
    return [(date.fromordinal(day), Tally(counts)) for day, counts in sorted(days.items())]


def first_report(who: Any, within: Within | None = None) -> datetime | None:
    """When the first order in reach was reported: before that, figures know nothing."""
    scope = who if isinstance(who, Scope) else scope_of(who)
    reach = reach_of(scope, within)
    if reach is None:
        return None
    rows = Order.objects.filter(sums.of_orders(reach)).order_by("reported_at")
    return rows.values_list("reported_at", flat=True).first()


def place_name(who: Any, within: Within) -> str | None:
    """The name of one place; None where it is nobody's, or beyond somebody's reach."""
    scope = who if isinstance(who, Scope) else scope_of(who)
    return name_in(scope, within, timezone.localdate(timezone=zone_for(scope)))


def zone_for(scope: Scope) -> Any:
    """The zone in which somebody's days begin."""
    return zone_of(next(iter(sorted(scope.districts)), "") or getattr(the_district(), "code", ""))


def _asked(who: Any, from_: datetime, to: datetime, now: datetime | None) -> tuple[Scope, Period]:
    if to <= from_:
        raise ValueError("the period ends before it begins")
    scope = who if isinstance(who, Scope) else scope_of(who)
    return scope, Period(from_, to, now or timezone.now(), zone_for(scope))


def _length(period: Period) -> float:
    """Days."""
    return (period.to - period.from_) / timedelta(days=1)
