"""A decision in words: why this one, why not the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.dispatch.engine import ranking as engine
from jiying.dispatch.engine.world import Tier

SKILLS: dict[str, Lazy | str] = {
    "water": gettext_lazy("会水工"),
    "electric": gettext_lazy("会电工"),
    "lift": gettext_lazy("会修电梯"),
    "lock": gettext_lazy("会开锁换锁"),
    "fire": gettext_lazy("懂消防设施"),
    "general": gettext_lazy("会综合维修"),
}
TRADES: dict[str, Lazy | str] = {
    "water": gettext_lazy("水工"),
    "electric": gettext_lazy("电工"),
    "lift": gettext_lazy("电梯"),
    "lock": gettext_lazy("门锁"),
    "fire": gettext_lazy("消防"),
    "general": gettext_lazy("综合维修"),
}
"""The same as names of trades, for lists."""

TIERS: dict[str, Lazy | str] = {
    "team": gettext_lazy("本小区队伍"),
    "station": gettext_lazy("街镇服务站"),
    "centre": gettext_lazy("区应急中心"),
}
POOLS: dict[str, Lazy | str] = {
    "team": TIERS["team"],
    "company": gettext_lazy("本企业"),
    "town": TIERS["station"],
    "alliance": gettext_lazy("区域联盟"),
    "district": TIERS["centre"],
}
LEFT_OUT: dict[str, Lazy | str] = {
    engine.HAS_IT: gettext_lazy("已派给他"),
    engine.OUTSIDE: gettext_lazy("不在派工范围"),
    engine.NO_SKILL: gettext_lazy("工种不符"),
    engine.OFF_DUTY: gettext_lazy("不在班"),
    engine.TOO_FAR: gettext_lazy("太远"),
    engine.TOO_BUSY: gettext_lazy("手上太满"),
    engine.NOT_ASKED: gettext_lazy("还没轮到这一级"),
    engine.NOWHERE: gettext_lazy("不知道人在哪里"),
    engine.DECLINED: gettext_lazy("说过去不了"),
    engine.REPLACED: gettext_lazy("派过没出发"),
    engine.RETURNED: gettext_lazy("企业已退单"),
}
OVERRULINGS: dict[str, Lazy | str] = {
    "knows_place": gettext_lazy("熟悉现场"),
    "on_the_way": gettext_lazy("顺路"),
    "nearer_now": gettext_lazy("其实更近"),
    "not_reached": gettext_lazy("首选联系不上"),
    "asked_for": gettext_lazy("居民指定"),
    "skill": gettext_lazy("手艺更合适"),
    "other": gettext_lazy("其他"),
}


def tier(code: str | Tier) -> str:
    """A tier in words."""
    name = code.name.lower() if isinstance(code, Tier) else code
    return str(TIERS.get(name, name))


def pool(code: str) -> str:
    """By which reach somebody may be sent, in words."""
    return str(POOLS.get(code, code))


def outside(n: int, minutes: int | None) -> str:
    """What a wider pool would have had; "" where nobody would be there sooner."""
    if not n or minutes is None:
        return ""
    return _("派工范围外有 %(n)d 位能更快到，最快 %(min)d 分钟（不会派）") % {"n": n, "min": minutes}


def held(minutes: float) -> str:
    """That an order can wait, since whoever would go is worth more where they are; "" where it cannot."""
    if minutes < 1:
        return ""
    return _("不急：人先留给急修，约 %(min)d 分钟后再派") % {"min": round(minutes)}


def why(advice: Mapping[str, Any], *, with_tier: bool = True) -> str:
    """One sentence of why somebody goes, from the numbers that stand in the event (`service.Advice.noted`).

    In Chinese: 1.2 公里，约 7 分钟；会电工；十分钟内还有 2 位能到。  "" where nothing speaks for them.
    """
    if "tier" not in advice:
        return ""
    parts = [_way(advice)]
    if advice["tier"] in ("station", "centre"):
        parts += [tier(advice["tier"])] if with_tier else []
    elif advice.get("pool") == "alliance":
        parts += [pool("alliance")] if with_tier else []
    elif advice.get("home"):
        parts.append(_("本小区的人"))
    if advice.get("surge"):
        parts.append(_("高峰期扩大了派工范围"))
    if skill := advice.get("skill"):
        parts.append(str(SKILLS.get(skill, skill)))
    if load := advice.get("load", 0):
        parts.append(_("手上 %(n)d 单") % {"n": load})
    near = advice.get("nearest")
    if near and "price" in advice and near["minutes"] < advice["minutes"]:
        parts.append(_("更近的人留给急修"))
    if soon := advice.get("soon", 0):
        parts.append(_("十分钟内还有 %(n)d 位能到") % {"n": soon})
    else:
        parts.append(_("十分钟内没有别人能到"))
    return _("；").join(parts)


def _way(advice: Mapping[str, Any]) -> str:
    if "metres" not in advice:
        return _("距离不明")
    km = advice["metres"] / 1000
    return _("%(km)s 公里，约 %(min)d 分钟") % {"km": f"{km:.1f}", "min": advice["minutes"]}


def left_out(counts: Mapping[str, int]) -> str:
    """Why the others cannot go: 不在班 3 人、太远 2 人; "" where nobody was left out."""
    known = [code for code in engine.WHY if counts.get(code)]
    return listed(_("%(why)s %(n)d 人") % {"why": LEFT_OUT[code], "n": counts[code]} for code in known)


def people_by_trade(counts: Mapping[str, int]) -> str:
    """水工 5 人、电梯 2 人; "" where nobody."""
    return listed(_("%(trade)s %(n)d 人") % {"trade": TRADES.get(code, code), "n": n} for code, n in counts.items())


def listed(words: Iterable[str]) -> str:
    """Words as a list in a sentence."""
    return _("、").join(words)
