"""`/centre`: the wall."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from jiying.centre.board import BESIDE, PAUSED_LONG, board_of
from jiying.centre.surging import district_of
from jiying.dispatch import surges
from jiying.dispatch.recalling import standing
from jiying.estates.queries import zone_of
from jiying.pages.gates import live, only
from jiying.people.scopes import scope_of


@require_safe
@only("operator", "supervisor", "district")
@live
def wall(request: HttpRequest) -> HttpResponse:
    """Emergencies by time left, and beside them what is stuck."""
    scope, now = scope_of(request.user), timezone.now()
    district = district_of(scope)
    surge = standing(district, now) if surges.running(district) else None
    with timezone.override(zone_of(district)):
        beside = {"paused_days": PAUSED_LONG.days, "beside": BESIDE, "surge": surge}
        context = board_of(scope, now) | beside
        return render(request, "centre/wall.html", context)
