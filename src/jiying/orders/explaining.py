"""Why an order's clocks stand as they do: which rule, from when, what counted, when due, and a sentence of it all.

Pure but for the language.  The same fold that judges the order is asked; with another pack it says what that one
would have judged of the same events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from jiying.orders.chain import Moment
from jiying.orders.promises import EXTERNAL, MET, MISSED, PAUSED, RUNNING, VOID, Clock, Judge
from jiying.orders.states import OBSERVATIONS
from jiying.rules import calendars, words
from jiying.rules.pack import Pack

_Telling = Callable[[datetime], str]
_ENDS_A_PAUSE = frozenset({"resume", "cancel", "refuse", "solve_remotely", "done", "reopen"})


@dataclass(frozen=True, slots=True)
class Paused:
    """One pause of the order, and how many whole minutes of it (working minutes on a working clock) a clock got.

    `until` is None while it lasts without an announced end.
    """

    from_at: datetime
    until: datetime | None
    reason: str
    counted: int


@dataclass(frozen=True, slots=True)
class Explained:
    """One promise in one round; `state` is that of now, `rule` an id of the pack or `external`."""

    promise: str
    round: int
    rule: str
    from_at: datetime
    pauses: tuple[Paused, ...]
    due_at: datetime
    state: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every promise, in the order in which their clocks began, and what to be warned of."""

    promises: tuple[Explained, ...]
    warnings: tuple[str, ...]


def explain(moments: Sequence[Moment], pack: Pack, now: datetime, zone: ZoneInfo, *, own: bool) -> Explanation:
    """Judge the events of one order by `pack` as of `now`, and say why.

    `own`: it is the pack of the order's report, and those that it was moved to judge after it.  By another one, what
    the system wrote down by its own is left out.
    """
    judge = Judge(pack)
    for moment in moments:
        if own or moment.verb not in OBSERVATIONS:
            judge.feed(moment)
    pauses = list(_pauses(moments, judge))
    told = tuple(_explained(clock, judge, pauses, now, zone) for clock in judge.clocks)
    return Explanation(told, tuple(_warnings(judge)))


def _pauses(moments: Iterable[Moment], judge: Judge) -> Iterator[tuple[datetime, datetime | None, str]]:
    """The pauses of the order itself: from, to, reason."""
    begun: Moment | None = None
    for moment in moments:
        if begun is not None and moment.verb in _ENDS_A_PAUSE:
            yield begun.at, moment.at, begun.data.get("reason", "")
            begun = None
        if moment.verb == "pause":
            begun = moment
    if begun is not None:
        yield begun.at, judge.paused_until, begun.data.get("reason", "")


def _explained(
    clock: Clock,
    judge: Judge,
    pauses: Iterable[tuple[datetime, datetime | None, str]],
    now: datetime,
    zone: ZoneInfo,
) -> Explained:
    state = clock.state_at(now)
    ended = clock.reached_at or clock.due_at
    shown = tuple(
        Paused(start, until, reason, _counted(clock, start, judge))
        for start, until, reason in pauses
        if start <= ended and (until is None or until > clock.from_at)
    )
    return Explained(
        promise=clock.promise,
        round=clock.round,
        rule=clock.rule,
        from_at=clock.from_at,
        pauses=shown,
        due_at=clock.due_at,
        state=state,
        sentence=_sentence(clock, judge.pack, state, shown, now, zone),
    )


def _counted(clock: Clock, start: datetime, judge: Judge) -> int:
    """Whole minutes that the pause from `start` gave a clock; 0 where it did not stop it."""
    unit = clock.limit.unit if clock.limit is not None else ""
    spans = [(pause.from_at, pause.until) for pause in clock.pauses if pause.from_at == start]
    counted = (calendars.counted(unit, clock.from_at, span, judge.work) for span in spans)
    return sum(counted, timedelta()) // timedelta(minutes=1)


def _warnings(judge: Judge) -> Iterator[str]:
    work, calendar = judge.work, judge.pack.calendar
    if work is None or calendar is None:
        return
    zone = ZoneInfo(judge.facts.zone) if judge.facts else ZoneInfo(calendars.USUAL_ZONE)
    working = [clock for clock in judge.clocks if clock.limit is not None and clock.limit.unit in calendars.WORKING]
    years = {year for clock in working for year in calendars.guessed(calendar, clock.from_at, clock.due_at, zone)}
    if years:
        yield calendars.guess_words(sorted(years))


# -- in words ------------------------------------------------------------------------------------------


def _sentence(clock: Clock, pack: Pack, state: str, pauses: Sequence[Paused], now: datetime, zone: ZoneInfo) -> str:
    def told(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    if clock.limit is None or clock.rule == EXTERNAL:
        by = _("原系统给定的期限")
    else:
        by = _("规则 %(rule)s，%(limit)s") % {"rule": clock.rule, "limit": words.limit(clock.limit)}
    number = _("（第 %(n)s 轮）") % {"n": clock.round} if clock.round > 1 else ""
    stood = "".join(_of_pause(pause, clock, pack, told) for pause in pauses)
    return _("%(promise)s%(number)s：%(by)s；从 %(start)s 起算%(stood)s，应在 %(due)s 前%(target)s；%(state)s。") % {
        "promise": words.promise(clock.promise, pack),
        "number": number,
        "by": by,
        "start": told(clock.from_at),
        "stood": stood,
        "due": told(clock.due_at),
        "target": words.MILESTONES[clock.target],
        "state": _of_state(clock, state, now, told),
    }


def _of_pause(pause: Paused, clock: Clock, pack: Pack, told: _Telling) -> str:
    reason = pack.pauses.get(pause.reason)
    span = {
        "start": told(pause.from_at),
        "end": told(pause.until) if pause.until else "…",
        "reason": words.said(reason.names) if reason else pause.reason or _("未写原因"),
        "n": pause.counted,
    }
    if not clock.pausable:
        return _("；%(start)s 至 %(end)s 的挂起（%(reason)s）不计，这项时限不能暂停") % span
    if clock.limit is not None and clock.limit.unit in calendars.WORKING:
        return _("；%(start)s 至 %(end)s 挂起（%(reason)s），扣除其中 %(n)s 个工作分钟") % span
    return _("；%(start)s 至 %(end)s 挂起（%(reason)s），扣除 %(n)s 分钟") % span


def _of_state(clock: Clock, state: str, now: datetime, told: _Telling) -> str:
    if state == VOID:
        return _("不计时：%(why)s") % {"why": _why(clock.reason)}
    if clock.reached_at is not None:
        late = max(0, (clock.reached_at - clock.due_at) // timedelta(minutes=1))
        at = {"at": told(clock.reached_at), "late": late}
        return _("%(at)s 做到，按时") % at if state == MET else _("%(at)s 才做到，超时 %(late)s 分钟") % at
    if state == MISSED:
        return _("还没有做到，已超时 %(late)s 分钟") % {"late": max(0, (now - clock.due_at) // timedelta(minutes=1))}
    return {RUNNING: _("正在计时"), PAUSED: _("暂停中，到期时间按申请的结束时间推算")}[state]


def _why(reason: str) -> str:
    return {
        "cancelled": _("已注销"),
        "refused": _("不予受理"),
        "solved_remotely": _("电话里已解决"),
        "reclassified": _("改了类别或缓急"),
        "repacked": _("换了规则包"),
        "merged": _("已并入另一张工单"),
    }.get(reason, reason)
