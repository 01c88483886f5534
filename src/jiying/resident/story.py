"""An order as its reporter reads it: whose turn it is, what has happened, and what went wrong.

Names are masked here: a worker is a surname, an office its role.  Nothing that staff wrote for one another is told.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from pypinyin import lazy_pinyin

from jiying.dispatch.surges import waits_behind
from jiying.estates.models import Worker
from jiying.orders.models import Clock
from jiying.orders.queries import Line, Row, new_time_in
from jiying.orders.states import OPEN
from jiying.orders.store import pack_of
from jiying.pages import moved
from jiying.pages.peopletime import people_time
from jiying.pages.shown import erased
from jiying.pages.words import word
from jiying.rules import words as rule_words
from jiying.rules.pack import Pack

#: What residents are not told line by line.
_UNTOLD = frozenset({"warn", "wrong_code", "approve_pause", "supervise", "attach", "erase"})
#: What staff say to the resident; all other words of theirs stay among themselves.
_SAID_TO_THEM = {"done": "note", "solve_remotely": "note", "refuse": "rule"}
_SAID_BY_THEM = {"note": "text", "urge": "text", "rate": "comment", "reopen": "reason_text"}
_TOLD_DATA = ("promise", "tells", "solved", "satisfaction", "urgency", "kind", "why", "new_time")
_SURNAMES = (
    "欧阳",
    "上官",
    "司马",
    "诸葛",
    "司徒",
    "夏侯",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "长孙",
    "宇文",
    "端木",
)
_COUNTED = ("respond_30", "contact", "complete", "reply")


def called(name: str) -> str:
    """How a worker is called without telling who they are: 王师傅 for 王小明; other names by their first word.

    >>> called("欧阳锋")
    '欧阳师傅'
    """
    if not name:
        return _("师傅")
    if "\u4e00" <= name[0] <= "\u9fff":
        surname = next((double for double in _SURNAMES if name.startswith(double)), name[0])
        if (get_language() or "").startswith("en"):
            surname = "".join(lazy_pinyin(surname)).capitalize()
    else:
        surname = name.split()[0]
    return _("%(surname)s师傅") % {"surname": surname}


@dataclass(frozen=True, slots=True)
class Late:
    """A promise that was not kept: what went wrong, who was told and when.

    `why`, `again`: once it was explained, the reason, and by when somebody will be there after all.
    """

    words: str
    told: str
    told_at: datetime | None
    why: str = ""
    again: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """All that the tracking page says about one order.

    `sentence`: what is happening now.  `clock`: the promise that matters to a resident, or None.  `late`: promises
    missed and still open; `was_late` in words when somebody came after the limit.  `next_due`: the next promise that
    can still be kept.  `behind`: that emergencies go first, while nobody has an ordinary order in a surge.
    """

    sentence: str
    clock: Clock | None
    late: tuple[Late, ...]
    was_late: str
    next_due: Clock | None
    lines: tuple[dict[str, Any], ...]
    behind: str = ""


def story_of(row: Row, *, proven: bool, now: datetime) -> Story:
    """The story of `row` (with events); who has not `proven` to be the reporter reads no words of theirs."""
    crew = _crew(row.events)
    ours = _ours(row.clocks)
    present = _of_this_round(ours, row.order.reopened)
    waiting = [c for c in present if c.reached_at is None and row.order.state in OPEN]
    missed = [c for c in waiting if c.present_state == "missed"]
    coming = [c for c in waiting if c.present_state == "running" and c.due_at > now]
    return Story(
        sentence=_sentence(row, crew),
        clock=resident_clock(present or ours, is_open=row.order.state in OPEN),
        late=tuple(_late(c, row.events, now, proven=proven) for c in missed),
        was_late=_was_late(present),
        next_due=min(coming, key=lambda c: c.due_at, default=None) if missed else None,
        lines=tuple(_lines(row.events, crew, pack_of(row.order.pack), proven=proven)),
        behind=_behind(in_time=bool(coming) and not missed) if waits_behind(row.order) else "",
    )


def _behind(*, in_time: bool) -> str:
    """`in_time`: a limit runs and none has passed; else nothing is said of limits."""
    words = _("现在急修特别多，师傅们先去排险，您这一单会比平时晚一些安排。")
    return _("%(words)s说好的时限没有变，照常在走。") % {"words": words} if in_time else words


def _ours(clocks: Iterable[Clock]) -> list[Clock]:
    """The promises that a resident counts.

    Signing is between the company and the centre; a call within 30 minutes says little where somebody is to stand
    at the door within 30 minutes.
    """
    found = [clock for clock in clocks if clock.promise in _COUNTED and clock.state != "void"]
    visited = any(clock.promise == "respond_30" for clock in found)
    return [clock for clock in found if not (visited and clock.promise == "contact")]


def _of_this_round(ours: Iterable[Clock], reopened: int) -> list[Clock]:
    """The last clock of each promise that began since the last reopening.

    Rounds are counted by promise: a limit that was loosened makes a new clock of one of them alone.
    """
    last: dict[str, Clock] = {}
    for clock in ours:
        if clock.promise not in last or clock.round > last[clock.promise].round:
            last[clock.promise] = clock
    return [clock for clock in last.values() if clock.round > reopened]


def resident_clock(ours: Iterable[Clock], *, is_open: bool) -> Clock | None:
    """The clock for the half ring: what is waited for, else how the last promise that was reached ended."""
    ours = list(ours)
    waiting = [clock for clock in ours if clock.reached_at is None]
    if waiting and is_open:
        return min(waiting, key=lambda c: (c.promise != "respond_30", c.present_state == "missed", c.due_at))
    reached = [clock for clock in ours if clock.reached_at is not None]
    return max(reached, key=lambda c: (c.round, c.promise == "respond_30", c.due_at), default=None)


def _crew(lines: Iterable[Line]) -> dict[str, str]:
    """Worker id → how they are called, for all who ever had the order; one query."""
    ids = {str(line.event.data["worker"]) for line in lines if line.event.data.get("worker")}
    found = Worker.objects.filter(pk__in=[uuid.UUID(one) for one in ids]).only("id", "name") if ids else ()
    return {str(worker.pk): called(worker.name) for worker in found}


def _sentence(row: Row, crew: dict[str, str]) -> str:
    order, last = row.order, row.events[-1] if row.events else None
    facts = {
        "worker": called(order.worker.name) if order.worker else _("师傅"),
        "company": order.company.name if order.company else "",
    }
    state = str(order.state)
    if state == "submitted" and order.company is None:
        return _("已经收到。这里没有签约的物业企业，由指挥中心为您安排。")
    if state == "paused":
        return _paused(row)
    if state == "refused":
        return _("物业没有受理：%(rule)s。不同意可以留言，或拨打居村委电话。") % {"rule": _last(row, "refuse", "rule")}
    if state == "assigned" and order.reopened:
        return _("您说没修好，%(worker)s会再来一次。") % facts
    if state == "on_site" and any(line.event.milestone == "made_safe" for line in row.events):
        return _("险情已经排除，%(worker)s正在修。") % facts
    if state == "done" and _last(row, "solve_remotely", "note"):
        return _("物业说电话里已经解决，请您确认。")
    if state == "verified" and last is not None and last.event.role != "resident":
        return _("回访核查过了，一两天内结案。")
    if state == "done" and order.kind != "repair":
        return _("物业说已经处理好了，请您确认。")
    return {
        "submitted": _("已经收到，正等%(company)s签收。"),
        "signed": _("%(company)s已签收，正在安排师傅。"),
        "assigned": _("已安排%(worker)s，还没有出发。"),
        "en_route": _("%(worker)s已出发，正在路上。"),
        "on_site": _("%(worker)s已到场，正在处理。"),
        "done": _("%(worker)s说修好了，请您确认。"),
        "verified": _("您已确认修好，谢谢。"),
        "closed": _("这件事已经办结。"),
        "returned": _("物业退回了这件事，指挥中心正在重新安排。"),
        "cancelled": _("您已撤回，这件事到此为止。"),
    }.get(state, word("resident_state", state)) % facts


def _last(row: Row, verb: str, name: str) -> str:
    """What the last event of that verb says under `name`, in the present round."""
    for line in reversed(row.events):
        if line.event.verb == "reopen":
            return ""
        if line.event.verb == verb:
            return str(line.data.get(name) or "")
    return ""


def _paused(row: Row) -> str:
    why = _reason(_last(row, "pause", "reason"), pack_of(row.order.pack))
    return _("暂停了：%(why)s。") % {"why": why} if why else _("暂停了。")


def _reason(code: str, pack: Pack) -> str:
    """A pause's reason in the words of the pack that judges the order; the code where it is not known."""
    reason = pack.pauses.get(code)
    return rule_words.said(reason.names) if reason is not None else code


