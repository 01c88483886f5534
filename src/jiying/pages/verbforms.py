"""What people fill in with each verb on a page, and how it becomes the `data` of the action.

One table: the button bar draws its forms from it, and the views of all screens read their POST by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy as _

from jiying.core.errors import BadInput
from jiying.dispatch.saying import OVERRULINGS
from jiying.pages import words


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a verb's form.

    `type` is text, textarea, code, select, time, yes_no, satisfaction or point.  `choices` are (value, word) pairs;
    a select whose choices depend on the order takes them from `verb_bar`'s `choices`.
    """

    name: str
    type: str
    label: Lazy | str
    required: bool = False
    hint: Lazy | str = ""
    choices: tuple[tuple[str, Any], ...] = ()


_NOTE = _("补充说明")

FIELDS: dict[str, tuple[Field, ...]] = {
    "return": (Field("reason", "textarea", _("为什么退单"), True, _("退回指挥中心，由坐席重新安排。")),),
    "refuse": (Field("rule", "text", _("依据哪条规定"), True, _("居民会看到这条依据。")),),
    "assign": (
        Field("worker", "select", _("派给谁"), True),
        Field("overrule", "select", _("没按建议派的理由"), False, "", tuple(OVERRULINGS.items())),
        Field("reason", "text", _("说明")),
    ),
    "arrive": (
        Field("code", "code", _("到场码"), False, _("居民页面上的四位数字，或楼栋二维码下的编号；没有就留空。")),
        Field("point", "point", _("位置")),
    ),
    "done": (Field("note", "textarea", _("做了什么"), True, _("居民和回访的人会看到。")),),
    "make_safe": (Field("note", "textarea", _NOTE),),
    "pause": (
        Field("reason", "select", _("为什么挂起"), True),
        Field("until", "time", _("到什么时候"), True, _("到时自动恢复；超过该原因的期限要由企业以外的人同意。")),
    ),
    "confirm": (Field("solved", "yes_no", _("修好了吗"), True),),
    "verify": (Field("solved", "yes_no", _("居民说修好了吗"), True),),
    "reopen": (Field("reason", "textarea", _("哪里还没好"), True),),
    "rate": (
        Field("satisfaction", "satisfaction", _("满意吗"), True),
        Field("solved", "yes_no", _("问题解决了吗"), True),
        Field("comment", "textarea", _("想说的话")),
    ),
    "reclassify": (
        Field("category", "select", _("类别")),
        Field("urgency", "select", _("缓急"), False, "", tuple(words.URGENCIES.items())),
        Field("kind", "select", _("类型"), False, "", tuple(words.KINDS.items())),
    ),
    "solve_remotely": (Field("note", "textarea", _("怎么解决的"), True, _("要等居民确认，和上门分开统计。")),),
    "supervise": (
        Field("text", "textarea", _("要求"), True),
        Field("answer_by", "time", _("答复期限"), True),
    ),
    "urge": (Field("text", "textarea", _("想说的话")),),
    "note": (
        Field("text", "textarea", _("留言"), True),
        Field("new_time", "select", _("告诉居民新的时间"), False, _("选了时间，居民会看到这段话和新的时间。")),
    ),
    "cancel": (),
}

OFFERED = frozenset({"new_time"})
"""Fields that stand in a form only where the order's own choices name them."""

_AHEAD_MIN = (15, 30, 45, 60, 90, 120)

#: Verbs that cannot be taken back: they ask once more, even without fields.
SURE: dict[str, Lazy | str] = {"cancel": _("撤回后这张工单就结束了。")}

_LAST4 = Field("last4", "code", _("报修电话的后四位"), True, _("确认是您本人。"))

#: The verb that comes next, by state, most likely first.
LIKELY: dict[str, tuple[str, ...]] = {
    "submitted": ("sign", "assign"),
    "returned": ("assign", "sign"),
    "signed": ("take", "assign"),
    "assigned": ("sign", "depart", "arrive"),
    "en_route": ("arrive",),
    "on_site": ("done",),
    "paused": ("approve_pause", "resume"),
    "done": ("confirm", "verify"),
    "verified": ("close", "rate"),
    "closed": ("rate",),
}


def next_verb(state: str, verbs: Sequence[str]) -> str:
    """The most likely of the possible `verbs`, or "" when none of them is the obvious next step."""
    return next((verb for verb in LIKELY.get(state, ()) if verb in verbs), "")


def fields_of(
    verb: str, choices: Mapping[str, Sequence[tuple[str, Any]]] | None = None, *, last4: bool = False
) -> list[Field]:
    """The fields of `verb`'s form, with the order's own `choices` filled in by field name.

    `last4` adds the last four digits of the telephone, which the tracking page asks for delicate verbs.
    """
    given = choices or {}
    filled = [
        replace(field, choices=tuple(given.get(field.name, field.choices)))
        for field in FIELDS.get(verb, ())
        if field.name in given or field.name not in OFFERED
    ]
    return [*filled, _LAST4] if last4 else filled


def new_times(now: datetime) -> list[tuple[str, str]]:
    """The choices of `new_time`: whole minutes ahead of `now`, each with its time of day."""
    start = timezone.localtime(now).replace(second=0, microsecond=0) + timedelta(minutes=1)
    times = [(minutes, start + timedelta(minutes=minutes)) for minutes in _AHEAD_MIN]
    return [(at.isoformat(), str(_("%(n)d 分钟后 · %(time)s") % {"n": n, "time": f"{at:%H:%M}"})) for n, at in times]


def data_from(verb: str, posted: Mapping[str, str]) -> dict[str, Any]:
    """The `data` of `act` from a posted form; empty fields are left out.

    Raises:
        BadInput: `bad_time` or `bad_point`, where a time or a position cannot be read.
    """
    out: dict[str, Any] = {}
    for field in FIELDS.get(verb, ()):
        raw = posted.get(field.name, "").strip()
        if not raw:
            continue
        if field.type == "yes_no":
            out[field.name] = raw == "yes"
        elif field.type == "time":
            out[field.name] = _local_time(raw, field.name)
        elif field.type == "point":
            out.update(_point(raw))
        else:
            out[field.name] = raw
    return out


def _local_time(raw: str, name: str) -> str:
    """RFC 3339 from the browser's `datetime-local`, which is in the page's time zone."""
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        raise BadInput.of(f"data.{name}", "bad_time", str(_("时间看不懂，请重新选择。"))) from None
    if at.tzinfo is None:
        at = timezone.make_aware(at)
    return at.isoformat()


def _point(raw: str) -> dict[str, Any]:
    """Position from `lon,lat,accuracy_m` as verbs.js writes it, in WGS-84."""
    try:
        lon, lat, *rest = (float(part) for part in raw.split(","))
    except ValueError:
        raise BadInput.of("data.point", "bad_point", str(_("位置看不懂，可以不填位置直接报到场。"))) from None
    out: dict[str, Any] = {"point": {"lon": lon, "lat": lat, "crs": "WGS-84"}}
    if rest:
        out["accuracy_m"] = rest[0]
    return out
