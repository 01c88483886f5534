"""`/district`: how well each town keeps what was promised.  A town's office sees its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jiying.district.period import PRESETS, Period
from jiying.district.shown import cells, headings, headlines, sorted_rows
from jiying.estates.queries import the_district, zone_of
from jiying.pages.gates import only
from jiying.people.scopes import scope_of
from jiying.rules import packs
from jiying.supervision.queries import first_report, table


@require_safe
@only("district", "supervisor", "town")
def district(request: HttpRequest) -> HttpResponse:
    """Figures of a period against the one before, and the towns as a table."""
    scope, now = scope_of(request.user), timezone.now()
    zone = zone_of(next(iter(sorted(scope.districts)), "") or getattr(the_district(), "code", ""))
    with timezone.override(zone):
        period = Period.asked(request.GET.dict(), now, zone)  # type: ignore[arg-type]
        figures = table(scope, period.from_, period.to, "town", now=now)
        # Against a baseline that the records cover only in part, every change would be an invention.
        first = first_report(scope)
        comparable = first is not None and first < period.before.from_ + timedelta(days=1)
        before = table(scope, period.before.from_, period.before.to, "town", now=now) if comparable else None
        pack = packs.in_force(min(period.to, now))
        english = (get_language() or "").startswith("en")
        label = pack.label.en if english else pack.label.zh
        stamp = figures["pack"] if pack.official else f"{figures['pack']} ({label})"
        three, two = headlines(figures["total"], before and before["total"], stamp)
        rows, column, down = sorted_rows(figures["rows"], request.GET.get("sort", ""))
        query = {"from": period.first.isoformat(), "to": period.last.isoformat()}
        preset = period.preset(now.astimezone(zone).date())
        context: dict[str, Any] = {
            "period": period,
            "comparable": comparable,
            "preset": preset,
            "presets": [(days, f"?{urlencode({'days': days, **_kept(request)})}") for days in PRESETS],
            "three": three,
            "two": two,
            "headings": headings(column, down, {"days": str(preset)} if preset else query),
            "rows": [(row["name"] or _("未定街镇"), row["key"], cells(row, period)) for row in rows],
            "total": cells({**figures["total"], "key": ""}, period),
            "pack": stamp,
            "sort": request.GET.get("sort", ""),
        }
        return render(request, "district/district.html", context)


def _kept(request: HttpRequest) -> dict[str, str]:
    """The order of the table, kept when the period changes."""
    sort = request.GET.get("sort", "")
    return {"sort": sort} if sort else {}