def _late(clock: Clock, lines: Sequence[Line], now: datetime, *, proven: bool) -> Late:
    words = {
        "respond_30": _("说好 30 分钟内到，师傅还没有到场。"),
        "contact": _("说好 30 分钟内联系您，还没有联系。"),
        "complete": _("说好的时间里没有修好。"),
        "reply": _("说好的时间里没有答复您。"),
    }
    told: dict[str, None] = {}
    told_at = None
    for line in lines:
        data = line.event.data
        if line.event.verb == "escalate" and (data.get("promise"), data.get("round")) == (clock.promise, clock.round):
            told.update(dict.fromkeys(word("audience", who) for who in data.get("tells", ())))
            told_at = line.event.at
    why, again = _again(lines, now, proven=proven) if clock.promise == "respond_30" else ("", "")
    return Late(words[clock.promise], _("、").join(told), told_at, why, again)


def _again(lines: Sequence[Line], now: datetime, *, proven: bool) -> tuple[str, str]:
    """Why, in the words of whoever told last in this round, and the new time; empty where nobody has."""
    found = new_time_in(lines)
    if found is None:
        return "", ""
    line, until = found
    sentence = _("新的时间：最晚 %(time)s 到。") if until > now else _("后来说的 %(time)s 也过了，很对不起。")
    return _why(line, proven=proven), sentence % {"time": people_time(until, now, ago=False)}


