"""On `/centre/rules`: open orders that an earlier pack still judges, and the buttons that move them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jiying.core.errors import BadInput
from jiying.estates.queries import the_district
from jiying.exchange import moves
from jiying.orders import repacking
from jiying.pages.gates import only, signed_in
from jiying.people import audit
from jiying.people.scopes import ANSWERING, Scope, scope_of
from jiying.rules import packs, words
from jiying.rules.faults import NoPack
from jiying.rules.pack import Pack


def district_of(scope: Scope) -> str:
    """The district whose rules somebody looks at: first one that they answer for."""
    return min(scope.answered or scope.districts, default="") or getattr(the_district(), "code", "")


def left_behind(pack: Pack, district: str, scope: Scope) -> dict[str, Any] | None:
    """What the page shows: by which packs how many are still judged, the last count and move; None: nothing to show.

    `may`: whether the reader moves them.
    """
    may = district in scope.answered
    waiting = repacking.waiting(pack, [district]).order_by("pack").values_list("pack").annotate(n=Count("pk"))
    found = {str(stamp): n for stamp, n in waiting}
    moved = moves.moved(pack, district) if may else None
    if not found and moved is None:
        return None
    count = moves.counted(pack, district) if may else None
    return {
        "pack": pack.stamp,
        "by_pack": found,
        "n": sum(found.values()),
        "may": may,
        "count": count,
        "changes": _lines(count, pack),
        "move": moved,
    }


def _lines(count: moves.Shown | None, pack: Pack) -> list[tuple[str, dict[str, int]]]:
    found = (count and count.found) or {"promises": {}}
    return [(words.promise(promise, pack), counts) for promise, counts in found["promises"].items()]


@require_POST
@only(*sorted(ANSWERING))
def begin(request: HttpRequest, what: str) -> HttpResponse:
    """Count what would change, or move."""
    scope = scope_of(request.user)
    district = district_of(scope)
    if district not in scope.answered:
        raise PermissionDenied
    try:
        pack = packs.stamped(request.POST.get("pack", ""))
        if what == "count":
            moves.begin_count(pack, district)
        else:
            moves.begin_move(pack, district, by=signed_in(request), origin=audit.origin_of(request))
            messages.success(request, _("已开始，未结工单正在改按 %(pack)s 计时。") % {"pack": pack.stamp})
    except (NoPack, BadInput):
        messages.error(request, _("这个规则包今天不是现行的，没有改动任何工单。"))
    return redirect("/centre/rules#moving")
