"""`/district`: how well promises are kept, by town, company, committee or estate; and `/district/BY/CODE`, one of them.

Everybody who works with figures sees those of what their roles reach: a company what is said of it, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from jiying.district import charts, shown
from jiying.district.headlines import headlines, more
from jiying.district.links import Links
from jiying.district.period import PRESETS, Period
from jiying.pages.gates import only
from jiying.people.scopes import Scope, scope_of
from jiying.rules import packs
from jiying.rules.words import named
from jiying.supervision.figures import Tally
from jiying.supervision.queries import BY, Within, daily, first_report, place_name, summary, table, zone_for

MOST_DAYS = 92
"""As many days a trend shows."""

at_figures = only("district", "supervisor", "town", "committee", "company", "manager")


@require_safe
@at_figures
def district(request: HttpRequest) -> HttpResponse:
    """All that somebody reaches."""
    return _page(request, None, "")


@require_safe
@at_figures
def place(request: HttpRequest, by: str, code: str) -> HttpResponse:
    """One town, company, committee or estate of it."""
    if by not in BY:
        raise Http404
    name = place_name(scope_of(request.user), (by, code))
    if name is None:
        raise Http404
    return _page(request, (by, code), name)


def _page(request: HttpRequest, within: Within | None, name: str) -> HttpResponse:
    scope, now, asked = scope_of(request.user), timezone.now(), request.GET
    zone = zone_for(scope)
    with timezone.override(zone):
        period = Period.asked(asked.dict(), now, zone)  # type: ignore[arg-type]
        ways = shown.ways(scope, within)
        by = asked.get("by", "") if asked.get("by") in ways else ways[0]
        figures = table(scope, period.from_, period.to, by, now=now, within=within)
        before = _before(scope, period, within)
        days = daily(scope, max(period.first, period.last - (MOST_DAYS - 1) * period.day), period.last, within=within)
        pack = packs.in_force(min(period.to, now).astimezone(zone))
        stamp = named(pack)
        links = Links({within[0]: within[1]} if within else {}, period)
        three, two = headlines(figures["total"], before, stamp, links, days)
        preset = period.preset(now.astimezone(zone).date())
        when = {"days": str(preset)} if preset else {"from": period.first.isoformat(), "to": period.last.isoformat()}
        context: dict[str, Any] = {
            "name": name,
            "within": within,
            "sort_of_place": shown.names_of_places()[within[0]] if within else "",
            "period": period,
            "comparable": before is not None,
            "presets": [(n, f"?{urlencode({'days': n, **_kept(asked, 'by', 'sort', 'q')})}") for n in PRESETS],
            "preset": preset,
            "up": f"/district?{urlencode(when)}",
            "hidden": _kept(asked, "by", "sort", "q"),
            "three": three,
            "two": two,
            "more": more(figures["total"], pack, links),
            "pack": stamp,
            "whole": not within and bool(scope.districts),
            "plans": not within and "district" in scope.roles,
            "export": urlencode(
                {
                    **when,
                    "by": by,
                    **({"place": within[0], "code": within[1]} if within else {}),
                    **_kept(asked, "sort"),
                }
            ),
            **_charts(scope, period, within, days),
            **_table(figures, by, ways, when, asked, links),
        }
        return render(request, "district/district.html", context)


def _before(scope: Scope, period: Period, within: Within | None) -> dict[str, Any] | None:
    """The figures of the period before; None where the records cover it only in part: every change would be an
    invention."""
    first, earlier = first_report(scope, within), period.before
    if first is None or first >= earlier.from_ + period.day:
        return None
    return summary(scope, earlier.from_, earlier.to, within=within).shown(earlier.days)


def _charts(scope: Scope, period: Period, within: Within | None, days: list[tuple[Any, Tally]]) -> dict[str, Any]:
    whole = Tally()
    for _day, tally in days:
        whole.add(tally)
    trend = charts.trend(days)
    return {
        "trend": trend,
        "arrived_lines": charts.polylines([day.arrived for day in trend]),
        "contacted_lines": charts.polylines([day.contacted for day in trend]),
        "minutes": charts.minute_bars(whole),
        "hours": charts.hour_bars(whole),
        "has_arrivals": any(bar.n for bar in charts.minute_bars(whole)),
        "cut": len(days) < period.days,
    }


def _table(
    figures: dict[str, Any], by: str, ways: list[str], when: dict[str, str], asked: Mapping[str, str], links: Links
) -> dict[str, Any]:
    """The rows of one page, and everything that leads to others."""
    words = asked.get("q", "").replace("\x00", "").strip()[:60]
    rows = shown.found(figures["rows"], words) if words else figures["rows"]
    rows, column, down = shown.sorted_rows(rows, asked.get("sort", ""))
    pages = max(1, -(-len(rows) // shown.PAGE))
    number = asked.get("page", "1")
    page = min(int(number), pages) if number.isascii() and number.isdigit() and len(number) < 7 and int(number) else 1
    query = {**when, **({"by": by} if by != ways[0] else {})}
    narrowed = {**query, **_kept(asked, "q")}
    names = shown.names_of_places()
    here = rows[(page - 1) * shown.PAGE : page * shown.PAGE]
    turn = {**narrowed, **_kept(asked, "sort")}
    return {
        "by": by,
        "by_name": names[by],
        "tabs": [(way, names[way], f"?{urlencode({**when, 'by': way})}") for way in ways],
        "headings": shown.headings(by, column, down, narrowed),
        "rows": [
            (shown.name_of(row, by), row["key"], shown.address_of(row, by, when), shown.cells(row, links.of(row, by)))
            for row in here
        ],
        "total": shown.cells(figures["total"], links),
        "all": len(rows),
        "words": words,
        "searchable": len(figures["rows"]) > shown.PAGE or bool(words),
        "page": page,
        "pages": pages,
        "earlier": f"?{urlencode({**turn, 'page': page - 1})}" if page > 1 else "",
        "later": f"?{urlencode({**turn, 'page': page + 1})}" if page < pages else "",
        "sort": asked.get("sort", ""),
        "when": when,
        "quiet": not figures["total"]["submitted"] and not figures["total"]["responsiveness"]["due"],
    }


def _kept(asked: Mapping[str, str], *names: str) -> dict[str, str]:
    """What the address says already, kept when something else changes."""
    return {name: asked[name][:60] for name in names if asked.get(name)}