def _why(line: Line, *, proven: bool) -> str:
    if line.event.verb == "explain":
        return _("%(why)s。") % {"why": word("why_late", line.event.data.get("why", ""))}
    return str(line.data.get("text") or "") if proven else ""


def _was_late(clocks: Iterable[Clock]) -> str:
    for clock in clocks:
        if clock.promise == "respond_30" and clock.reached_at is not None and clock.reached_at > clock.due_at:
            minutes = max(1, int((clock.reached_at - clock.due_at).total_seconds() // 60))
            return _("师傅比说好的晚到了 %(m)d 分钟，对不起。已经记下。") % {"m": minutes}
    return ""


def _lines(lines: Iterable[Line], crew: dict[str, str], pack: Pack, *, proven: bool) -> Iterator[dict[str, Any]]:
    """The events for the `timeline` tag."""
    worker = ""
    lines = list(lines)
    told, changes = _escalations(lines), moved.changes(lines)
    for line in lines:
        event = line.event
        changed = [one for one in changes.get(event.version, ()) if one.promise in _COUNTED]
        worker = crew.get(str(event.data.get("worker")), worker)
        if _is_untold(line, told) or (event.verb == "repack" and not changed):
            continue
        data = {name: event.data[name] for name in _TOLD_DATA if name in event.data}
        if event.verb == "escalate":
            data["tells"] = told[_key(line)][1]
        if event.verb == "assign":
            data["worker_name"] = worker
        yield {
            "verb": event.verb,
            "milestone": event.milestone,
            "role": event.role,
            "at": event.at,
            "claimed": event.claimed,
            "data": data,
            "who": _who(event.role, worker, proven=proven),
            "said": _said(line, pack, proven=proven),
            "changed": changed or None,
        }


def _is_untold(line: Line, told: dict[Any, tuple[int, list[str]]]) -> bool:
    event = line.event
    if event.verb == "note":
        return event.role != "resident" and "new_time" not in event.data
    if event.verb == "escalate":
        return event.version != told[_key(line)][0]
    return event.verb in _UNTOLD or (event.verb == "breach" and event.data.get("promise") not in _COUNTED)


def _key(line: Line) -> tuple[Any, Any]:
    return line.event.data.get("promise"), line.event.data.get("round")


def _escalations(lines: Iterable[Line]) -> dict[Any, tuple[int, list[str]]]:
    """Promise and round → the version of its last escalation and all who were told: one line instead of six."""
    out: dict[Any, tuple[int, list[str]]] = {}
    for line in lines:
        if line.event.verb == "escalate":
            before = out.get(_key(line), (0, []))[1]
            out[_key(line)] = line.event.version, list(dict.fromkeys([*before, *line.event.data.get("tells", ())]))
    return out


def _who(role: str, worker: str, *, proven: bool) -> str:
    if role == "resident":
        return _("您") if proven else _("报修人")
    if role == "worker":
        return worker or _("师傅")
    return word("role", role)


def _said(line: Line, pack: Pack, *, proven: bool) -> str:
    event = line.event
    if event.verb == "pause":
        return _reason(str(event.data.get("reason", "")), pack)
    if not proven:
        return ""
    table = _SAID_BY_THEM if event.role == "resident" or "new_time" in event.data else _SAID_TO_THEM
    name = table.get(event.verb, "")
    return str(line.data.get(name) or (erased() if f"{name}_sm3" in event.data else ""))
