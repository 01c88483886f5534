"""Promises: each is one clock on one order, judged from the order's events and the rule pack.

Pure: `judge(moments, pack)` is a fold over the events; feeding one event more gives the same clocks as
judging all of them again.  Judged is `at`, the time when something happened.  domain.md §4 has the rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from jiying.orders.chain import Moment
from jiying.rules.pack import Pack, PromiseRule

RUNNING, PAUSED, MET, MISSED, VOID = "running", "paused", "met", "missed", "void"
ANSWER = "answer"
EXTERNAL = "external"
"""The rule of a clock whose limit is a deadline of the system that an order was imported from."""


_ENDS = {"cancel": "cancelled", "refuse": "refused", "solve_remotely": "solved_remotely"}


@dataclass(slots=True)
class Clock:
    """One promise in one round.

    `state` is as of the last event fed; `state_at(now)` adds the passing of time.  While paused, `due_at`
    assumes that the pause lasts until its announced end.  Minutes are integers.
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

    def state_at(self, now: datetime) -> str:
        """`running` turns `missed` once its due time has passed, whether or not anybody wrote it down."""
        return MISSED if self.state == RUNNING and now > self.due_at else self.state

    @property
    def waits(self) -> bool:
        """Whether the milestone can still be reached: running, paused, or missed and not yet made good."""
        return self.reached_at is None and self.state != VOID


