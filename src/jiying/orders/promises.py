"""Promises: each is one clock on one order, judged from the order's events and the rule pack.

Pure: `judge(moments, pack)` is a fold over the events; feeding one event more gives the same clocks as
judging all of them again.  Judged is `at`, the time when something happened.  domain.md §4 has the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from jiying.core.worktime import WorkTime, total
from jiying.orders.chain import Moment
from jiying.orders.facts import Facts
from jiying.rules import calendars, packs
from jiying.rules.pack import Limit, Pack, PromiseRule

RUNNING, PAUSED, MET, MISSED, VOID = "running", "paused", "met", "missed", "void"
ANSWER = "answer"
EXTERNAL = "external"
"""The rule of a clock whose limit is a deadline of the system that an order was imported from."""


IMPLIED = {"done": "made_safe"}
"""What else is reached by a milestone where nobody said so before: what is finished is safe."""

_ENDS = {"cancel": "cancelled", "refuse": "refused", "solve_remotely": "solved_remotely"}


@dataclass(slots=True)
class Pause:
    """A time in which a clock stood still: up to `until`, which is the announced end while it lasts."""

    from_at: datetime
    until: datetime
    reason: str


@dataclass(slots=True)
class Clock:
    """One promise in one round.

    `state` is as of the last event fed; `state_at(now)` adds the passing of time.  While paused, `due_at`
    assumes that the pause lasts until its announced end.  Minutes are integers.

    `due_at` is never counted up: it is derived from `from_at`, `limit` and `pauses` (`Judge.due_of`).  The due time
    of a clock whose deadline another system gave is `given_due` and its pauses.
    """

    promise: str
    round: int
    rule: str
    from_at: datetime
    due_at: datetime
    limit_minutes: int
    target: str
    pausable: bool
    state: str = RUNNING
    reached_at: datetime | None = None
    reason: str = ""
    claimed: bool = False
    grade: str = ""
    paused_minutes: int = 0
    warn_before_min: int | None = None
    heir_of: tuple[int, ...] = ()
    """Rounds of the clocks that it took the place of when their limit was loosened: whom they told were told."""
    limit: Limit | None = None
    given_due: datetime | None = None
    pauses: list[Pause] = field(default_factory=list)

    def state_at(self, now: datetime) -> str:
        """`running` turns `missed` once its due time has passed, whether or not anybody wrote it down."""
        return MISSED if self.state == RUNNING and now > self.due_at else self.state

    @property
    def waits(self) -> bool:
        """Whether the milestone can still be reached: running, paused, or missed and not yet made good."""
        return self.reached_at is None and self.state != VOID


def is_answer(moment: Moment) -> bool:
    """Whether a resident's own answer came: theirs directly, or in a follow-up call; never by a rule."""
    if moment.verb in {"confirm", "rate"}:
        return True
    return moment.verb in {"verify", "reopen"} and moment.role != "rule"


