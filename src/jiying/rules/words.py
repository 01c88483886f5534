"""What a rule pack says, in words that an official reads: limits, conditions, milestones, who is told.

Needs a language, no database.  Chinese is the source; English stands in this room's `locale`.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import Promise as Lazy
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy as _p

from jiying.rules.pack import Calendar, Condition, Explanation, LadderStep, Limit, Names, Pack, PromiseRule

Word = Lazy | str

MILESTONES: dict[str, Word] = {
    "reported": _p("rule", "报修"),
    "signed": _p("rule", "签收"),
    "assigned": _p("rule", "派工"),
    "contacted": _p("rule", "联系居民"),
    "departed": _p("rule", "出发"),
    "arrived": _p("rule", "到场"),
    "made_safe": _p("rule", "排除险情"),
    "done": _p("rule", "完工或办结"),
    "verified": _p("rule", "核查"),
    "closed": _p("rule", "结案"),
    "rated": _p("rule", "评价"),
    "answer": _p("rule", "居民本人答复"),
}
_KINDS: dict[str, Word] = {
    "repair": _p("rule", "报修类"),
    "complaint": _p("rule", "投诉类"),
    "enquiry": _p("rule", "咨询类"),
    "suggestion": _p("rule", "建议类"),
    "praise": _p("rule", "表扬类"),
    "rectification": _p("rule", "整改类"),
}
_URGENCIES: dict[str, Word] = {"emergency": _p("rule", "急修"), "ordinary": _p("rule", "一般")}
_PARTS: dict[str, Word] = {"common": _p("rule", "共用部位"), "private": _p("rule", "自用部位")}
_ESTATE_TYPES: dict[str, Word] = {
    "residential": _p("rule", "住宅项目"),
    "commercial": _p("rule", "商办项目"),
    "mixed": _p("rule", "综合项目"),
    "public": _p("rule", "公共项目"),
    "industrial": _p("rule", "工业项目"),
}
AUDIENCES: dict[str, Word] = {
    "front_desk": _p("rule", "客服前台"),
    "manager": _p("rule", "小区经理"),
    "company": _p("rule", "物业企业"),
    "centre": _p("rule", "指挥中心"),
    "supervisor": _p("rule", "值班长"),
    "town": _p("rule", "街镇房办"),
    "district": _p("rule", "区物管处"),
    "worker": _p("rule", "维修工"),
    "next_tier": _p("rule", "下一级维修力量"),
}


def said(names: Names) -> str:
    """A name in the language of the reader."""
    return names.en if (get_language() or "").startswith("en") else names.zh


def named(pack: Pack) -> str:
    """A pack by its stamp; with its label where nobody has enacted it, which belongs beside every figure."""
    return pack.stamp if pack.official else f"{pack.stamp} ({said(pack.label)})"


def listed(words: Iterable[object]) -> str:
    """Several words as one list."""
    return _("、").join(map(str, words))


def minutes(n: int) -> str:
    """A time as people say it: minutes, whole hours, whole days."""
    if n and n % 1440 == 0:
        return _("%(n)s 天") % {"n": n // 1440}
    if n and n % 60 == 0:
        return _("%(n)s 小时") % {"n": n // 60}
    return _("%(n)s 分钟") % {"n": n}


def limit(given: Limit) -> str:
    """A limit with its unit."""
    n = given.amount
    match given.unit:
        case "working_minutes":
            text = ngettext("%(n)s 个工作分钟", "%(n)s 个工作分钟", n)
        case "working_days":
            text = ngettext("%(n)s 个工作日", "%(n)s 个工作日", n)
        case "calendar_days":
            text = ngettext("%(n)s 个自然日", "%(n)s 个自然日", n)
        case _:
            text = _("%(time)s，日夜连续计时")
    return text % {"n": n, "time": minutes(n)}


def condition(when: Condition, pack: Pack) -> str:
    """Which orders a line is about."""
    tables = (
        (when.urgencies, _URGENCIES),
        (when.kinds, _KINDS),
        (when.parts, _PARTS),
        (when.estate_types, _ESTATE_TYPES),
    )
    parts = [listed(words[code] for code in words if code in codes) for codes, words in tables if codes is not None]
    if when.categories is not None:
        parts.append(_categories(when.categories, pack))
    if when.towns is not None:
        parts.append(_("街镇 %(codes)s") % {"codes": listed(sorted(when.towns))})
    if when.drawn is not None:
        parts.append(_("抽中回访") if when.drawn else _("未抽中回访"))
    if when.approved is not None:
        parts.append(_("经中心认定") if when.approved else _("未经中心认定"))
    return _("；").join(parts) or _("所有工单")


def _categories(codes: frozenset[str], pack: Pack) -> str:
    """The categories, or those left out where they are fewer."""
    out = [code for code in pack.categories if code not in codes]
    if len(out) < len(codes):
        return _("除 %(names)s 以外的类别") % {"names": listed(said(pack.categories[code].names) for code in out)}
    return listed(said(pack.categories[code].names) for code in pack.categories if code in codes)


def urgency(code: str) -> str:
    """An urgency's name."""
    return str(_URGENCIES[code])


def part(code: str) -> str:
    """A part's name."""
    return str(_PARTS[code])


def way(rule: PromiseRule) -> str:
    """From which milestone to which."""
    return _("%(start)s → %(target)s") % {"start": MILESTONES[rule.start], "target": MILESTONES[rule.target]}


def rule(given: PromiseRule, pack: Pack) -> str:
    """A whole rule in one sentence."""
    return _("%(who)s：%(way)s，%(limit)s") % {
        "who": condition(given.when, pack),
        "way": way(given),
        "limit": limit(given.limit),
    }


def step(rung: LadderStep) -> str:
    """A rung in one sentence."""
    unless = _("，除非已%(milestone)s") % {"milestone": MILESTONES[rung.unless]} if rung.unless else ""
    told = {"time": minutes(rung.after_min), "who": listed(AUDIENCES[who] for who in rung.tells), "unless": unless}
    return _("%(time)s 后告知 %(who)s%(unless)s") % told


def explanation(given: Explanation) -> str:
    """What follows a breach, in one sentence."""
    return _("失约后 %(within)s 内说明原因，并给出新的时间：已出发的 %(on_the_way)s，未出发的 %(new_time)s") % {
        name: minutes(getattr(given, f"{name}_min")) for name in ("within", "on_the_way", "new_time")
    }


def hours(calendar: Calendar | None) -> str:
    """The hours of a working day."""
    if calendar is None:
        return _("不分工作时间，按自然时间计")
    return listed(f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}" for start, end in calendar.hours)


def yes(flag: bool) -> str:
    """Yes or no."""
    return _("是") if flag else _("否")


def promise(code: str, *packs: Pack) -> str:
    """A promise's name in the first of the packs that has one."""
    return next((said(pack.promise_names[code]) for pack in packs if code in pack.promise_names), code)
