"""Estates and workers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from jiying.api import schemas
from jiying.api.answers import json_answer
from jiying.api.asking import Anybody, SignedIn, asker
from jiying.api.listing import by_name, limit_of, text_of
from jiying.estates.models import Estate, Worker
from jiying.estates.queries import find_places, with_duty, zone_of
from jiying.orders.wire import reference

router = Router(tags=["places"])


@router.get(
    "/estates",
    auth=Anybody(),
    response=schemas.Estates,
    openapi_extra=schemas.asks("q", "limit", "cursor"),
    summary="Find estates",
)
def estates(request: HttpRequest) -> HttpResponse:
    """By name, address, code or pinyin initials; all of them without `q`.  Names are public: who reports has to
    find the place.  A search answers with its best `limit` and has no further page.
    """
    words = text_of(request, "q")
    if words:
        rows, following = find_places(words, limit=limit_of(request)), None
    else:
        rows, following = by_name(Estate.objects.select_related("town", "committee"), request)
    return json_answer({"items": [_estate(row) for row in rows], "next": following})


def _estate(estate: Estate) -> dict[str, Any]:
    return {
        "id": str(estate.pk),
        "code": estate.code,
        "name": estate.name,
        "kind": estate.kind,
        "address": estate.address,
        "town": reference(estate.town.code, estate.town.name),
        "committee": reference(estate.committee.code, estate.committee.name) if estate.committee else None,
    }


@router.get(
    "/workers",
    auth=SignedIn(),
    response=schemas.Workers,
    openapi_extra=schemas.asks("limit", "cursor"),
    summary="Workers one may see",
)
def workers(request: HttpRequest) -> HttpResponse:
    """Those of one's company; of the district for the centre and the district office.  Telephones are not among it."""
    rows = Worker.objects.visible_to(asker(request)).filter(active=True).select_related("company", "home_estate")
    shown, following = by_name(with_duty(rows, timezone.now()), request)
    return json_answer({"items": [_worker(row) for row in shown], "next": following})


def _worker(worker: Worker) -> dict[str, Any]:
    home = worker.home_estate
    return {
        "id": str(worker.pk),
        "name": worker.name,
        "company": reference(worker.company.uscc, worker.company.name),
        "skills": worker.skills,
        "home_estate": reference(home.code, home.name) if home else None,
        "on_duty": worker.on_duty(timezone.now(), zone_of(worker.company.district)),
    }
