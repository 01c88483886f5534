"""One order as the desk shows it: clocks, verbs with their choices, people, what happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.utils import timezone

from jiying.desk.suggest import Shown, shown
from jiying.estates.models import Worker
from jiying.notices.queries import Told, told_about
from jiying.notices.wording import asks, told_resident
from jiying.orders import attachments, contacts
from jiying.orders.actors import Actor, roles_towards
from jiying.orders.models import Order
from jiying.orders.queries import Line, Row, new_time_in
from jiying.orders.states import OPEN, State
from jiying.orders.store import pack_of
from jiying.orders.verbs import MAY_EXPLAIN
from jiying.pages import moved
from jiying.pages.albums import album_of
from jiying.pages.shown import is_ended
from jiying.pages.verbforms import new_times
from jiying.pages.words import word
from jiying.people.scopes import Scope
from jiying.rules.pack import Pack
from jiying.rules.words import named, said

#: What only the phones of residents and workers say; `confirm` is the resident's own.
NOT_HERE = frozenset({"confirm", "rate", "cancel", "take"})
Choices = dict[str, Sequence[tuple[str, Any]]]


def matter(row: Row, scope: Scope, *, now: datetime | None = None) -> dict[str, Any]:
    """The context of the middle and right panes, for somebody of `scope`."""
    order, now = row.order, now or timezone.now()
    verbs = [verb for verb in row.verbs if verb not in NOT_HERE]
    pack = pack_of(order.pack)
    choices: Choices = {}
    suggested: Shown | None = None
    if "assign" in verbs:
        suggested, choices["worker"] = shown(order, scope, now, row.clocks)
    if "pause" in verbs:
        choices["reason"] = [(code, said(reason.names)) for code, reason in pack.pauses.items()]
    if "reclassify" in verbs:
        choices["category"] = [(code, said(one.names)) for code, one in pack.categories.items()]
    clocks = sorted(row.clocks, key=lambda clock: (clock.present_state not in ("running", "paused"), clock.due_at))
    may_explain = "note" in verbs and order.state in OPEN and bool(MAY_EXPLAIN & roles_towards(order, Actor(scope)))
    if may_explain:
        choices["new_time"] = new_times(now)
    headline = row.headline
    return {
        "row": row,
        "order": order,
        "headline": headline,
        "clocks": [clock for clock in clocks if clock is not headline],
        "verbs": verbs,
        "choices": choices,
        "suggested": suggested,
        "reporter": contacts.masked(order),
        "events": _events(row),
        "asked": _unanswered(row),
        "unexplained": _unexplained(row, pack, now) if may_explain else None,
        "pack": named(pack),
        "ended": is_ended(order),
        "told": _told(told_about(order), row),
    }


def _told(lines: Sequence[Told], row: Row) -> list[dict[str, Any]]:
    """Who was told, by what they were told and the minute: a breach tells a dozen people at once."""
    spoken = [(line.at.replace(second=0, microsecond=0), _about(line, row), line) for line in lines]
    return [
        {"at": at, "about": about, "people": [_person(line) for _at, _about, line in group]}
        for (at, about), group in groupby(spoken, key=itemgetter(0, 1))
    ]


def _about(line: Told, row: Row) -> str:
    if line.why == "resident":
        return told_resident(line.kind, next(one.event for one in row.events if one.event.id == line.event))
    return asks(line.kind, line.step, line.promise, row.order)


def _person(line: Told) -> dict[str, Any]:
    """One of them: by what way, and the reason only where it did not arrive."""
    return {
        "who": line.who,
        "why": line.why,
        "on_duty": line.on_duty,
        "channel": line.channel,
        "state": line.state,
        "tone": {"failed": "late", "waiting": "soon", "spared": "paused"}.get(line.state, ""),
        "acknowledged_at": line.acknowledged_at,
        "asks": line.why != "resident" and line.channel != "webhook",
        "reason": line.reason if line.state in ("failed", "waiting") else "",
    }


def pictures(order: Order, actor: Actor) -> dict[str, Any]:
    """The context of the photos: the album, and what `actor` may add."""
    roles = roles_towards(order, actor)
    return {
        "album": album_of(order, f"/api/v1/orders/{order.pk}/attachments/", actor=actor),
        "photos_url": f"/desk/orders/{order.pk}/photos",
        "purposes": [(code, word("purpose", code)) for code in _OFFERED if attachments.PURPOSES[code] & roles],
    }


#: What a photo may be for, the likeliest at a desk first.
_OFFERED = ("evidence", "report", "before", "after", "other")


def _events(row: Row) -> list[dict[str, Any]]:
    """The timeline's lines; workers by their names."""
    said = [line.event.data for line in row.events]
    wanted = {data[name] for data in said for name in ("worker", "instead_of") if data.get(name)}
    names = {str(pk): name for pk, name in Worker.objects.filter(pk__in=wanted).values_list("pk", "name")}
    changes = moved.changes(row.events)
    return [{**_event(line, names), "changed": changes.get(line.event.version)} for line in row.events]


def _event(line: Line, workers: dict[str, str]) -> dict[str, Any]:
    event, data = line.event, dict(line.data)
    if worker := data.get("worker"):
        data["worker_name"] = workers.get(str(worker), "")
    if before := data.get("instead_of"):
        data["instead_of_name"] = workers.get(str(before), "")
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


def _unexplained(row: Row, pack: Pack, now: datetime) -> dict[str, Any] | None:
    """A broken promise whose resident knows no new time, or one that has passed too; None where there is none.

    `by`: until when somebody is to tell them, before the system does.
    """
    late = [clock for clock in row.clocks if clock.promise in pack.explanations and clock.reached_at is None]
    late = [clock for clock in late if clock.present_state == "missed"]
    if not late:
        return None
    given = new_time_in(row.events)
    if given is not None and given[1] > now:
        return None
    clock = late[-1]
    by = clock.due_at + timedelta(minutes=pack.explanations[clock.promise].within_min)
    # While the order is paused the system knows no time either, and says none.
    waits = by > now and given is None and row.order.state != State.PAUSED
    return {"by": by if waits else None, "passed": given is not None}


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