@dataclass(slots=True)
class Facts:
    """What the rules look at; `lot` says whether the order was drawn for follow-up by lot.

    Of an imported order, `external_due` is the deadline that the other system gave it, and `knows` are the
    milestones that its ledger tells: a promise whose milestone nobody kept is not judged (None: all are).
    """

    kind: str
    category: str
    urgency: str
    part: str
    lot: bool
    appointment: datetime | None = None
    external_due: datetime | None = None
    knows: frozenset[str] | None = None

    @classmethod
    def of(cls, data: dict[str, Any]) -> Facts:
        """From the data of the `report` event."""
        window = data.get("appointment")
        return cls(
            kind=data["kind"],
            category=data["category"],
            urgency=data["urgency"],
            part=data.get("part", ""),
            lot=bool(data.get("lot")),
            appointment=datetime.fromisoformat(window["from"]) if window else None,
            external_due=datetime.fromisoformat(data["external_due"]) if data.get("external_due") else None,
            knows=frozenset(data["knows"]) if "knows" in data else None,
        )

    def drawn(self, pack: Pack) -> bool:
        """Whether a follow-up is owed: by the pack's conditions, or by lot."""
        return self.lot or any(
            condition.matches(
                kind=self.kind, urgency=self.urgency, category=self.category, part=self.part, drawn=self.lot
            )
            for condition in pack.follow_up.always
        )

    def rules(self, pack: Pack) -> dict[str, PromiseRule]:
        """The rules that apply, by promise."""
        found = pack.rules_for(
            kind=self.kind,
            urgency=self.urgency,
            category=self.category,
            part=self.part,
            drawn=self.drawn(pack),
        )
        return {rule.promise: rule for rule in found}


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
        elif verb == "breach":
            self._breach(moment)
        if is_answer(moment):
            self._reach(ANSWER, moment)
        if moment.milestone:
            self.reached.setdefault(moment.milestone, moment.at)
            self._reach(moment.milestone, moment)
            self._start(moment.milestone, moment.at)
        if verb == "reopen":
            self._new_round(moment)

    # -- what one event does -------------------------------------------------------------------

    def _rules(self) -> dict[str, PromiseRule]:
        assert self.facts is not None, "the first event of an order is its report"
        rules, knows = self.facts.rules(self.pack), self.facts.knows
        if knows is None or self.round > 1:
            return rules
        return {name: rule for name, rule in rules.items() if rule.target in knows}

    def _start(self, milestone: str, at: datetime) -> None:
        for rule in self._rules().values():
            if rule.start == milestone and not self._lives(rule.promise):
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
            clock.rule, clock.from_at, clock.due_at, clock.limit_minutes = EXTERNAL, at, due, minutes

    def _add(self, rule: PromiseRule, at: datetime) -> None:
        assert self.facts is not None
        begins = at
        if rule.promise == "complete" and self.facts.appointment and self.facts.urgency == "ordinary":
            begins = max(at, self.facts.appointment)
        minutes = rule.limit.minutes
        # A clock voided in this round stays on record, so its successor counts on.
        last = self._last_round(rule.promise)
        self.clocks.append(
            Clock(
                promise=rule.promise,
                round=max(self.round, last + 1),
                rule=rule.id,
                from_at=begins,
                due_at=begins + timedelta(minutes=minutes),
                limit_minutes=minutes,
                target=rule.target,
                pausable=rule.pausable,
            )
        )

    def _lives(self, promise: str) -> bool:
        """Whether the promise has a clock in this round that was not voided."""
        return any(
            clock.promise == promise and clock.round >= self.round and clock.state != VOID for clock in self.clocks
        )

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
        for clock in self.clocks:
            if clock.pausable and clock.state == RUNNING and clock.waits and moment.at <= clock.due_at:
                clock.state = PAUSED
                if self.paused_until:
                    clock.due_at += self.paused_until - moment.at

    def _approve(self) -> None:
        """The pause may last as long as was asked for."""
        if self.paused_until and self._paused_wholly:
            longer = self._paused_wholly - self.paused_until
            self.paused_until = self._paused_wholly
            for clock in self.clocks:
                if clock.state == PAUSED:
                    clock.due_at += longer

    def _resume(self, moment: Moment) -> None:
        for clock in self.clocks:
            if clock.state == PAUSED:
                self._end_pause(clock, moment.at)
        self.paused_at = self.paused_until = None

    def _end_pause(self, clock: Clock, at: datetime) -> None:
        """Count what was really paused instead of what was announced."""
        assert self.paused_at is not None, "a paused clock belongs to a paused order"
        announced = self.paused_until - self.paused_at if self.paused_until else timedelta()
        # A watcher that is late to end the pause does not make it longer than it was announced.
        until = min(at, self.paused_until) if self.paused_until else at
        really = max(until - self.paused_at, timedelta())
        clock.due_at += really - announced
        clock.paused_minutes += int(really.total_seconds() // 60)
        clock.state = RUNNING

    def _reclassify(self, moment: Moment) -> None:
        assert self.facts is not None
        changed = {k: v for k, v in moment.data.items() if k in ("kind", "category", "urgency", "part")}
        self.facts = replace(self.facts, **changed)
        rules = self._rules()
        for clock in list(self.clocks):
            if not clock.waits or moment.at > clock.due_at:
                continue
            rule = rules.get(clock.promise)
            if clock.rule == EXTERNAL:
                continue
            if rule is None:
                self._end(clock, moment.at, "reclassified")
            elif rule.id != clock.rule:
                self._relimit(clock, rule, moment.at)
        for rule in rules.values():
            # A promise that begins to apply now runs from now: nobody can have kept it before.
            if rule.start in self.reached and rule.target not in self.reached and not self._lives(rule.promise):
                self._add(rule, moment.at)

    def _relimit(self, clock: Clock, rule: PromiseRule, at: datetime) -> None:
        """Give a clock that still runs the limit of its new rule, counted from the same start.

        A longer limit is a new clock: the one it loosens stays on record, void.
        """
        assert self.facts is not None
        if rule.limit.minutes > clock.limit_minutes:
            loosened, clock = clock, replace(clock, round=max(self.round, self._last_round(clock.promise) + 1))
            self._end(loosened, at, "reclassified")
            self.clocks.append(clock)
        clock.due_at += timedelta(minutes=rule.limit.minutes - clock.limit_minutes)
        clock.rule, clock.limit_minutes = rule.id, rule.limit.minutes
        if self.facts.urgency == "emergency" and clock.from_at > at:
            # Emergencies are not made by appointment: what was to begin with its window begins now.
            clock.due_at -= clock.from_at - at
            clock.from_at = at

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
