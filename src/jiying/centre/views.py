"""`/centre`: the wall."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from jiying.centre.board import BESIDE, PAUSED_LONG, board_of
from jiying.estates.queries import the_district, zone_of
from jiying.pages.gates import live, only
from jiying.people.scopes import scope_of


@require_safe
@only("operator", "supervisor", "district")
@live
def wall(request: HttpRequest) -> HttpResponse:
    """Emergencies by time left, and beside them what is stuck."""
    scope = scope_of(request.user)
    district = next(iter(sorted(scope.districts)), "") or getattr(the_district(), "code", "")
    with timezone.override(zone_of(district)):
        context = board_of(scope, timezone.now()) | {"paused_days": PAUSED_LONG.days, "beside": BESIDE}
        return render(request, "centre/wall.html", context)
