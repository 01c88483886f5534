"""Every state, verb, milestone, promise, role and so on as pages say it.  Chinese is the source text.

One table for all rooms, so that a thing has one name wherever it is seen.  All entries are lazy: they turn
into the language of the request when they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.functional import Promise as Lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p


@dataclass(frozen=True, slots=True)
class VerbWords:
    """How a verb reads: on a button, and in a timeline (`%(who)s` is put in); `key` is its one-key shortcut."""

    button: Lazy | str
    past: Lazy | str
    key: str = ""


STATES: dict[str, Lazy | str] = {
    "submitted": _("待签收"),
    "signed": _("已签收"),
    "assigned": _("已派工"),
    "en_route": _("已出发"),
    "on_site": _("已到场"),
    "done": _("已完工"),
    "verified": _("已核查"),
    "closed": _("已结案"),
    "paused": _("已挂起"),
    "returned": _("已退单"),
    "refused": _("不予受理"),
    "cancelled": _("已注销"),
}

RESIDENT_STATES: dict[str, Lazy | str] = {
    **STATES,
    "submitted": _("等待物业签收"),
    "signed": _("物业已签收"),
    "assigned": _("已安排师傅"),
    "en_route": _("师傅已出发"),
    "on_site": _("师傅已到场"),
    "done": _("已修好，等您确认"),
    "verified": _("已确认修好"),
    "paused": _("暂停中"),
    "returned": _("指挥中心重新安排中"),
    "cancelled": _("已撤回"),
}

#: What a state looks like: one of the colours of promises, or plain.
STATE_TONES: dict[str, str] = {
    "submitted": "soon",
    "returned": "soon",
    "signed": "brand",
    "assigned": "brand",
    "en_route": "brand",
    "on_site": "brand",
    "done": "good",
    "verified": "good",
    "closed": "plain",
    "paused": "paused",
    "refused": "plain",
    "cancelled": "plain",
}

VERBS: dict[str, VerbWords] = {
    "report": VerbWords(_("报修"), _("%(who)s 报修")),
    "sign": VerbWords(_("签收"), _("%(who)s 签收"), "s"),
    "return": VerbWords(_("退单"), _("%(who)s 退单"), "b"),
    "refuse": VerbWords(_("不予受理"), _("%(who)s 不予受理"), "q"),
    "assign": VerbWords(_("派工"), _("%(who)s 派工"), "a"),
    "take": VerbWords(_("抢单"), _("%(who)s 接了单"), "t"),
    "depart": VerbWords(_("我已出发"), _("%(who)s 已出发"), "d"),
    "contact": VerbWords(_("已联系居民"), _("%(who)s 联系了居民"), "c"),
    "arrive": VerbWords(_("我已到场"), _("%(who)s 已到场"), "r"),
    "make_safe": VerbWords(_("险情已排除"), _("%(who)s 排除了险情"), "m"),
    "done": VerbWords(_("报完工"), _("%(who)s 报完工"), "f"),
    "pause": VerbWords(_("挂起"), _("%(who)s 挂起"), "p"),
    "approve_pause": VerbWords(_("同意挂起"), _("%(who)s 同意挂起"), "y"),
    "resume": VerbWords(_("恢复处理"), _("%(who)s 恢复处理"), "e"),
    "confirm": VerbWords(_("确认修好"), _("%(who)s 确认修好"), "o"),
    "verify": VerbWords(_("回访核查"), _("%(who)s 回访核查"), "v"),
    "close": VerbWords(_("结案"), _("%(who)s 结案"), "l"),
    "reopen": VerbWords(_("没修好，返修"), _("%(who)s 要求返修"), "x"),
    "rate": VerbWords(_("评价"), _("%(who)s 评价"), "h"),
    "reclassify": VerbWords(_("改类别或缓急"), _("%(who)s 改了类别或缓急"), "g"),
    "solve_remotely": VerbWords(_("电话已解决"), _("%(who)s 电话里解决了"), "i"),
    "supervise": VerbWords(_("督办"), _("%(who)s 督办"), "z"),
    "urge": VerbWords(_("催办"), _("%(who)s 催办"), "u"),
    "note": VerbWords(_("留言"), _("%(who)s 留言"), "n"),
    "cancel": VerbWords(_("撤回"), _("%(who)s 撤回"), "w"),
    "warn": VerbWords(_("快到时限"), _("快到时限，已提醒")),
    "breach": VerbWords(_("超过时限"), _("超过时限")),
    "escalate": VerbWords(_("升级"), _("已告知上一级")),
    "wrong_code": VerbWords(_("到场码不对"), _("%(who)s 输错了到场码")),
    "attach": VerbWords(_("添加照片"), _("%(who)s 添加了照片")),
    "erase": VerbWords(_("删除照片"), _("照片已按规定删除")),
    "explain": VerbWords(_("失约说明"), _("说明了原因，给出新的时间")),
    "ask_centre": VerbWords(_("请指挥中心安排"), _("自动派工请指挥中心安排")),
    "repack": VerbWords(_("换规则包"), _("规则有变，时限重新计算")),
}

MILESTONES: dict[str, Lazy | str] = {
    "reported": _p("milestone", "报修"),
    "signed": _p("milestone", "签收"),
    "assigned": _p("milestone", "派工"),
    "contacted": _p("milestone", "联系"),
    "departed": _p("milestone", "出发"),
    "arrived": _p("milestone", "到场"),
    "made_safe": _p("milestone", "排险"),
    "done": _p("milestone", "完工"),
    "verified": _p("milestone", "核查"),
    "closed": _p("milestone", "结案"),
    "rated": _p("milestone", "评价"),
}

PROMISES: dict[str, Lazy | str] = {
    "sign": _("签收时限"),
    "respond_30": _("30 分钟到场"),
    "contact": _("30 分钟联系"),
    "made_safe": _("排险时限"),
    "complete": _("完工时限"),
    "reply": _("答复时限"),
    "follow_up": _("回访时限"),
}

PURPOSES: dict[str, Lazy | str] = {
    "report": _("报修照片"),
    "before": _("修前"),
    "after": _("修后"),
    "evidence": _("凭据"),
    "other": _("其他照片"),
}

TOLD_BY: dict[str, Lazy | str] = {
    "inbox": _("站内"),
    "email": _("邮件"),
    "sms": _("短信"),
    "voice": _("电话"),
    "webhook": _("系统对接"),
}

TOLD_STATES: dict[str, Lazy | str] = {
    "waiting": _("等待发送"),
    "sending": _("正在发送"),
    "sent": _("已发出"),
    "acknowledged": _("已发出"),
    "carried": _("已发出"),
    "spared": _("不必再发"),
    "failed": _("没有发出"),
}

CLOCK_STATES: dict[str, Lazy | str] = {
    "running": _("进行中"),
    "paused": _("已暂停"),
    "met": _("按时"),
    "missed": _("超时"),
    "void": _("不计时"),
}

ROLES: dict[str, Lazy | str] = {
    "resident": _("居民"),
    "worker": _("维修工"),
    "manager": _("小区经理"),
    "company": _("物业企业"),
    "helper": _("支援单位"),
    "committee": _("居村委"),
    "town": _("街镇房办"),
    "operator": _("坐席"),
    "supervisor": _("值班长"),
    "district": _("区物管处"),
    "owners": _("业主委员会"),
    "rule": _("规则"),
    "import": _("导入"),
}

DUTIES: dict[str, Lazy | str] = {
    "front_desk": _("客服前台"),
    "duty_manager": _("值班经理"),
}

KINDS: dict[str, Lazy | str] = {
    "repair": _p("kind", "报修"),
    "complaint": _p("kind", "投诉"),
    "enquiry": _p("kind", "咨询"),
    "suggestion": _p("kind", "建议"),
    "praise": _p("kind", "表扬"),
    "rectification": _p("kind", "整改"),
}

URGENCIES: dict[str, Lazy | str] = {"emergency": _("急修"), "ordinary": _("一般")}

CHANNELS: dict[str, Lazy | str] = {
    "page": _("手机页面"),
    "phone": _("电话"),
    "counter": _("窗口"),
    "hotline": _("热线转办"),
    "inspection": _("巡查"),
    "import": _("导入"),
    "device": _("设备"),
    "api": _("接口"),
}

PARTS: dict[str, Lazy | str] = {"common": _("共用部位"), "private": _("自用部位")}

GRADES: dict[str, Lazy | str] = {
    "A": _("到场凭证 A：到场码或回拨核实"),
    "B": _("到场凭证 B：楼栋二维码和位置"),
    "C": _("到场凭证 C：仅有位置或口头"),
}

SATISFACTIONS: dict[str, Lazy | str] = {
    "satisfied": _("满意"),
    "fairly": _("基本满意"),
    "dissatisfied": _("不满意"),
}

LEFT_OUT: dict[str, Lazy | str] = {
    "returned": _p("left out", "退单"),
    "refused": _p("left out", "不予受理"),
    "cancelled": _p("left out", "注销"),
    "merged": _p("left out", "合并"),
    "downgraded": _p("left out", "降级"),
}

LEDGER_STATES: dict[str, Lazy | str] = {
    "open": _("未办结"),
    "merged": _("已合并"),
    **{name: STATES[name] for name in ("done", "closed", "refused", "cancelled")},
}
"""What a ledger that is brought in says of an order."""

NIGHT_DUTIES: dict[str, Lazy | str] = {
    "front_desk": _("前台、门岗"),
    "manager": _("值班经理"),
    "town": _("街镇值班"),
    "committee": _("居村委值班"),
    "centre": _("坐席"),
    "supervisor": _("值班长"),
    "district": _("区物管处值班"),
}

AUDIENCES: dict[str, Lazy | str] = {
    "front_desk": _("客服前台"),
    "manager": _("小区经理"),
    "company": _("物业企业"),
    "centre": _("指挥中心"),
    "supervisor": _("值班长"),
    "town": _("街镇房办"),
    "district": _("区物管处"),
    "worker": _("维修工"),
    "committee": _("居村委"),
    "next_tier": _("下一级维修力量"),
    "replaced": _("原先派去的维修工"),
    "resident": _("居民"),
}

#: How an order stood when its limit had passed and the resident was told why nobody had come, by its state.
WHY_LATE: dict[str, Lazy | str] = {
    "submitted": _("物业还没有签收"),
    "returned": _("正在重新安排"),
    "signed": _("还没有安排师傅"),
    "assigned": _("师傅还没有出发"),
    "en_route": _("师傅在路上，还没有到"),
    "on_site": _("师傅在处理"),
    "paused": _("处理暂停了"),
}

#: Why somebody looks at a telephone; what is chosen is the reason on the audit.
REVEAL = {
    "visit": _("约上门时间"),
    "find": _("到了，找不到人"),
    "ask": _("核实情况"),
    "follow_up": _("回访"),
}
TABLES: dict[str, dict[str, Any]] = {
    "state": STATES,
    "resident_state": RESIDENT_STATES,
    "milestone": MILESTONES,
    "promise": PROMISES,
    "clock_state": CLOCK_STATES,
    "role": ROLES,
    "duty": DUTIES,
    "night_duty": NIGHT_DUTIES,
    "kind": KINDS,
    "urgency": URGENCIES,
    "channel": CHANNELS,
    "part": PARTS,
    "grade": GRADES,
    "satisfaction": SATISFACTIONS,
    "left_out": LEFT_OUT,
    "ledger_state": LEDGER_STATES,
    "reveal": REVEAL,
    "audience": AUDIENCES,
    "purpose": PURPOSES,
    "why_late": WHY_LATE,
    "told_by": TOLD_BY,
    "told": TOLD_STATES,
    "verb": {name: words.button for name, words in VERBS.items()},
}


def word(table: str, code: object) -> str:
    """The word for `code` in the language of the request; the code itself where the table has none.

    A pack may bring codes of its own, so an unknown one is shown as it is rather than refused.

    Raises:
        KeyError: no such table.
    """
    return _word(get_language(), table, str(code or ""))


@lru_cache(maxsize=4096)
def _word(_language: str | None, table: str, code: str) -> str:
    # A queue asks for the same few words hundreds of times; turning a lazy text into one is dear.
    return str(TABLES[table].get(code, code))


def past(verb: str, who: str) -> str:
    """A line of a timeline: `past("arrive", "王师傅")` is 王师傅 已到场."""
    entry = VERBS.get(verb)
    if entry is None:
        return f"{who} {verb}".strip()
    return (str(entry.past) % {"who": who}).strip()
