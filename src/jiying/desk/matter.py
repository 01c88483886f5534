"""One order as the desk shows it: clocks, verbs with their choices, people, what happened."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jiying.estates.models import Worker
from jiying.estates.queries import candidates, zone_of
from jiying.orders import contacts
from jiying.orders.models import Order
from jiying.orders.queries import Line, Row
from jiying.orders.states import OPEN
from jiying.orders.store import pack_of
from jiying.pages.shown import is_ended

#: What only the phones of residents and workers say; `confirm` is the resident's own.
NOT_HERE = frozenset({"confirm", "rate", "cancel", "take"})
Choices = dict[str, Sequence[tuple[str, Any]]]


def matter(row: Row, *, now: datetime | None = None) -> dict[str, Any]:
    """The context of the middle and right panes."""
    order, now = row.order, now or timezone.now()
    verbs = [verb for verb in row.verbs if verb not in NOT_HERE]
    english = (get_language() or "").startswith("en")
    pack = pack_of(order.pack)
    choices: Choices = {}
    if "assign" in verbs:
        choices["worker"] = _workers(order, now)
    if "pause" in verbs:
        choices["reason"] = [(code, _named(reason.names, english)) for code, reason in pack.pauses.items()]
    if "reclassify" in verbs:
        choices["category"] = [(code, _named(one.names, english)) for code, one in pack.categories.items()]
    clocks = sorted(row.clocks, key=lambda clock: (clock.present_state not in ("running", "paused"), clock.due_at))
    headline = row.headline
    return {
        "row": row,
        "order": order,
        "headline": headline,
        "clocks": [clock for clock in clocks if clock is not headline],
        "verbs": verbs,
        "choices": choices,
        "reporter": contacts.masked(order),
        "events": _events(row),
        "asked": _unanswered(row),
        "pack": order.pack,
        "ended": is_ended(order),
    }


def _named(names: Any, english: bool) -> str:
    return str(names.en if english else names.zh)


def _workers(order: Order, now: datetime) -> list[tuple[str, str]]:
    """Who may be sent, the likeliest first: on duty, with the skill, with the fewest orders in hand."""
    workers = list(candidates(order.company, district=order.district))
    busy: Counter[uuid.UUID] = Counter(
        dict(
            Order.objects.filter(worker__in=[worker.pk for worker in workers], state__in=sorted(OPEN))
            .order_by()
            .values_list("worker_id")
            .annotate(n=Count("pk"))
        )
    )
    zone = zone_of(order.district)
    known = pack_of(order.pack).categories.get(order.category)
    skill = known.skill if known else ""
    on_duty = {worker.pk for worker in workers if worker.on_duty(now, zone)}
    workers.sort(
        key=lambda worker: (worker.pk not in on_duty, skill not in worker.skills, busy[worker.pk], worker.name)
    )
    return [(str(worker.pk), _said(worker, worker.pk in on_duty, skill, busy[worker.pk])) for worker in workers]


def _said(worker: Worker, on_duty: bool, skill: str, busy: int) -> str:
    parts = [worker.name, _("在班") if on_duty else _("不在班")]
    if skill and skill not in worker.skills:
        parts.append(_("工种不符"))
    parts.append(_("手上 %(n)d 单") % {"n": busy} if busy else _("空闲"))
    return " · ".join(parts)


def _events(row: Row) -> list[dict[str, Any]]:
    """The timeline's lines; workers by their names."""
    wanted = {line.event.data["worker"] for line in row.events if line.event.data.get("worker")}
    names = {str(pk): name for pk, name in Worker.objects.filter(pk__in=wanted).values_list("pk", "name")}
    return [_event(line, names) for line in row.events]


def _event(line: Line, workers: dict[str, str]) -> dict[str, Any]:
    event, data = line.event, dict(line.data)
    if worker := data.get("worker"):
        data["worker_name"] = workers.get(str(worker), "")
    return {
        "verb": event.verb,
        "milestone": event.milestone,
        "role": event.role,
        "at": event.at,
        "claimed": event.claimed,
        "who": line.who,
        "data": data,
        "texts": line.texts,
    }


def _unanswered(row: Row) -> list[dict[str, Any]]:
    """Supervisions nobody has answered: event, who asked, what, until when."""
    answered = {line.event.data.get("answers") for line in row.events if line.event.verb == "note"}
    return [
        {
            "event": str(line.event.id),
            "who": line.who,
            "text": line.data.get("text", ""),
            "answer_by": datetime.fromisoformat(line.event.data["answer_by"]),
        }
        for line in row.events
        if line.event.verb == "supervise" and str(line.event.id) not in answered
    ]
