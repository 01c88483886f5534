"""How an order gets to where a verb can be said, and what the verb wants with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from jiying.orders.actions import act
from jiying.orders.actors import Actor
from jiying.orders.models import Order
from jiying.orders.tests.build import WAY, District, report

_SENT = ("sign", "assign")
_THERE = (*_SENT, "arrive")
_DONE = (*_THERE, "done")

#: The verbs said before, so that the named one is possible.
BEFORE: dict[str, tuple[str, ...]] = {
    "sign": (),
    "return": ("sign",),
    "refuse": (),
    "assign": ("sign",),
    "take": ("sign",),
    "depart": _SENT,
    "contact": _SENT,
    "arrive": _SENT,
    "make_safe": _THERE,
    "done": _THERE,
    "pause": _SENT,
    "approve_pause": (*_SENT, "pause"),
    "resume": (*_SENT, "pause"),
    "confirm": _DONE,
    "verify": _DONE,
    "close": (*_DONE, "verify"),
    "reopen": _DONE,
    "rate": _DONE,
    "reclassify": (),
    "solve_remotely": _SENT,
    "supervise": (),
    "urge": (),
    "note": (),
    "cancel": (),
}


def data_for(d: District, verb: str) -> dict[str, Any]:
    """Good data for `verb`."""
    later = (timezone.now() + timedelta(hours=3)).isoformat()
    wanted: dict[str, dict[str, Any]] = {
        "return": {"reason": "不是本小区"},
        "refuse": {"rule": "示例规则第 3 条"},
        "assign": {"worker": str(d.worker.pk)},
        "pause": {"reason": "waiting_parts", "until": later},
        "reopen": {"reason": "还在漏"},
        "rate": {"satisfaction": "satisfied", "solved": True},
        "reclassify": {"urgency": "ordinary"},
        "solve_remotely": {"note": "跳闸，已教居民复位"},
        "supervise": {"text": "请说明原因", "answer_by": later},
        "note": {"text": "请带梯子"},
    }
    return wanted.get(verb, {})


def ready_for(d: District, verb: str, **fields: Any) -> Order:
    """An order of the resident's about which `verb` is possible."""
    order = report(d, by=Actor.of(d.users["resident"]), **fields)
    for said in BEFORE[verb]:
        order = act(order.pk, said, by=d.actor(WAY[said]), data=data_for(d, said))
    return order
