"""Reads of the duty roster (夜间值班表): who may stand in it, who is on duty, and which nights have nobody."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from jiying.people.models import Membership, NightDuty, Organisation, User
from jiying.people.nights import Nights
from jiying.people.scopes import Scope

DUTIES: dict[str, frozenset[str]] = {
    "front_desk": frozenset({"company", "manager"}),
    "manager": frozenset({"company", "manager"}),
    "town": frozenset({"town"}),
    "committee": frozenset({"committee"}),
    "centre": frozenset({"operator", "supervisor"}),
    "supervisor": frozenset({"supervisor"}),
    "district": frozenset({"district"}),
}
"""By duty, which is the audience told through it: the roles that see what it is told of."""

BY_KIND: dict[str, tuple[str, ...]] = {
    "company": ("front_desk", "manager"),
    "town": ("town",),
    "committee": ("committee",),
    "centre": ("centre", "supervisor"),
    "district": ("district",),
}
"""The duties of an organisation, by its kind; an owners' committee keeps no roster."""

AHEAD = 7
"""Nights looked at for gaps."""

KEPT = timedelta(days=30)
"""Who had somebody on duty so lately keeps a roster."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """An organisation whose roster somebody keeps; `places`: only for these estates (a bound manager); empty: whole."""

    organisation: Organisation
    places: frozenset[str] = frozenset()


def kept_by(scope: Scope) -> list[Keeper]:
    """The organisations whose roster somebody of `scope` sees and keeps, by name; a query for each kind."""
    found: dict[uuid.UUID, Keeper] = {}
    bound = {body: places for body, places in scope.managed.items() if body not in scope.companies}
    rows = list(Organisation.objects.filter(kind="company", pk__in={*scope.companies, *bound}))
    if scope.towns:
        rows += Organisation.objects.filter(kind="town", code__in=scope.towns)
    if scope.committees:
        rows += Organisation.objects.filter(kind="committee", code__in=scope.committees)
    if scope.roles & {"operator", "supervisor"}:
        rows += Organisation.objects.filter(kind="centre", district__in=scope.districts)
    if "district" in scope.roles:
        rows += Organisation.objects.filter(kind="district", district__in=scope.districts)
    for row in rows:
        found[row.pk] = Keeper(row, bound.get(row.pk, frozenset()))
    return sorted(found.values(), key=lambda one: (one.organisation.name, one.organisation.pk))


def members(organisations: Iterable[uuid.UUID], day: date) -> QuerySet[Membership]:
    """The memberships of organisations that hold on `day`, of users who may sign in."""
    rows = Membership.objects.valid_on(day).filter(organisation_id__in=list(organisations), user__is_active=True)
    return rows.select_related("user")


def people(organisation: Organisation, day: date) -> list[tuple[User, tuple[str, ...]]]:
    """Who may stand in an organisation's roster, by name, each with the duties they may have."""
    duties: dict[uuid.UUID, set[str]] = defaultdict(set)
    users: dict[uuid.UUID, User] = {}
    for member in members([organisation.pk], day):
        mine = [duty for duty in BY_KIND.get(organisation.kind, ()) if member.role in DUTIES[duty]]
        if mine:
            users[member.user_id] = member.user
            duties[member.user_id].update(mine)
    order = BY_KIND.get(organisation.kind, ())
    found = [(user, tuple(duty for duty in order if duty in duties[pk])) for pk, user in users.items()]
    return sorted(found, key=lambda one: (str(one[0]), one[0].username))


def between(organisations: Iterable[uuid.UUID], start: datetime, end: datetime) -> list[NightDuty]:
    """The lines of rosters that touch a time, the earliest first, with their people; one query."""
    rows = NightDuty.objects.filter(organisation_id__in=list(organisations), ends_at__gt=start, starts_at__lt=end)
    return list(rows.select_related("user").order_by("starts_at", "user__name", "pk"))


@dataclass(frozen=True, slots=True)
class Gap:
    """A night in which, for some of the time, nobody is on `duty`."""

    organisation: Organisation
    night: date
    duty: str


def gaps(organisations: Sequence[Organisation], nights: Nights, first: date, count: int = AHEAD) -> list[Gap]:
    """The nights from `first` on in which an organisation that keeps a roster has nobody; three queries.

    Asked for are the duties it keeps: those for which it had anybody within the last month, or has anybody to come.
    Who has left by then counts for nobody.  A line for some estates counts for the night.
    """
    ids = [one.pk for one in organisations]
    spans = {day: nights.night(day) for day in (first + timedelta(days=n) for n in range(count))}
    since = nights.night(first)[0] - KEPT
    kept = NightDuty.objects.filter(organisation_id__in=ids, ends_at__gt=since)
    keeps = set(kept.order_by().values_list("organisation_id", "duty").distinct())
    if not keeps:
        return []
    last = first + timedelta(days=count)
    there = Membership.objects.filter(Q(valid_to=None) | Q(valid_to__gt=first), valid_from__lte=last)
    here: dict[tuple[uuid.UUID | None, uuid.UUID], list[Membership]] = defaultdict(list)
    for member in there.filter(organisation_id__in={body for body, _duty in keeps}, user__is_active=True):
        here[member.organisation_id, member.user_id].append(member)
    lines: dict[tuple[uuid.UUID, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    for row in between({body for body, _duty in keeps}, spans[first][0], spans[first + timedelta(days=count - 1)][1]):
        if any(_stays(member, row, nights) for member in here[row.organisation_id, row.user_id]):
            lines[row.organisation_id, row.duty].append((row.starts_at, row.ends_at))
    return [
        Gap(one, day, duty)
        for one in organisations
        for day, span in spans.items()
        for duty in BY_KIND.get(one.kind, ())
        if (one.pk, duty) in keeps and not covers(lines[one.pk, duty], span)
    ]


def _stays(member: Membership, row: NightDuty, nights: Nights) -> bool:
    """Whether a membership holds from the beginning of a line to its end, in a role that may have its duty."""
    begins, ends = row.starts_at, row.ends_at - timedelta.resolution
    days = (at.astimezone(nights.zone).date() for at in (begins, ends))
    holds = all(member.valid_from <= day and (member.valid_to is None or day < member.valid_to) for day in days)
    return holds and member.role in DUTIES.get(row.duty, frozenset())


def covers(lines: Iterable[tuple[datetime, datetime]], span: tuple[datetime, datetime]) -> bool:
    """Whether somebody is there all the time of `span`.

    >>> at = [datetime(2026, 11, 27, hour) for hour in range(24)]
    >>> covers([(at[18], at[20]), (at[20], at[23])], (at[18], at[22])), covers([(at[19], at[23])], (at[18], at[22]))
    (True, False)
    """
    reached, end = span
    for start, until in sorted(lines):
        if start > reached:
            break
        reached = max(reached, until)
    return reached >= end
