"""The figures in words: two up and one down, the two headlines of the thirty minutes, and everything else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jiying.district.links import Links
from jiying.pages.figures import percent
from jiying.pages.words import word
from jiying.rules import words as rule_words
from jiying.rules.pack import Pack
from jiying.supervision.figures import ARRIVED, CONTACTED, Kept, Tally, share

Figures = dict[str, Any]
Days = Sequence[tuple[date, Tally]]


def headlines(
    total: Figures, before: Figures | None, pack: str, links: Links, days: Days
) -> tuple[list[Figures], list[Figures]]:
    """The three figures of "two up, one down", and the two headlines of the 30 minutes.

    `before` None: there is no whole period to compare with, so no change is shown.  `days` are their history.
    """
    happy = total["satisfaction"]
    common = {"pack": pack, "left_out": total["left_out"]}
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
            "history": [tally.satisfaction()["share"] for _day, tally in days],
            "href": links.reported(only="rated") if happy["n"] else "",
            **common,
        },
        {
            "name": "responsiveness",
            "label": _("响应度"),
            **_percent(total["responsiveness"]["share"], before and before["responsiveness"]["share"]),
            "formula": _("按时的签收、30 分钟联系和 30 分钟到场 ÷ 本期到期的；还在计时、没有到期的不算"),
            "numerator": total["responsiveness"]["met"],
            "denominator": total["responsiveness"]["due"],
            "history": [tally.responsiveness()["share"] for _day, tally in days],
            "href": links.due("response") if total["responsiveness"]["due"] else "",
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
            "numerator": _complaints(total),
            "denominator": _homes(total["households"]),
            "history": [tally.count("complaints") for _day, tally in days] if total["submitted"] else [],
            "href": links.reported(kind="complaint") if total["complaints"] else "",
            **common,
        },
    ]
    shares = {name: [_kept(tally, name) for _day, tally in days] for name in (ARRIVED, CONTACTED)}
    arrived = _promise("arrived_30", _("急修 30 分钟到场"), total, before, common)
    contacted = _promise("contacted_30", _("报修 30 分钟联系居民"), total, before, common)
    two = [
        {**arrived, "history": shares[ARRIVED], "href": links.due("respond_30") if arrived["denominator"] else ""},
        {
            **contacted,
            "history": shares[CONTACTED],
            "href": links.due("contact", kind="repair") if contacted["denominator"] else "",
        },
    ]
    return three, two


def _homes(households: int) -> str:
    return _("%(n)s 户") % {"n": number_format(households, 0, force_grouping=True)} if households else ""


def _complaints(total: Figures) -> str:
    per = _("每千户每月 %(n)s 件") % {"n": _said(total["complaints_per_1000"])}
    again = _("其中 %(n)d 件催过或重开过") % {"n": total["complaints_repeated"]}
    return f"{per} · {again}" if total["complaints_repeated"] else per


def _promise(name: str, label: str, total: Figures, before: Figures | None, common: Figures) -> Figures:
    kept = total[name]
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
        **_percent(kept["share"], before and before[name]["share"]),
        "formula": _("按时 ÷ 本期到期；超时未到的算超时，未到期、暂停和作废的不算"),
        "numerator": met,
        "denominator": kept["due"],
        **common,
    }


def _percent(share: float | None, before: float | None) -> Figures:
    change = None if share is None or before is None else round((share - before) * 100, 1)
    return {"value": None if share is None else round(share * 100, 1), "unit": "%", "change": change, "better": "up"}


def _kept(tally: Tally, name: str) -> float | None:
    kept = Kept.of(tally, name)
    return share(kept.met, kept.due)


def _said(number: float | None) -> str:
    return "—" if number is None else f"{number:.2f}"


def more(total: Figures, pack: Pack, links: Links) -> list[Figures]:
    """What stands behind the headlines: each with value, formula, what it is of, and its orders."""
    submitted, answers, done = total["submitted"], total["resolution"], total["done"]
    ended, said = links.reported(only="closed"), links.reported(only="answered")
    finished = links.reported(only="done")
    by_phone = share(total["solved_remotely"], done)
    rows = [
        _row(_("一次修好"), total["first_time_fix"], _("结案后没有返修 ÷ 结案"), total["closed"], ended),
        _row(_("返工率"), total["rework"], _("返修过的工单 ÷ 完工的工单"), done, finished),
        _row(_("解决率"), answers["share"], _("居民最后说已解决 ÷ 居民说过的"), answers["n"], said),
        _row(_("电话解决"), by_phone, _("没有上门、电话里解决的 ÷ 完工的工单"), done, finished),
    ]
    for name in ("sign", "made_safe", "complete", "reply", "follow_up"):
        kept = total["promises"][name]
        rows.append(_row(word("promise", name), kept["share"], _("按时 ÷ 本期到期"), kept["due"], links.due(name)))
    if total["coverage"] is not None:
        rows.append(_row(_("覆盖率"), total["coverage"], _("有合同小区的户数 ÷ 全部户数"), total["households"]))
    for name, part in total["left_out"].items():
        rows.append(_row(word("left_out", name), part, _("曾经如此的工单 ÷ 受理"), submitted, links.reported()))
    paused, names = total["paused"], {reason.code: reason.names for reason in pack.pauses.values()}
    minutes = _("暂停的分钟 ÷ 从报修到完工的分钟")
    rows.append(_row(_("暂停时间"), paused["share"], minutes, paused["of_minutes"], unit="minutes"))
    for reason, part in paused["reasons"].items():
        known = names.get(reason)
        why = rule_words.said(known) if known else reason
        rows.append(_row(_("暂停：%(reason)s") % {"reason": why}, part, minutes, paused["of_minutes"], unit="minutes"))
    return rows


def _row(label: str, part: float | None, formula: str, n: int, href: str = "", unit: str = "") -> Figures:
    return {
        "label": label,
        "said": "—" if part is None else f"{percent(part)}%",
        "formula": formula,
        "n": number_format(n, 0, force_grouping=True) if n else "",
        "unit": unit,
        "href": href if n else "",
    }
