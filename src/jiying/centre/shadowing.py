"""`/centre/shadow`: what was decided about who goes, beside what plain nearness would have done."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from jiying.centre.moving import district_of
from jiying.dispatch.shadow import compare
from jiying.estates.queries import zone_of
from jiying.pages.figures import percent
from jiying.pages.gates import only
from jiying.people.scopes import scope_of

DAYS, NEWEST = 7, 2000


@require_safe
@only("operator", "supervisor", "district")
def show(request: HttpRequest) -> HttpResponse:
    """The decisions of a week, the newest two thousand at most: two queries and one for each five hundred."""
    district = district_of(scope_of(request.user))
    with timezone.override(zone_of(district)):
        now = timezone.now()
        found = compare(district, now - timedelta(days=DAYS), now, newest=NEWEST)
        sides = (("same", found.same), ("other", found.other))
        context = {
            "found": found,
            "differs": percent(found.differs),
            "sides": [(name, side, percent(side.share)) for name, side in sides],
            "days": DAYS,
            "most": NEWEST if found.decisions == NEWEST else 0,
        }
        return render(request, "centre/shadow.html", context)
