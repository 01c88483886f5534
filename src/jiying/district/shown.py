"""The table of places, ready to be drawn: what it is told apart by, its columns, its rows and their pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _

from jiying.district.links import Links
from jiying.pages.figures import percent
from jiying.people.scopes import Scope

Figures = Mapping[str, Any]

PAGE = 50
"""Rows on one page: estates are thousands."""

COLUMNS = (
    "name",
    "arrived_30",
    "contacted_30",
    "responsiveness",
    "median_min",
    "p90_min",
    "satisfaction",
    "rework",
    "complaints",
    "submitted",
)
"""The columns of the table, by which it can be sorted."""


def names_of_places() -> dict[str, str]:
    """What figures can be told apart by, in words."""
    return {"town": _("街镇"), "company": _("企业"), "committee": _("居村"), "estate": _("小区")}


def ways(scope: Scope, within: tuple[str, str] | None) -> list[str]:
    """By what somebody's figures can be told apart, the usual one first."""
    if within:
        order = {
            "town": ("company", "estate", "committee"),
            "company": ("estate", "town", "committee"),
            "committee": ("estate", "company"),
            "estate": ("company",),
        }
        return list(order[within[0]])
    if scope.districts:
        return ["town", "company", "committee", "estate"]
    if scope.towns:
        return ["company", "committee", "estate", "town"]
    if scope.companies or scope.managed:
        return ["estate", "town", "company"]
    return ["estate", "company", "committee"]


def value_of(row: Figures, column: str) -> Any:
    """What a column shows of a row: a share 0..1, a number, a name, or None."""
    if column in ("arrived_30", "contacted_30", "responsiveness", "satisfaction"):
        return row[column]["share"]
    return row[column]


def sorted_rows(rows: list[Figures], asked: str) -> tuple[list[Figures], str, bool]:
    """Rows by `?sort=`: a column, with a minus for the largest first; rows without a value come last.

    Without one: the promise least kept first, since that is where to look.
    """
    column, down = asked.removeprefix("-"), asked.startswith("-")
    if column not in COLUMNS:
        column, down = "arrived_30", False
    if column == "name":
        known = sorted(rows, key=lambda row: row["key"], reverse=down)
        return known, column, down
    known = [row for row in rows if value_of(row, column) is not None]
    known.sort(key=lambda row: (value_of(row, column), row["key"]), reverse=down)
    return known + [row for row in rows if value_of(row, column) is None], column, down


def found(rows: list[Figures], words: str) -> list[Figures]:
    """The rows whose name or code contains what is searched for."""
    wanted = words.casefold()
    return [row for row in rows if wanted in row["name"].casefold() or wanted == row["key"].casefold()]


def headings(by: str, column: str, down: bool, query: dict[str, str]) -> list[dict[str, Any]]:
    """The table's heads, each a link that sorts by it, and the other way when it does already."""
    names = {
        "name": (names_of_places()[by], ""),
        "arrived_30": (_("30 分钟到场"), _("急修：按时到场 ÷ 本期到期")),
        "contacted_30": (_("30 分钟联系"), _("报修：按时联系居民 ÷ 本期到期")),
        "responsiveness": (_("响应度"), _("按时的签收、30 分钟联系和 30 分钟到场 ÷ 本期到期的")),
        "median_min": (_("到场中位"), _("从报修到到场的分钟，一半的急修不超过它；没有到场的按已经等了多久")),
        "p90_min": (_("九成到场"), _("九成的急修不超过的分钟")),
        "satisfaction": (_("满意度"), _("（满意 + 0.9 × 基本满意）÷ 有效评价")),
        "rework": (_("返工率"), _("返修过的工单 ÷ 完工的工单")),
        "complaints": (_("投诉"), _("本期收到的投诉件数")),
        "submitted": (_("受理"), _("本期收到的工单")),
    }
    out = []
    for name in COLUMNS:
        on = name == column
        sort = f"-{name}" if on and not down else name
        aria = ("descending" if down else "ascending") if on else ""
        label, formula = names[name]
        href = f"?{urlencode({**query, 'sort': sort})}"
        out.append({"name": name, "label": label, "formula": formula, "href": href, "aria": aria})
    return out


def name_of(row: Figures, by: str) -> str:
    """A row's name; of orders without such a place, what that means."""
    if row["name"]:
        return str(row["name"])
    return {"town": _("未定街镇"), "company": _("没有物业企业"), "estate": _("未定小区")}.get(by, _("未定居村"))


def address_of(row: Figures, by: str, query: dict[str, str]) -> str:
    """The page of one place; "" for orders that have none."""
    if not row["key"]:
        return ""
    return f"/district/{by}/{quote(row['key'], safe='')}?{urlencode(query)}"


def cells(row: Figures, links: Links) -> list[dict[str, Any]]:
    """The cells of a place: value, share for its bar, what it is of, and the link to its orders."""
    minutes, arrivals = _("%(n)d 分"), links.due("respond_30")
    return [
        _kept("arrived_30", row["arrived_30"], arrivals),
        _kept("contacted_30", row["contacted_30"], links.due("contact", kind="repair")),
        _kept("responsiveness", row["responsiveness"], links.due("response")),
        *(
            _plain(name, None if row[name] is None else minutes % {"n": row[name]}, arrivals)
            for name in ("median_min", "p90_min")
        ),
        _share("satisfaction", row["satisfaction"]["share"], row["satisfaction"]["n"], links.reported(only="rated")),
        _share("rework", row["rework"], row["done"], links.reported(only="done"), tone="soon"),
        _plain("complaints", row["complaints"], links.reported(kind="complaint")),
        _plain("submitted", row["submitted"], links.reported()),
    ]


def _kept(name: str, kept: Figures, href: str) -> dict[str, Any]:
    """A promise: the bar is what was kept, and what was not stands at its end in the colour of being late."""
    missed = kept["due"] - kept["met"]
    cell = _share(name, kept["share"], kept["due"], href)
    return {**cell, "missed": missed, "missed_href": f"{href}&kept=missed" if missed else ""}


def _share(name: str, share: float | None, n: int, href: str, *, tone: str = "brand") -> dict[str, Any]:
    said = "—" if share is None else f"{percent(share)}%"
    width = None if share is None else round(share * 100, 1)
    return {"name": name, "said": said, "n": n, "bar": width, "href": href if n else "", "tone": tone}


def _plain(name: str, value: Any, href: str) -> dict[str, Any]:
    said = "—" if value is None else str(value)
    return {"name": name, "said": said, "n": None, "bar": None, "href": href if value else ""}
