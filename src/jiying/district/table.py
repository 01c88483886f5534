"""The table of figures to take away: one row a place, with numerators and denominators, formulas and pack beside."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.district import shown
from jiying.district.period import Period
from jiying.exchange.sources import Source
from jiying.exchange.spreadsheets import Cell, Column, Sheet
from jiying.people.models import User
from jiying.people.scopes import scope_of
from jiying.rules import packs, words
from jiying.supervision.queries import BY, place_name, table, zone_for

ROLES = frozenset({"district", "supervisor", "town", "committee", "company", "manager"})
_SHARES = frozenset({"arrived_30", "contacted_30", "responsiveness", "satisfaction", "rework"})


def _asked(user: User, query: str) -> tuple[dict[str, Any], str, Period]:
    """The figures that a page's query shows, by what, and of when."""
    scope, sent, now = scope_of(user), QueryDict(query).dict(), timezone.now()
    zone = zone_for(scope)
    period = Period.asked(sent, now, zone)  # type: ignore[arg-type]
    place, code = str(sent.get("place", "")), str(sent.get("code", ""))
    within = (place, code) if place in BY and place_name(scope, (place, code)) is not None else None
    ways = shown.ways(scope, within)
    by = str(sent.get("by", "")) if sent.get("by") in ways else ways[0]
    return table(scope, period.from_, period.to, by, now=now, within=within), by, period


def count(user: User, query: str) -> int:
    """How many places."""
    return len(_asked(user, query)[0]["rows"])


def sheet(user: User, query: str) -> Sheet:
    """The places in the order of the page, then their total."""
    figures, by, period = _asked(user, query)
    rows, _column, _down = shown.sorted_rows(figures["rows"], str(QueryDict(query).get("sort", "")))
    heads = shown.headings(by, "", False, {})
    return Sheet(
        title=_("数据"),
        columns=[Column(_("代码"), width=20), *(column for head in heads for column in _columns(head))],
        rows=[
            *([row["key"], shown.name_of(row, by), *_cells(row)] for row in rows),
            ["", _("合计"), *_cells(figures["total"])],
        ],
        zone=timezone.get_current_timezone(),
        notes=[
            (_("时段"), f"{period.first.isoformat()} – {period.last.isoformat()}"),
            (_("规则包"), words.named(packs.in_force(min(period.to, timezone.now()).astimezone(period.zone)))),
            *((head["label"], head["formula"]) for head in heads if head["formula"]),
            (_("空格"), _("没有可计算的：不是零，也不是百分之百。")),
        ],
        notes_title=_("附注"),
    )


SOURCE = Source("figures", gettext_lazy("数据"), "/district", ROLES, count, sheet)


def _columns(head: dict[str, Any]) -> list[Column]:
    if head["name"] == "name":
        return [Column(head["label"], width=22)]
    if head["name"] in _SHARES:
        return [Column(head["label"], "share", 12), Column(_("%(name)s：分母") % {"name": head["label"]}, "number", 12)]
    return [Column(head["label"], "number", 10)]


def _cells(row: dict[str, Any]) -> list[Cell]:
    cells: list[Cell] = []
    for name in ("arrived_30", "contacted_30", "responsiveness"):
        cells += (row[name]["share"], row[name]["due"])
    cells += (row["median_min"], row["p90_min"], row["satisfaction"]["share"], row["satisfaction"]["n"])
    return [*cells, row["rework"], row["done"], row["complaints"], row["submitted"]]
