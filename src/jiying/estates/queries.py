"""Reads about places and those who serve them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet

from jiying.estates.finding import find
from jiying.estates.models import Company, Contract, Division, Estate, Level, Shift, Worker

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


def candidates(company: Company | None, *, district: str) -> QuerySet[Worker]:
    """Workers who may be sent: the company's, or the district's where no company serves; with shifts."""
    rows = Worker.objects.filter(active=True).select_related("company", "home_estate")
    rows = rows.filter(company=company) if company else rows.filter(company__district=district)
    return rows.prefetch_related(Prefetch("shifts", queryset=Shift.objects.order_by("start_min"))).order_by(
        "name", "id"
    )


def on_duty(workers: Iterable[Worker], at: datetime, zone: ZoneInfo) -> list[Worker]:
    """Those of `workers` whose shift covers `at`."""
    return [worker for worker in workers if worker.on_duty(at, zone)]
