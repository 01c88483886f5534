"""An answer of the planner, ready to be drawn: figures in words, the town map, the hours, the causes, who is needed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.utils.translation import pgettext_lazy as _p

from jiying.dispatch.saying import TRADES
from jiying.planning.causes import CAUSES
from jiying.planning.words import clock

Data = Mapping[str, Any]
FEW = 10
GOOD, SOON = 0.98, 0.9
"""From these shares up a town counts as good, and as one to look after."""

POOL_NAMES: dict[str, Lazy | str] = {
    "team": gettext_lazy("各小区自己的人"),
    "company": gettext_lazy("各企业"),
    "town": gettext_lazy("街镇统筹"),
    "alliance": gettext_lazy("区域联盟"),
    "district": gettext_lazy("全区统筹"),
}
RULE_NAMES: dict[str, Lazy | str] = {
    "nearest": gettext_lazy("就近派一人"),
    "auto": gettext_lazy("整体调度"),
}
CAUSE_NAMES: dict[str, Lazy | str] = {
    "roster": gettext_lazy("没有人当班"),
    "alone": gettext_lazy("只有一人当班"),
    "load": gettext_lazy("都在忙"),
    "distance": gettext_lazy("附近没有人"),
}
PROBLEMS: dict[str, Lazy | str] = {
    "no_orders": gettext_lazy("这段时间没有可用的报修记录，测算不了。请先导入工单，或等有了几天的记录再算。"),
    "no_emergencies": gettext_lazy("这段时间没有急修，测算不了急修的到场。"),
    "no_staff": gettext_lazy("没有可派的维修工：请先登记维修工的技能和常驻小区。"),
    "no_shifts": gettext_lazy("维修工都没有排班：请先登记班次。"),
    "too_few": gettext_lazy("要减的人比在册的多：请把减少的人数改小。"),
    "unknown_skill": gettext_lazy("有一项技能已经没有人会：请重新填写。"),
    "unknown_team": gettext_lazy("要移动的企业没有维修工：请另选一家。"),
    "unknown_town": gettext_lazy("选的街镇已不在册：请重新选择。"),
    "quiet_town": gettext_lazy("选的街镇没有报修记录，无法安排人。"),
}
SORTS = ("name", "share", "late", "n", "then", "gain")


def problem_of(code: str) -> str:
    """Why a study could not be answered, and what to do."""
    return str(PROBLEMS.get(code, gettext_lazy("这个问题测算不了：请检查填写的内容，改后再算。")))


def trade(skill: str) -> str:
    """The name of a skill."""
    return str(TRADES.get(skill, skill))


def percent(share: float | None, digits: int = 1) -> str:
    """A share 0..1 in percent, "—" for none; never rounded up to 100."""
    if share is None:
        return "—"
    value = 100 * share
    shown = f"{value:.{digits}f}"
    return f"{math.floor(value * 10**digits) / 10**digits:.{digits}f}" if value < 100 and float(shown) >= 100 else shown


def headline(told: Data) -> dict[str, Any]:
    """The share within thirty minutes with its interval, and what stands beside it."""
    urgent = told["urgent"]
    return {
        "pool": POOL_NAMES[told["pool"]],
        "rule": RULE_NAMES[told["rule"]],
        "staff": told["staff"],
        "share": percent(urgent["share"]),
        "low": percent(urgent["low"]),
        "high": percent(urgent["high"]),
        "sure": urgent["low"] is not None,
        "late": urgent["late"],
        "n": urgent["n"],
        "usual": percent(told["usual"]["share"]),
        "p90": told["p90_min"],
        "worst": told["worst"] and {"name": told["worst"]["name"], "share": percent(told["worst"]["share"])},
        "never": told["never"],
    }


def difference(told: Data | None) -> dict[str, Any] | None:
    """A difference in points with its interval, and whether it is one at all."""
    if told is None or told["share"] is None:
        return None
    low, high = told["low"], told["high"]
    sure = low is not None
    return {
        "points": f"{100 * told['share']:+.1f}".replace("-", "−"),
        "low": f"{100 * low:+.1f}".replace("-", "−") if sure else "",
        "high": f"{100 * high:+.1f}".replace("-", "−") if sure else "",
        "sure": sure,
        "tone": "good" if sure and low > 0 else "late" if sure and high < 0 else "plain",
        "word": _("确有改善") if sure and low > 0 else _("确有下降") if sure and high < 0 else _("看不出差别"),
    }


def sentence(found: Data | None) -> str:
    """What most late emergencies have in common, and what would help."""
    if found is None:
        return _("没有急修超过 30 分钟。")
    begin, end = clock(found["begin"] % 1440), clock((found["end"] - 1) % 1440 + 1)
    if found["end"] - found["begin"] >= 1440:
        hours = _("全天")
    elif not found["begin"]:
        hours = _("%(end)s 以前") % {"end": end}
    else:
        hours = _("%(begin)s 至 %(end)s") % {"begin": begin, "end": end}
    numbers = {"of_cause": found["of_cause"], "total": found["total"]}
    why = {
        "shifts": _("超时的 %(total)d 件里，%(of_cause)d 件是因为附近会的人没有当班，或只有一人当班。"),
        "load": _("超时的 %(total)d 件里，%(of_cause)d 件是因为附近会的人都在忙。"),
        "distance": _("超时的 %(total)d 件里，%(of_cause)d 件是因为三十分钟内到得了的地方没有会的人常驻。"),
    }[found["cause"]]
    where = _("其中 %(late)d 件是%(hours)s的%(skills)s：") % {
        "late": found["late"],
        "hours": hours,
        "skills": _("、").join(trade(skill) for skill in found["skills"]),
    }
    what = {
        "shifts": _("给这些工种在这些钟点排班，比增加别的人管用。"),
        "load": _("要在这些钟点增加人手，或扩大统筹的范围。"),
        "distance": _("要在附近设点，或请邻近街镇的人来。"),
    }[found["cause"]]
    return why % numbers + where + what


def tone_of(share: float | None) -> str:
    """The colour of a share of a town."""
    return "plain" if share is None else "good" if share >= GOOD else "soon" if share >= SOON else "late"


def towns(answer: Data, sort: str) -> dict[str, Any]:
    """The table of towns, today beside what if, sorted; the worst of each is marked."""
    after = {row["code"]: row for row in (answer["then"] or answer["today"])["towns"]}
    worst = ((answer["then"] or answer["today"])["worst"] or {}).get("code")
    rows = []
    for row in answer["today"]["towns"]:
        then = after[row["code"]]
        known = row["share"] is not None and then["share"] is not None
        rows.append(
            {
                "name": row["name"] or row["code"], "code": row["code"], "n": row["n"], "late": row["late"],
                "share": row["share"], "then": then["share"], "gain": then["share"] - row["share"] if known else None,
                "said": percent(row["share"]), "then_said": percent(then["share"]), "then_late": then["late"],
                "low": percent(row["low"]), "high": percent(row["high"]), "then_low": percent(then["low"]),
                "then_high": percent(then["high"]), "sure": row["low"] is not None,
                "gain_said": f"{100 * (then['share'] - row['share']):+.1f}".replace("-", "−") if known else "—",
                "tone": tone_of(then["share"]), "worst": row["code"] == worst, "few": row["n"] < FEW,
                "bar": round(100 * then["share"], 1) if then["share"] is not None else None,
            }
        )  # fmt: skip
    column, down = sort.removeprefix("-"), sort.startswith("-")
    if column not in SORTS:
        column, down = ("then" if answer["then"] else "share"), False
    known_rows = [row for row in rows if row[column] is not None]
    known_rows.sort(key=lambda row: (row["code"] if column == "name" else row[column], row["code"]), reverse=down)
    return {
        "rows": known_rows + [row for row in rows if row[column] is None],
        "heads": _heads(column, down, bool(answer["then"])),
    }


def _heads(column: str, down: bool, both: bool) -> list[dict[str, str]]:
    names = {"name": _("街镇"), "n": _("急修"), "late": _("超时"), "share": _("今天") if both else _("30 分钟到场")}
    names |= {"then": _("假设"), "gain": _("变化")} if both else {}
    out = []
    for name, label in names.items():
        on = name == column
        sort = f"-{name}" if on and not down else name
        aria = ("descending" if down else "ascending") if on else ""
        out.append({"label": label, "href": f"?{urlencode({'sort': sort})}#towns", "aria": aria, "name": name})
    return out


WIDE, MARGIN = 100.0, 8.0


def town_map(answer: Data) -> dict[str, Any]:
    """Towns as bubbles where they lie: as large as their emergencies, coloured by the share in time.

    North is up; coordinates in a box `WIDE` wide.  The worst ones are named, the others say their name when pointed at.
    """
    rows = {row["code"]: row for row in (answer["then"] or answer["today"])["towns"]}
    places = [town for town in answer["model"]["towns"] if rows[town["code"]]["n"]]
    if not places:
        return {"bubbles": [], "high": 0}
    left, low = (min(town[axis] for town in places) for axis in ("x", "y"))
    wide, high = (max(town[axis] for town in places) - low_ for axis, low_ in (("x", left), ("y", low)))
    scale = (WIDE - 2 * MARGIN) / max(wide, 0.6 * high, 1e-6)
    most = max(rows[town["code"]]["n"] for town in places)
    told = sorted(places, key=lambda town: (rows[town["code"]]["share"], town["code"]))[:5]
    named = {town["code"] for town in told}
    aside = (WIDE - 2 * MARGIN - wide * scale) / 2
    bubbles = [
        {
            "x": round(MARGIN + aside + (town["x"] - left) * scale, 2),
            "y": round(MARGIN + (low + high - town["y"]) * scale, 2),
            "r": round(1.2 + 3.2 * math.sqrt(rows[town["code"]]["n"] / most), 2),
            "name": town["name"] or town["code"], "said": percent(rows[town["code"]]["share"]),
            "late": rows[town["code"]]["late"], "n": rows[town["code"]]["n"],
            "tone": tone_of(rows[town["code"]]["share"]), "named": town["code"] in named,
        }
        for town in sorted(places, key=lambda town: -rows[town["code"]]["n"])
    ]  # fmt: skip
    return {"bubbles": bubbles, "high": round(2 * MARGIN + high * scale, 1), "wide": WIDE}


FEW = 10
"""Emergencies of which a share is drawn."""


def hours(answer: Data) -> dict[str, Any]:
    """The share by hour as lines in a box of 100 × 100, whose floor is the tenth below the lowest.

    Hours with fewer than `FEW` emergencies stand in the table alone: one that is late would be a cliff.
    """
    today, then = answer["today"]["hours"], answer["then"]["hours"] if answer["then"] else None
    shares = [row["share"] for rows in (today, then or []) for row in rows if row["n"] >= FEW]
    floor = min(0.9, math.floor(10 * min(shares, default=0.9)) / 10)

    def line(rows: list[Data]) -> list[str]:
        parts: list[list[str]] = [[]]
        for row in rows:
            if row["n"] < FEW:
                parts.append([])
            else:
                parts[-1].append(f"{row['hour'] / 23 * 100:.1f},{100 * (1 - row['share']) / (1 - floor):.1f}")
        # One hour alone makes no line.
        return [" ".join(points) for points in parts if len(points) > 1]

    return {
        "today": line(today), "then": line(then) if then else [], "floor": f"{100 * floor:.0f}%",
        "middle": f"{50 * (1 + floor):.0f}%",
        "rows": [
            {"hour": f"{row['hour']:02}", "n": row["n"], "late": row["late"], "said": percent(row["share"]),
             "then": percent(then[row["hour"]]["share"]) if then else "",
             "then_late": then[row["hour"]]["late"] if then else 0}
            for row in today
        ],
    }  # fmt: skip


def causes(told: Data) -> dict[str, Any]:
    """Late emergencies by trade and hour, the most first, and their sums by cause."""
    rows = sorted(told["causes"], key=lambda row: (-row["late"], row["skill"], row["hour"]))
    by_cause = told["finding"]["by_cause"] if told["finding"] else dict.fromkeys(CAUSES, 0)
    total = sum(by_cause.values())
    return {
        "rows": [
            {"trade": trade(row["skill"]), "hours": f"{row['hour']:02}–{row['hour'] + 1:02}", "n": row["n"],
             "late": row["late"], "cells": [row[name] for name in CAUSES]}
            for row in rows
        ],
        "names": [CAUSE_NAMES[name] for name in CAUSES],
        "sums": [
            {"name": CAUSE_NAMES[name], "n": by_cause[name], "width": round(100 * by_cause[name] / max(total, 1), 1)}
            for name in CAUSES
        ],
        "total": total,
    }  # fmt: skip


def pools(answer: Data) -> list[dict[str, Any]]:
    """The pools beside each other."""
    return [
        {**headline(row), "entitled": row["entitled"], "difference": difference(row["difference"]),
         "bar": round(100 * (row["urgent"]["share"] or 0), 1)}
        for row in answer["pools"]
    ]  # fmt: skip


def staffing(answer: Data) -> dict[str, Any] | None:
    """What the search found, its rows by trade and hours with their towns."""
    told = answer["staffing"]
    if told is None:
        return None
    names = {town["code"]: town["name"] or town["code"] for town in answer["model"]["towns"]}
    groups: dict[tuple[str, str, str], list[tuple[str, int]]] = {}
    for row in told["rows"]:
        groups.setdefault((row["skill"], row["from"], row["to"]), []).append((names[row["town"]], row["count"]))
    rows = [
        {"trade": trade(skill), "hours": f"{begin}–{end}", "count": sum(n for _town, n in where),
         "where": _("、").join(f"{town} +{n}" for town, n in where)}
        for (skill, begin, end), where in groups.items()
    ]  # fmt: skip
    rows.sort(key=lambda row: (-row["count"], row["trade"], row["hours"]))
    return {
        **told, "share": f"{told['share']:.1f}", "target": f"{told['target']:g}", "fewer": -told["added"], "rows": rows,
    }  # fmt: skip


def summary_of(question: Data) -> str:
    """A question in a few words, for the list."""
    change, parts = question["change"], []
    parts.append(
        f"{POOL_NAMES[question['base']['pool']]} → {POOL_NAMES[change['pool']]}"
        if question["base"]["pool"] != change["pool"]
        else str(POOL_NAMES[change["pool"]])
    )
    for _skill, factor in change["demand"]:
        parts.append(_("需求 ×%(factor)s") % {"factor": f"{factor:g}"})
    for row in change["staff"]:
        hours_ = f"{clock(row['begin'])}–{clock(row['end'])}" if row["begin"] is not None else ""
        parts.append(f"{trade(row['skill'])} {hours_} {row['count']:+d}".replace("-", "−"))
    if change["moves"]:
        parts.append(_("驻点移动"))
    if question["target"] is not None:
        parts.append(_("目标 %(target)s%%") % {"target": f"{question['target']:g}"})
    return " · ".join(parts)


_STANDINGS: dict[str, Lazy | str] = {
    "waiting": _p("study", "等候中"),
    "running": _p("study", "测算中"),
    "done": _p("study", "已完成"),
    "failed": _p("study", "没有算成"),
}


def standing_word(state: str) -> str:
    return str(_STANDINGS[state])
