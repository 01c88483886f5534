"""The district's figures and its table, ready to be drawn."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jiying.district.period import Period
from jiying.pages.figures import percent

Figures = dict[str, Any]

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

SHARES = frozenset({"arrived_30", "contacted_30", "responsiveness", "satisfaction", "rework"})


def value_of(row: Figures, column: str) -> Any:
    """What a column shows of a row: a share 0..1, a number, a name, or None."""
    if column == "arrived_30":
        return row["promises"]["respond_30"]["share"]
    if column == "contacted_30":
        return row["promises"]["contact"]["share"]
    if column in ("responsiveness", "satisfaction"):
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


def headings(column: str, down: bool, query: dict[str, str]) -> list[dict[str, Any]]:
    """The table's heads, each a link that sorts by it, and the other way when it does already."""
    names = {
        "name": _("街镇"),
        "arrived_30": _("30 分钟到场"),
        "contacted_30": _("30 分钟联系"),
        "responsiveness": _("响应度"),
        "median_min": _("到场中位"),
        "p90_min": _("九成到场"),
        "satisfaction": _("满意度"),
        "rework": _("返工率"),
        "complaints": _("投诉"),
        "submitted": _("受理"),
    }
    out = []
    for name in COLUMNS:
        on = name == column
        sort = f"-{name}" if on and not down else name
        aria = ("descending" if down else "ascending") if on else ""
        out.append({"name": name, "label": names[name], "href": f"?{urlencode({**query, 'sort': sort})}", "aria": aria})
    return out


def cells(row: Figures, period: Period) -> list[dict[str, Any]]:
    """The cells of a town: value, share for its bar, sample, and the link to its orders."""
    place = {"town": row["key"]} if row["key"] else {}
    kept = row["promises"]

    def due(promise: str, outcome: str = "missed") -> str:
        times = {"from": period.from_.isoformat(), "to": period.to.isoformat()}
        return _desk({**place, "state": "all", "promise": promise, "kept": outcome, **times})

    def reported(**more: str) -> str:
        times = {"from": period.from_.isoformat(), "to": period.to.isoformat()}
        return _desk({**place, "state": "all", **more, **times})

    minutes = _("%(n)d 分")
    return [
        _share("arrived_30", kept["respond_30"]["share"], kept["respond_30"]["due"], due("respond_30")),
        _share("contacted_30", kept["contact"]["share"], kept["contact"]["due"], due("contact")),
        _share("responsiveness", row["responsiveness"]["share"], row["responsiveness"]["due"], due("response")),
        _plain(
            "median_min",
            None if row["median_min"] is None else minutes % {"n": row["median_min"]},
            due("respond_30", ""),
        ),
        _plain("p90_min", None if row["p90_min"] is None else minutes % {"n": row["p90_min"]}, due("respond_30", "")),
        _share("satisfaction", row["satisfaction"]["share"], row["satisfaction"]["n"], reported(only="rated")),
        _share("rework", row["rework"], row["done"], reported(only="reopened"), good=False),
        _plain("complaints", row["complaints"], reported(kind="complaint")),
        _plain("submitted", row["submitted"], reported()),
    ]


def _desk(query: dict[str, str]) -> str:
    return f"/desk?{urlencode({name: value for name, value in query.items() if value})}"


def _share(name: str, share: float | None, n: int, href: str, *, good: bool = True) -> dict[str, Any]:
    said = "—" if share is None else f"{percent(share)}%"
    width = None if share is None else round(share * 100, 1)
    return {
        "name": name,
        "said": said,
        "n": n,
        "bar": width,
        "href": href if n else "",
        "tone": "brand" if good else "soon",
    }


def _plain(name: str, value: Any, href: str) -> dict[str, Any]:
    return {
        "name": name,
        "said": "—" if value is None else str(value),
        "n": None,
        "bar": None,
        "href": href if value else "",
    }


def headlines(total: Figures, before: Figures | None, pack: str) -> tuple[list[Figures], list[Figures]]:
    """The three figures of "two up, one down", and the two headlines of the 30 minutes.

    `before` None: there is no whole period to compare with, so no change is shown.
    """
    left_out, happy, kept = total["left_out"], total["satisfaction"], total["promises"]
    common = {"pack": pack, "left_out": left_out}
    fewer = total["complaints"] - before["complaints"] if before and before["submitted"] else None
    three = [
        {
            "name": "satisfaction",
            "label": _("满意度"),
            **_percent(happy["share"], before and before["satisfaction"]["share"]),
            "formula": _("（满意 + 0.9 × 基本满意）÷ 有效评价"),
            "denominator": _("本期 %(n)d 份有效评价") % {"n": happy["n"]},
            "low": happy["low"],
            "high": happy["high"],
            "n": happy["n"],
            **common,
        },
        {
            "name": "responsiveness",
            "label": _("响应度"),
            **_percent(total["responsiveness"]["share"], before and before["responsiveness"]["share"]),
            "formula": _("按时的签收、30 分钟联系和 30 分钟到场 ÷ 本期到期的；还在计时、没有到期的不算"),
            "numerator": total["responsiveness"]["met"],
            "denominator": total["responsiveness"]["due"],
            **common,
        },
        {
            "name": "complaints",
            "label": _("投诉"),
            "value": total["complaints"] if total["submitted"] else None,
            "unit": ngettext("件", "件", total["complaints"]),
            "change": fewer,
            "change_unit": ngettext("件", "件", abs(fewer or 0)),
            "better": "down",
            "formula": _("本期收到的投诉件数"),
            "numerator": _("每千户每月 %(n)s 件") % {"n": _said(total["complaints_per_1000"])},
            "denominator": _("%(n)d 户") % {"n": total["households"]} if total["households"] else "",
            **common,
        },
    ]
    two = [
        _promise(
            "arrived_30", _("急修 30 分钟到场"), kept["respond_30"], before and before["promises"]["respond_30"], common
        ),
        _promise(
            "contacted_30", _("30 分钟联系居民"), kept["contact"], before and before["promises"]["contact"], common
        ),
    ]
    return three, two


def _promise(name: str, label: str, kept: Figures, before: Figures | None, common: Figures) -> Figures:
    claimed = _("其中 %(n)d 件为事后补报") % {"n": kept["claimed"]} if kept["claimed"] else ""
    grades = kept["grades"] or {}
    proof = "  ".join(f"{grade} {n}" for grade, n in grades.items() if n)
    met = " · ".join(
        part
        for part in (str(kept["met"]), claimed, _("到场凭证 %(proof)s") % {"proof": proof} if proof else "")
        if part
    )
    return {
        "name": name,
        "label": label,
        **_percent(kept["share"], before and before["share"]),
        "formula": _("按时 ÷ 本期到期；超时未到的算超时，未到期、暂停和作废的不算"),
        "numerator": met,
        "denominator": kept["due"],
        **common,
    }


def _percent(share: float | None, before: float | None) -> Figures:
    change = None if share is None or before is None else round((share - before) * 100, 1)
    return {"value": None if share is None else round(share * 100, 1), "unit": "%", "change": change, "better": "up"}


def _said(number: float | None) -> str:
    return "—" if number is None else f"{number:.2f}"
