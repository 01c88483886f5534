"""What a notice says: in the inbox, in a mail, in 70 characters of a text message.

Nothing personal of others: the place as far as the building, the order's number, what is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from jiying.dispatch.plan import CALLED_AWAY, NEARER, SWAPPED
from jiying.estates.queries import zone_of
from jiying.notices.models import Message, Notice
from jiying.notices.telling import REPLACED
from jiying.orders.models import Event, Order
from jiying.orders.proof import track_token
from jiying.orders.store import pack_of
from jiying.rules import words as rule_words

SMS_CHARS = 70

_ASKS: dict[str, Lazy | str] = {
    "warn": _("快到时限：%(promise)s"),
    "breach": _("已超过时限：%(promise)s"),
    "escalate": _("请马上督促：%(promise)s"),
    "urge": _("有人催办，请尽快处理并回话"),
    "supervise": _("上级督办，请在期限前答复"),
    "assign": _("派给您的工单，请出发"),
    "reopen": _("居民说没修好，请返修"),
    "return": _("物业退单，请重新安排"),
    "note": _("派去的师傅说去不了，请改派"),
    "ask_centre": _("自动派工派不出去，请人工安排"),
    "unreached": _("有人没有通知到，请打电话联系"),
    REPLACED: _("已改派给别人，您不用去了"),
}

#: Why somebody need not go any more, where the dispatcher had a reason that is none against them, by `step`.
_HANDED_ON: dict[str, Lazy | str] = {
    CALLED_AWAY: _("您先去急修，这单已改派给别人"),
    NEARER: _("有人能更早赶到，已改派，您不用去了"),
    SWAPPED: _("您改去另一处急修，这单已换人去"),
}

#: What the dispatcher asks the centre for, by `step`.
_ASKED: dict[str, Lazy | str] = {
    "nobody": _("没有合适的人可派，请人工安排"),
    "not_departed": _("换过人了还没有人出发，请催促或改派"),
    "stuck": _("派出的人迟迟没有到，请联系或改派"),
    "engine": _("派工引擎出了故障，已按最近的人派出，请核对"),
}

#: What a resident is told, by verb; another line here and one in `outgoing.RESIDENT` tells them of more.
_RESIDENT: dict[str, Lazy | str] = {
    "report": pgettext_lazy("sms", "报修已收到"),
    "depart": pgettext_lazy("sms", "维修师傅已出发"),
    "arrive": pgettext_lazy("sms", "维修师傅已到场"),
    "breach": pgettext_lazy("sms", "很抱歉没能按时到场，已上报督促"),
    "explain": pgettext_lazy("sms", "很抱歉还没有到场，新的时间：最晚 %(time)s"),
    "note": pgettext_lazy("sms", "物业说明了没有按时到场的原因，新的时间：最晚 %(time)s"),
}


def asks(kind: str, step: str, promise: str, order: Order) -> str:
    """What is asked: a rung of the ladder in the words of its rule pack, the rest in ours."""
    if kind == "ask_centre":
        return str(_ASKED.get(step, _ASKS[kind]))
    if kind == REPLACED and step in _HANDED_ON:
        return str(_HANDED_ON[step])
    pack = pack_of(order.pack)
    rung = next((rung for rung in pack.ladder if rung.step == step), None) if kind == "escalate" else None
    if rung is not None:
        return rule_words.said(rung.names)
    # What goes to other systems may be of a kind that asks nothing of a person; its code says it then.
    return str(_ASKS.get(kind, kind)) % {"promise": rule_words.promise(promise, pack)}


def asks_of(notice: Notice) -> str:
    """What a notice in the inbox asks."""
    return asks(REPLACED if notice.why == REPLACED else notice.kind, notice.step, notice.promise, notice.order)


def place(order: Order) -> str:
    """Estate and building."""
    return " ".join(str(one.name) for one in (order.estate, order.building) if one is not None)


def subject(messages: Sequence[Message]) -> str:
    """The head of a mail."""
    first = messages[0]
    if len({(one.kind, one.step, one.promise) for one in messages}) > 1:
        return _t("【即应】有 %(n)d 件事等您处理") % {"n": len(messages)}
    words = asks(first.kind, first.step, first.promise, first.order)
    if len(messages) > 1:
        return _t("【即应】%(asks)s（共 %(n)d 件）") % {"asks": words, "n": len(messages)}
    return _t("【即应】%(asks)s") % {"asks": words}


def mail(messages: Sequence[Message], public_url: str) -> str:
    """The body of a mail: one line an order, and where to answer."""
    lines = [
        f"{asks(one.kind, one.step, one.promise, one.order)}\n  {one.order.number} {place(one.order)}\n"
        for one in messages
    ]
    return "\n".join([*lines, _t("请在这里处理：%(url)s") % {"url": f"{public_url}/inbox"}, ""])


def short(messages: Sequence[Message]) -> str:
    """At most 70 characters, for text messages and to be read out by telephone: whole words of the head are kept,
    the place is what gives way."""
    head = subject(messages)
    if len(messages) > 1:
        return _clipped(head, SMS_CHARS)
    order = messages[0].order
    tail = f" {order.number}"
    room = SMS_CHARS - len(tail)
    return _clipped(f"{head} {place(order)}".strip(), room) + tail


def to_resident(message: Message, public_url: str) -> str:
    """What a resident is told, with the link to follow it."""
    link = f"{public_url}/t/{track_token(message.order_id)}"
    told = Event.objects.only("district", "at", "canonical").get(id=message.event)
    return _t("【即应】%(asks)s") % {"asks": f"{told_resident(message.kind, told)} {link}"}


def told_resident(kind: str, told: Event) -> str:
    """The sentence for a resident of what an event told them; a new time stands in it."""
    new_time = told.data.get("new_time")
    if not new_time:
        return str(_RESIDENT[kind])
    at = datetime.fromisoformat(new_time).astimezone(zone_of(told.district))
    soon = at - told.at < timedelta(hours=12)
    return str(_RESIDENT[kind]) % {"time": f"{at:%H:%M}" if soon else f"{at:%m-%d %H:%M}"}


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
