"""Reads about places and those who serve them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Prefetch, Q
from django.utils import timezone

from jiying.estates.duty import Hours, Switch
from jiying.estates.finding import find
from jiying.estates.models import (
    AllianceMember,
    Company,
    Contract,
    Division,
    DutyChange,
    Estate,
    Level,
    Mandate,
    Shift,
    Worker,
    WorkerQuerySet,
)
from jiying.people.nights import Nights
from jiying.people.scopes import Scope
from jiying.rules import packs
from jiying.rules.faults import NoPack
from jiying.rules.pack import Calendar

_zones: dict[str, ZoneInfo] = {}


def zone_of(district: str) -> ZoneInfo:
    """The time zone of a district by its code; Shanghai's where none is set.  Kept once it is known."""
    if district not in _zones:
        names = Division.objects.filter(level=Level.DISTRICT, code=district).values_list("timezone", flat=True)
        name = names.first()
        if not name:
            return ZoneInfo("Asia/Shanghai")
        _zones[district] = ZoneInfo(name)
    return _zones[district]


def forget_zones() -> None:
    """Read time zones anew: a district was entered, changed or taken out."""
    _zones.clear()


def nights_of(district: str) -> Nights:
    """When it is night in a district: `JIYING_NIGHT`, its time zone, and the worked days of the pack in force."""
    zone = zone_of(district)
    try:
        calendar = packs.in_force(timezone.now().astimezone(zone), district).calendar
    except NoPack:
        calendar = None
    begins, ends = settings.NIGHT
    return Nights(zone, begins, ends, calendar or Calendar(hours=()))


def the_district() -> Division | None:
    """The district of this installation: its only one, or the first by code."""
    return Division.objects.filter(level=Level.DISTRICT).order_by("code").first()


def serving_company(estate: Estate, day: date) -> Company | None:
    """Who serves `estate` on `day`; None where no contract runs."""
    contract = (
        Contract.objects.valid_on(day).filter(estate=estate).select_related("company").order_by("-valid_from").first()
    )
    return contract.company if contract else None


def serving_companies(estate_ids: Iterable[uuid.UUID], day: date) -> dict[uuid.UUID, uuid.UUID]:
    """Estate id → company id on `day`, for those with a running contract."""
    rows = Contract.objects.valid_on(day).filter(estate_id__in=list(estate_ids)).order_by("valid_from")
    return dict(rows.values_list("estate_id", "company_id"))


def find_places(words: str, *, district: str | None = None, limit: int = 12) -> list[Estate]:
    """Estates that fit the words, the best first (`finding`); names are public."""
    rows = Estate.objects.filter(district=district) if district else Estate.objects.all()
    return [found.estate for found in find(words, rows, limit)]


def with_duty(workers: WorkerQuerySet, at: datetime) -> WorkerQuerySet:
    """With what `Worker.on_duty(at)` reads: shifts, and the switches that still hold; two queries more."""
    holding = DutyChange.objects.filter(until__gt=at).order_by("at")
    return workers.prefetch_related(
        Prefetch("shifts", queryset=Shift.objects.order_by("start_min")), Prefetch("duty_changes", queryset=holding)
    )


def duty_of(
    which: Mapping[str, Any], at: datetime
) -> tuple[defaultdict[uuid.UUID, list[Hours]], defaultdict[uuid.UUID, list[Switch]]]:
    """By worker id the shifts, and the switches that still hold at `at`, of those whom `which` narrows down to (as
    filters of rows with a `worker`).  Plain values for who reads hundreds; two queries.
    """
    hours: defaultdict[uuid.UUID, list[Hours]] = defaultdict(list)
    switches: defaultdict[uuid.UUID, list[Switch]] = defaultdict(list)
    shifts = Shift.objects.filter(**which)
    for pk, begin, end, weekdays in shifts.values_list("worker_id", "start_min", "end_min", "weekdays"):
        hours[pk].append(Hours(begin, end, weekdays))
    changes = DutyChange.objects.filter(**which, until__gt=at).order_by("at", "pk")
    for pk, on, since, until in changes.values_list("worker_id", "on", "at", "until"):
        switches[pk].append(Switch(on, since, until))
    return hours, switches


def candidates(company: Company | None, *, district: str, at: datetime | None = None) -> WorkerQuerySet:
    """Workers who may be sent by hand: the company's, or the district's where no company serves; with their duty."""
    rows = Worker.objects.filter(active=True).select_related("company", "home_estate")
    rows = rows.filter(company=company) if company else rows.filter(company__district=district)
    return with_duty(rows, at or timezone.now()).order_by("name", "id")


def on_duty(workers: Iterable[Worker], at: datetime, zone: ZoneInfo) -> list[Worker]:
    """Those of `workers` who are at work at `at`."""
    return [worker for worker in workers if worker.on_duty(at, zone)]


def mandated(
    towns: Iterable[uuid.UUID], districts: Iterable[str], day: date
) -> list[tuple[uuid.UUID, str, str, uuid.UUID]]:
    """(division id, division code, tier, company id) of what is in force on `day`: the stations of `towns` by id, the
    centres of `districts` by code.  One query.
    """
    whole = Q(division__level=Level.DISTRICT, division__code__in=set(districts))
    rows = Mandate.objects.valid_on(day).filter(Q(division_id__in=set(towns)) | whole).order_by("tier", "company_id")
    return list(rows.values_list("division_id", "division__code", "tier", "company_id"))


def holders(district: str, day: date) -> set[uuid.UUID]:
    """The companies of `district` with a mandate in force on `day`.  One query."""
    rows = Mandate.objects.valid_on(day).filter(company__district=district)
    return set(rows.values_list("company_id", flat=True))


def own_posts(district: str, day: date) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """(company id, estate id) of the contracts in `district` that run on `day`.  One query."""
    rows = Contract.objects.valid_on(day).filter(estate__district=district)
    return set(rows.values_list("company_id", "estate_id"))


def allied(companies: Iterable[uuid.UUID], day: date) -> dict[uuid.UUID, set[uuid.UUID]]:
    """For each of `companies` those that an alliance agreement in force on `day` binds to it.  One query."""
    bound = AllianceMember.objects.valid_on(day)
    mine = bound.filter(company_id__in=set(companies))
    rows = bound.filter(alliance__in=mine.values("alliance")).values_list("alliance_id", "company_id")
    by_alliance: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for alliance, company in rows:
        by_alliance[alliance].add(company)
    found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for members in by_alliance.values():
        for company in members:
            found[company] |= members - {company}
    return found


def of_company(scope: Scope) -> WorkerQuerySet:
    """The active workers whom a desk answers for: those of the companies it serves or manages."""
    return Worker.objects.filter(active=True, company__organisation_id__in=scope.desks).select_related(
        "company", "home_estate"
    )
