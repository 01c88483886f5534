"""What one order adds to the figures: `contribution`, a pure function of its events.

Everything that figures count is a name and a number at an instant.  The instant decides the day, and so the
period: a promise is counted when it was due, an order when it was reported, a word when it was said.

    submitted done closed fixed_first reopened refused cancelled returned downgraded merged remote
    complaints repeated          1 for an order of which it is true, at its report
    P.met P.missed               1 for a clock of promise P, when it was due
    P.claimed P.A P.B P.C        of the kept ones: reported later, and by the proof of an arrival
    contact_30.…                 the promise `contact` of repairs alone
    m.N                          1 for a clock of respond_30 with N whole minutes to arrival, when it was due
    h.H.met h.H.missed           the same clock by the hour of the day in which it began
    rating.R                     1 for each rating, when it was said
    answer.solved answer.unsolved  1 for the last word of a resident, when it was said
    open                         minutes from report to the end of the work, at the report
    paused.REASON                the paused ones of them
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from jiying.orders.chain import Moment
from jiying.orders.ledger import Ledger
from jiying.orders.promises import MET, MISSED, RUNNING, Clock, is_answer
from jiying.orders.states import AFTER_WORK, OPEN, State
from jiying.rules.pack import Pack

ARRIVAL = "respond_30"
"""The promise whose minutes are kept."""

CONTACTED = "contact_30"
"""`contact`, of repairs alone: the second headline of the thirty minutes."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What is not in the counts yet and will be, though nothing happens.

    From `at` on it counts: each name in `adds` once, and `grows` by the minutes since `since` — one clock in
    the histogram where it is `m`, else so many minutes.
    """

    at: datetime
    since: datetime
    adds: tuple[str, ...] = ()
    grows: str = ""


@dataclass(slots=True)
class Contribution:
    """What an order adds by its instants, and what time alone will add."""

    parts: dict[datetime, Counter[str]] = field(default_factory=dict)
    waits: list[Wait] = field(default_factory=list)

    def add(self, at: datetime, name: str, n: int = 1) -> None:
        if n:
            self.parts.setdefault(at, Counter())[name] += n


@dataclass(slots=True)
class _Life:
    """What the ledger does not keep: when the work was open, what paused it, what was ever said."""

    verbs: set[str] = field(default_factory=set)
    downgraded: bool = False
    merged: bool = False
    pressed: bool = False
    """Whether the one who reported it had to come back to it."""
    ended_by: str = ""
    open_since: datetime | None = None
    over_at: datetime | None = None
    open_minutes: int = 0
    paused_since: datetime | None = None
    reason: str = ""
    paused: Counter[str] = field(default_factory=Counter)
    ratings: list[tuple[datetime, str]] = field(default_factory=list)
    answer: tuple[datetime, bool] | None = None

    def feed(self, moment: Moment, before: State, after: State) -> None:
        verb, data = moment.verb, moment.data
        self.verbs.add(verb)
        self.merged |= verb == "cancel" and bool(data.get("merged"))
        self.downgraded |= verb == "reclassify" and bool(data.get("downgraded"))
        self.pressed |= verb in ("urge", "reopen") and moment.role == "resident"
        if verb == "rate" and data.get("satisfaction"):
            self.ratings.append((moment.at, data["satisfaction"]))
        if is_answer(moment):
            self.answer = (moment.at, verb != "reopen" and data.get("solved") is True)
        if verb == "report":
            self.open_since = moment.at
        elif before != after:
            self._move(moment, before, after)

    def _move(self, moment: Moment, before: State, after: State) -> None:
        at = moment.at
        if before == State.PAUSED and self.paused_since is not None:
            # A watcher that is late to end a pause does not make it longer.
            due = moment.data.get("due_at") if moment.role == "rule" else None
            until = min(at, datetime.fromisoformat(due)) if due else at
            self.paused[self.reason] += _minutes(self.paused_since, until)
            self.paused_since = None
        if after == State.PAUSED:
            self.paused_since, self.reason = at, str(moment.data.get("reason", ""))
        if before in OPEN and after not in OPEN and self.open_since is not None:
            self.open_minutes += _minutes(self.open_since, at)
            self.open_since, self.over_at, self.ended_by = None, at, moment.verb
        elif before not in OPEN and after in OPEN:
            self.open_since, self.over_at = at, None


def contribution(order: uuid.UUID, pack: Pack, moments: Iterable[Moment], zone: tzinfo) -> Contribution:
    """All that an order adds, from its events in their order; `zone` tells the hour of the day."""
    ledger, life, out = Ledger.new(order, pack), _Life(), Contribution()
    for moment in moments:
        before = ledger.state
        ledger.advance(moment)
        life.feed(moment, before, ledger.state)
    if not ledger.moments:
        return out
    reported = ledger.moments[0].at
    _order(out, reported, ledger, life)
    for clock in ledger.judge.clocks:
        _clock(out, clock, ledger.kind, life.over_at, zone)
    for at, rating in life.ratings:
        out.add(at, f"rating.{rating}")
    if life.answer is not None:
        at, solved = life.answer
        out.add(at, "answer.solved" if solved else "answer.unsolved")
    return out


def _order(out: Contribution, reported: datetime, ledger: Ledger, life: _Life) -> None:
    state, again = ledger.state, ledger.reopened > 0
    complaint = ledger.kind == "complaint"
    true = {
        "submitted": True,
        "done": state in AFTER_WORK or again,
        "reopened": again,
        "closed": state == State.CLOSED,
        "fixed_first": state == State.CLOSED and not again,
        "refused": state == State.REFUSED,
        "cancelled": state == State.CANCELLED and not life.merged,
        "merged": state == State.CANCELLED and life.merged,
        "returned": "return" in life.verbs,
        "downgraded": life.downgraded,
        "remote": state in AFTER_WORK and life.ended_by == "solve_remotely",
        "complaints": complaint,
        "repeated": complaint and life.pressed,
    }
    for name, holds in true.items():
        out.add(reported, name, int(holds))
    out.add(reported, "open", life.open_minutes)
    for reason, minutes in life.paused.items():
        out.add(reported, f"paused.{reason}", minutes)
    if life.open_since is not None:
        out.waits.append(Wait(reported, life.open_since, grows="open"))
    if life.paused_since is not None:
        out.waits.append(Wait(reported, life.paused_since, grows=f"paused.{life.reason}"))


def _clock(out: Contribution, clock: Clock, kind: str, over_at: datetime | None, zone: tzinfo) -> None:
    names = [clock.promise]
    if clock.promise == "contact" and kind == "repair":
        names.append(CONTACTED)
    if clock.promise == ARRIVAL:
        names.append(f"h.{clock.from_at.astimezone(zone).hour}")
    if clock.state == RUNNING:
        missed = tuple(f"{name}.missed" for name in names)
        out.waits.append(Wait(clock.due_at, clock.from_at, missed, "m" if clock.promise == ARRIVAL else ""))
        return
    if clock.state not in (MET, MISSED):
        return
    for name in names:
        out.add(clock.due_at, f"{name}.{clock.state}")
        if clock.state == MET and not name.startswith("h."):
            out.add(clock.due_at, f"{name}.claimed", int(clock.claimed))
            if clock.grade:
                out.add(clock.due_at, f"{name}.{clock.grade}")
    if clock.promise != ARRIVAL:
        return
    until = clock.reached_at or over_at
    if until is None:
        out.waits.append(Wait(clock.due_at, clock.from_at, grows="m"))
    else:
        out.add(clock.due_at, f"m.{_minutes(clock.from_at, until)}")


def _minutes(since: datetime, until: datetime) -> int:
    """Whole minutes, never fewer than none."""
    return max(0, int((until - since).total_seconds() // 60))
