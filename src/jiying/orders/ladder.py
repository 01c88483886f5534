"""What falls due on an order without anybody doing anything: warnings, breaches, the ladder, dated rules.

Pure.  `pending` derives every step still to come from the order's events, so a step that has an event has
fired, and no other record is needed: a restart, a second watcher or a late one come to the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from jiying.orders.promises import ANSWER, RUNNING, Clock
from jiying.orders.states import AFTER_WORK, ENDED, ON_THE_WAY, State

if TYPE_CHECKING:
    from jiying.orders.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens by itself at `due_at` (aware): which event it writes, and with what data."""

    due_at: datetime
    verb: str
    data: dict[str, Any]
    rule: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What makes a step the same step: it fires once."""
        return key_of(self.verb, self.data)


def key_of(verb: str, data: dict[str, Any]) -> tuple[str, str, str, int]:
    """The key of a fired or pending step."""
    return (verb, data.get("step", ""), data.get("promise", ""), data.get("round", 0))


def pending(ledger: Ledger) -> Iterator[Step]:
    """All steps that have not fired and still can, in no order."""
    fired, since = ledger.fired, ledger.imported_at
    for clock in ledger.judge.clocks:
        for step in _of_clock(ledger, clock):
            if step.key not in fired and not _missed_before(step, since):
                yield step
    yield from _of_state(ledger)


def _missed_before(step: Step, since: datetime | None) -> bool:
    """Whether a step belongs to the time before an order was imported: nobody is warned of what is long past.

    A breach is judged all the same.
    """
    return since is not None and step.verb != "breach" and step.due_at <= since


def next_step(ledger: Ledger) -> Step | None:
    """The step that is due first."""
    return min(pending(ledger), key=lambda step: (step.due_at, step.verb, step.data.get("step", "")), default=None)


def _of_clock(ledger: Ledger, clock: Clock) -> Iterator[Step]:
    if not clock.waits:
        return
    base = {"promise": clock.promise, "round": clock.round}
    if explained := _explanation(ledger, clock, base):
        yield explained
    if clock.state == RUNNING:
        warn = clock.warn_before_min
        if warn is not None and warn < clock.limit_minutes:
            yield Step(clock.due_at - timedelta(minutes=warn), "warn", base, "watch")
        yield Step(clock.due_at, "breach", base, "watch")
    if clock.state == "paused" or ledger.state in (ENDED if clock.target == ANSWER else ENDED | AFTER_WORK):
        return
    for rung in ledger.pack.ladder_for(clock.promise):
        if (rung.unless or clock.target) not in ledger.judge.reached:
            data = {**base, "step": rung.step, "tells": list(rung.tells)}
            step = Step(ledger.judge.moment_in(clock, rung.after_min), "escalate", data, "ladder")
            if not _told_before(ledger, clock, step):
                yield step


def _told_before(ledger: Ledger, clock: Clock, step: Step) -> bool:
    """Whether a step fired on a clock that this one took the place of, or would tell nobody anything new.

    When another pack begins to judge, rungs of it may lie in the past: late is told who was told by no rung yet.
    """
    told: set[str] = set()
    for number in (*clock.heir_of, clock.round):
        if key_of(step.verb, {**step.data, "round": number}) in ledger.fired:
            return True
        told |= ledger.told.get((clock.promise, number), set())
    return ledger.repacked_at is not None and step.due_at <= ledger.repacked_at and told.issuperset(step.data["tells"])


def _explanation(ledger: Ledger, clock: Clock, base: dict[str, Any]) -> Step | None:
    """What the resident is told who was not reached in time, unless a person told them in this round."""
    given = ledger.pack.explanations.get(clock.promise)
    # While the order is paused nobody knows a time; what an import brought in late was its former keeper's to explain.
    if given is None or ledger.state in ENDED | AFTER_WORK | {State.PAUSED}:
        return None
    if ledger.imported_at is not None and clock.due_at <= ledger.imported_at:
        return None
    # A time that was over before the limit explains nothing of its breach.
    if ledger.explained_round == ledger.judge.round and ledger.new_time > clock.due_at:
        return None
    minutes = given.on_the_way_min if ledger.state in ON_THE_WAY else given.new_time_min
    data = {**base, "why": ledger.state, "new_time_min": minutes}
    due = max(clock.due_at + timedelta(minutes=given.within_min), ledger.resumed_at)
    return Step(due, "explain", data, "explanation")


def _of_state(ledger: Ledger) -> Iterator[Step]:
    if ledger.state is State.PAUSED and ledger.judge.paused_until is not None:
        yield Step(ledger.judge.paused_until, "resume", {"rule": "pause_ended"}, "pause_ended")
    for rule in ledger.pack.silence:
        if ledger.state == rule.from_state:
            # The silence of people who could not object here yet says nothing.
            since = max(ledger.state_since, ledger.imported_at or ledger.state_since)
            due = since + timedelta(minutes=rule.after_min)
            yield Step(due, rule.verb, {"rule": rule.id}, rule.id)