@dataclass(slots=True)
class Judge:
    """The fold.  `feed` takes the events of one order in their order."""

    pack: Pack
    facts: Facts | None = None
    clocks: list[Clock] = field(default_factory=list)
    reached: dict[str, datetime] = field(default_factory=dict)
    """Milestones of the present round, with when."""
    round: int = 1
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    """When the pause ends by itself: as announced, but unapproved not beyond what its reason allows."""
    _paused_wholly: datetime | None = None
    _paused_why: str = ""
    _known: tuple[Facts | None, dict[str, PromiseRule]] = (None, {})
    """The rules of the facts they were found for: only a reclassification or another pack changes them."""

    def feed(self, moment: Moment) -> None:
        """Take one event more."""
        verb = moment.verb
        if verb == "report":
            self.facts = Facts.of(moment.data)
        elif verb in _ENDS:
            self._void_the_rest(moment, "merged" if moment.data.get("merged") else _ENDS[verb])
        elif verb == "pause":
            self._pause(moment)
        elif verb == "approve_pause":
            self._approve()
        elif verb == "resume":
            self._resume(moment)
        elif verb == "reclassify":
            self._reclassify(moment)
        elif verb == "repack":
            self.change_pack(packs.stamped(moment.data["pack"]), moment.at, moment.data)
        elif verb == "breach":
            self._breach(moment)
        if is_answer(moment):
            self._reach(ANSWER, moment)
        if moment.milestone:
            for milestone in filter(None, (moment.milestone, IMPLIED.get(moment.milestone))):
                self.reached.setdefault(milestone, moment.at)
                self._reach(milestone, moment)
            self._start(moment.milestone, moment.at)
        if verb == "reopen":
            self._new_round(moment)

    # -- time ------------------------------------------------------------------------------------

    @property
    def work(self) -> WorkTime | None:
        """By what working limits are counted for this order; None: in plain time."""
        zone = self.facts.zone if self.facts is not None else calendars.USUAL_ZONE
        return calendars.worktime_of(self.pack.calendar, zone)

    def due_of(self, clock: Clock) -> datetime:
        """When a clock is due, from its beginning, its limit and its pauses."""
        if clock.given_due is not None or clock.limit is None:
            return (clock.given_due or clock.due_at) + total((pause.from_at, pause.until) for pause in clock.pauses)
        return self._due_by(clock.limit, clock)

    def _due_by(self, limit: Limit, clock: Clock) -> datetime:
        """When a clock would be due by another limit, from the same start."""
        spans = [(pause.from_at, pause.until) for pause in clock.pauses]
        return calendars.due_at(limit, clock.from_at, spans, self.work)

    def moment_in(self, clock: Clock, minutes: int) -> datetime:
        """So many minutes after a clock began, in its own time."""
        unit = clock.limit.unit if clock.limit is not None else ""
        return calendars.after(unit, clock.from_at, minutes, self.work)

    # -- what one event does -------------------------------------------------------------------

    def _rules(self) -> dict[str, PromiseRule]:
        assert self.facts is not None, "the first event of an order is its report"
        if self._known[0] is not self.facts:
            self._known = (self.facts, self.facts.rules(self.pack))
        rules, knows = self._known[1], self.facts.knows
        if knows is None or self.round > 1:
            return rules
        return {name: rule for name, rule in rules.items() if rule.target in knows}

    def _start(self, milestone: str, at: datetime) -> None:
        for rule in self._rules().values():
            if rule.start == milestone and not self._runs(rule.promise):
                self._add(rule, at)
        if milestone == "reported":
            self._take_external_due(at)

    def _take_external_due(self, at: datetime) -> None:
        """The deadline that another system gave takes the place of the pack's for `done`; it is a limit of its own.

        Kinds for which the pack promises no completion get a clock all the same: somebody was told a date.
        """
        due = self.facts.external_due if self.facts else None
        if due is None:
            return
        minutes = max(0, int((due - at).total_seconds() // 60))
        theirs = [clock for clock in self.clocks if clock.target == "done"]
        if not theirs:
            theirs = [Clock("complete", self.round, EXTERNAL, at, due, minutes, "done", pausable=False)]
            self.clocks += theirs
        for clock in theirs:
            clock.rule, clock.from_at, clock.limit_minutes, clock.warn_before_min = EXTERNAL, at, minutes, None
            clock.due_at = clock.given_due = due

    def _add(self, rule: PromiseRule, at: datetime) -> None:
        assert self.facts is not None
        begins = at
        if rule.promise == "complete" and self.facts.appointment and self.facts.urgency == "ordinary":
            begins = max(at, self.facts.appointment)
        # A clock voided in this round stays on record, so its successor counts on.
        last = self._last_round(rule.promise)
        clock = Clock(
            promise=rule.promise,
            round=max(self.round, last + 1),
            rule=rule.id,
            from_at=begins,
            due_at=begins,
            limit_minutes=rule.limit.minutes,
            target=rule.target,
            pausable=rule.pausable,
            warn_before_min=rule.warn_before_min,
            limit=rule.limit,
        )
        clock.due_at = self.due_of(clock)
        self.clocks.append(clock)

    def _runs(self, promise: str) -> bool:
        """Whether the promise has a clock in this round that was not voided."""
        return any(
            clock.promise == promise and clock.round >= self.round and clock.state != VOID for clock in self.clocks
        )

    def _lives(self, rule: PromiseRule) -> bool:
        """Whether what a rule promises was promised: in this round, or before it where a reopening starts it not."""
        kept = [clock for clock in self.clocks if clock.promise == rule.promise and clock.state != VOID]
        return any(clock.round >= self.round or not rule.rounds for clock in kept)

    def _reach(self, target: str, moment: Moment) -> None:
        for clock in self.clocks:
            if clock.target != target or not clock.waits:
                continue
            if clock.state == PAUSED:
                self._end_pause(clock, moment.at)
            clock.reached_at = moment.at
            clock.state = MET if moment.at <= clock.due_at else MISSED
            clock.claimed = moment.claimed
            clock.grade = moment.data.get("proof", "")

    def _void_the_rest(self, moment: Moment, reason: str) -> None:
        for clock in self.clocks:
            if clock.waits and clock.state in (RUNNING, PAUSED):
                self._end(clock, moment.at, reason)

    def _end(self, clock: Clock, at: datetime, reason: str) -> None:
        """Void a clock for `reason`, unless it was due before: missed stays missed."""
        if clock.state == PAUSED:
            self._end_pause(clock, at)
        if at > clock.due_at:
            clock.state = MISSED
        else:
            clock.state, clock.reason = VOID, reason

    def _pause(self, moment: Moment) -> None:
        until = moment.data.get("until")
        self.paused_at = moment.at
        self.paused_until = self._paused_wholly = datetime.fromisoformat(until) if until else None
        reason = self.pack.pauses.get(moment.data.get("reason", ""))
        if self.paused_until and reason is not None:
            # Longer than its reason allows it lasts only once somebody outside the company approves.
            self.paused_until = min(self.paused_until, moment.at + timedelta(minutes=reason.max_min))
        self._paused_why = moment.data.get("reason", "")
        for clock in self.clocks:
            if clock.pausable and clock.state == RUNNING and clock.waits and moment.at <= clock.due_at:
                self._stand_still(clock, moment.at)

    def _stand_still(self, clock: Clock, at: datetime) -> None:
        """Let a clock stand still until the announced end of the order's pause."""
        clock.state = PAUSED
        clock.pauses.append(Pause(at, max(at, self.paused_until or at), self._paused_why))
        clock.due_at = self.due_of(clock)

    def _approve(self) -> None:
        """The pause may last as long as was asked for."""
        if self.paused_until and self._paused_wholly:
            self.paused_until = self._paused_wholly
            for clock in self.clocks:
                if clock.state == PAUSED:
                    clock.pauses[-1].until = self.paused_until
                    clock.due_at = self.due_of(clock)

    def _resume(self, moment: Moment) -> None:
        for clock in self.clocks:
            if clock.state == PAUSED:
                self._end_pause(clock, moment.at)
        self.paused_at = self.paused_until = None

    def _end_pause(self, clock: Clock, at: datetime) -> None:
        """Count what was really paused instead of what was announced."""
        # A watcher that is late to end the pause does not make it longer than it was announced.
        until = min(at, self.paused_until) if self.paused_until else at
        # A clock that began while the order was paused stood still from then.
        pause = clock.pauses[-1]
        really = max(until - pause.from_at, timedelta())
        pause.until = pause.from_at + really
        clock.due_at = self.due_of(clock)
        clock.paused_minutes += int(really.total_seconds() // 60)
        clock.state = RUNNING

    def _reclassify(self, moment: Moment) -> None:
        assert self.facts is not None
        before = self._rules()
        self.facts = self.facts.changed(moment.data)
        self._change_rules(before, moment.at, "reclassified")

    def change_pack(self, pack: Pack, at: datetime, told: dict[str, Any]) -> None:
        """From `at` on judge by another pack; `told` is what its rules look at and the report did not say.

        The event `repack` says this; without it a fold may be asked what would be, and is of no use afterwards.
        """
        assert self.facts is not None
        before = self._rules()
        self.pack, self.facts, self._known = pack, self.facts.told(told), (None, {})
        self._change_rules(before, at, "repacked")

    def _change_rules(self, before: Mapping[str, PromiseRule], at: datetime, reason: str) -> None:
        """Bring the clocks that still run to the rules that apply now; `before` are those that applied."""
        rules = self._rules()
        for clock in list(self.clocks):
            if not clock.waits or at > clock.due_at or clock.rule == EXTERNAL:
                continue
            rule, old = rules.get(clock.promise), before.get(clock.promise)
            if rule is None or (old is not None and (old.start, old.target) != (rule.start, rule.target)):
                self._end(clock, at, reason)
            else:
                self._relimit(clock, rule, at, reason)
        for rule in rules.values():
            # A promise that begins to apply now runs from now: nobody can have kept it before.
            if rule.start in self.reached and rule.target not in self.reached and not self._lives(rule):
                self._add(rule, at)
                if self.paused_at is not None and rule.pausable:
                    self._stand_still(self.clocks[-1], at)

    def _relimit(self, clock: Clock, rule: PromiseRule, at: datetime, reason: str) -> None:
        """Give a clock that still runs the limit of its new rule, counted from the same start.

        A longer limit is a new clock: the one it loosens stays on record, void.
        """
        assert self.facts is not None
        due = self._due_by(rule.limit, clock)
        if due > clock.due_at:
            heir = replace(
                clock,
                pauses=[replace(pause) for pause in clock.pauses],
                round=max(self.round, self._last_round(clock.promise) + 1),
                heir_of=(*clock.heir_of, clock.round),
            )
            self._end(clock, at, reason)
            self.clocks.append(heir)
            clock = heir
        clock.rule, clock.limit, clock.limit_minutes = rule.id, rule.limit, rule.limit.minutes
        clock.pausable, clock.warn_before_min = rule.pausable, rule.warn_before_min
        if self.facts.urgency == "emergency" and clock.from_at > at:
            # Emergencies are not made by appointment: what was to begin with its window begins now.
            clock.from_at = at
            due = self.due_of(clock)
        clock.due_at = due

    def _last_round(self, promise: str) -> int:
        return max((clock.round for clock in self.clocks if clock.promise == promise), default=0)

    def _breach(self, moment: Moment) -> None:
        """What the watcher wrote down: missed, unless an earlier arrival is still claimed later."""
        for clock in self.clocks:
            if (clock.promise, clock.round) == (moment.data["promise"], moment.data["round"]) and clock.waits:
                clock.state = MISSED

    def _new_round(self, moment: Moment) -> None:
        kept = {name: at for name, at in self.reached.items() if name in ("reported", "signed", "contacted")}
        self.reached = kept
        self.round += 1
        for rule in self._rules().values():
            if rule.rounds:
                self._add(rule, moment.at)


def judge(moments: Iterable[Moment], pack: Pack) -> list[Clock]:
    """All clocks of one order, from all its events."""
    fold = Judge(pack)
    for moment in moments:
        fold.feed(moment)
    return fold.clocks


def headline(clocks: Iterable[Clock]) -> Clock | None:
    """The clock a queue row and the resident's page show: the one that matters most now.

    The 30 minutes while nobody has arrived; else what is due next; else what is overdue.
    """
    waiting = [clock for clock in clocks if clock.waits and clock.promise != "follow_up"]
    return min(
        waiting,
        key=lambda clock: (clock.promise != "respond_30", clock.state == MISSED, clock.due_at),
        default=None,
    )
