"""`/centre/surge`: whether a surge runs, how many people are wanted, who is at home, and the switch by hand."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from jiying.core.errors import BadInput, NotYours
from jiying.dispatch import surges
from jiying.dispatch.engine.surging import BEGINS_ABOVE, ENDS_BELOW
from jiying.dispatch.recalling import off_duty, standing
from jiying.estates.queries import the_district, zone_of
from jiying.pages.gates import only, signed_in
from jiying.people.scopes import Scope, scope_of

NAMED = 30
"""So many people of a company are named."""

_SAID = {
    "start": gettext_lazy("高峰模式已开启。"),
    "stop": gettext_lazy("高峰模式已结束。"),
    "rule": gettext_lazy("已改回按规则：由负荷决定。"),
}


def district_of(scope: Scope) -> str:
    """The district that somebody watches over: the first whose centre they speak for, else the first that they see,
    else that of the installation.
    """
    return min(scope.centred or scope.districts, default="") or getattr(the_district(), "code", "")


@require_safe
@only("operator", "supervisor", "district")
def show(request: HttpRequest) -> HttpResponse:
    """The surge in figures, and the people who could be called in, by company: five queries."""
    return _page(request)


@require_POST
@only("operator", "supervisor")
def switch(request: HttpRequest, change: str) -> HttpResponse:
    """Begin or end a surge by hand (`start`, `stop`, with a reason), or leave it to the rule again (`rule`)."""
    by = signed_in(request)
    district = district_of(scope_of(by))
    if change not in _SAID:
        raise Http404
    try:
        if change == "rule":
            surges.undo(district, by=by)
        else:
            surges.switch(district, change == "start", by=by, reason=request.POST.get("reason"))
    except NotYours:
        raise PermissionDenied from None
    except BadInput as error:
        return _page(request, error.detail, error.status)
    messages.success(request, _SAID[change])
    return redirect("/centre/surge")


def _page(request: HttpRequest, refused: str = "", status: int = 200) -> HttpResponse:
    district, now = district_of(scope_of(request.user)), timezone.now()
    crews = off_duty(district, now)
    with timezone.override(zone_of(district)):
        context = {
            "standing": standing(district, now),
            "crews": crews,
            "at_home": sum(len(crew.people) for crew in crews),
            "named": NAMED,
            "may": surges.may_switch(signed_in(request), district),
            "begins": round(100 * BEGINS_ABOVE),
            "ends": round(100 * ENDS_BELOW),
            "hours": int(surges.HOLDS.total_seconds() // 3600),
            "refused": refused,
        }
        return render(request, "centre/surge.html", context, status=status)
