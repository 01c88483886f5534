"""What the dispatcher has to do about an order, and when: derived from the order's events.

Pure.  No other record says what was done: a restart, a second process or a late one come to the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from jiying.dispatch.engine.ranking import DECLINED, HAS_IT, REPLACED, RETURNED
from jiying.dispatch.engine.world import Tier
from jiying.orders.states import RULE, State

if TYPE_CHECKING:
    from jiying.orders.chain import Moment
    from jiying.orders.ledger import Ledger

FREE = frozenset({State.SUBMITTED, State.SIGNED, State.RETURNED})
NOBODY_FITS, NOT_DEPARTED, STUCK, ENGINE = "nobody", "not_departed", "stuck", "engine"
"""Why the centre is asked for help."""

CALLED_AWAY = "called_away"
"""Why somebody else is looked for, without asking for help: an ordinary order whose worker was sent to an emergency."""

NEARER, SWAPPED = "nearer", "swapped"
"""Why an emergency that a rule gave to somebody is handed on (`reassigning`): somebody can be there sooner, or who had
it is the one who can be sooner at another, and a colleague takes this one."""

HANDED_ON = (CALLED_AWAY, NEARER, SWAPPED)
"""Why somebody need not go any more who did nothing wrong; each stands as a mark in the event that sends the next."""

STUCK_MIN = 15
AUTOMATIC, SUGGEST, OFF = "automatic", "suggest", "off"

_BEGINS = frozenset({"report", "reopen", "return"})
"""Verbs after which it is asked anew who goes."""

_MOVES = frozenset({"report", "sign", "return", "reopen", "reclassify", "resume"})
"""What people do about an order nobody has: the time they are given begins again."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a district wants about one order (`models.Policy`); the defaults are those of one that said nothing."""

    mode: str = SUGGEST
    after_s: int = 60
    depart_min: int = 10
    most_replaced: int = 2
    cap_m: int | None = None
    load_cap: int = 5


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do at `due_at`: `assign` somebody, `replace` who has it, `tell` the centre that it is stuck, or
    `stay`: look again in a while.

    `why`: what the centre is told where nobody can be sent: nobody, not_departed or stuck; of called_away it hears
    nothing, since who has the order still comes, if later.
    """

    what: str
    due_at: datetime
    why: str = NOBODY_FITS


@dataclass(frozen=True, slots=True)
class Away:
    """What else was given to who has an ordinary order, since they were sent to it: emergencies.

    `called`: since when they are at one, None when they are at none any more; `back`: until when they were at the last.
    """

    called: datetime | None = None
    back: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What counts of an order's events when somebody is looked for.

    `worker`: who has it now.  `barred`: worker id → why they are not asked again.  `replaced`: how often a rule
    replaced somebody; `handed_on`, how often since they were called away; `reassigned`, how often for somebody who
    could be there sooner, here or at another emergency.  `returned`: the serving company gave the order back.
    `machine`: who has it was sent by a rule, or as suggested; `by_rule`: by a rule.  Of that decision: `expected`
    minutes on the way, and `leave_by`, by how many minutes later somebody who was to come from other work had to leave.
    `departed`: when who has it said that they set off, and `left`, when that was: a telephone without signal tells of
    it later.
    """

    barred: dict[str, str]
    replaced: int = 0
    handed_on: int = 0
    reassigned: int = 0
    returned: bool = False
    machine: bool = False
    by_rule: bool = False
    worker: str = ""
    expected: int = 0
    leave_by: int | None = None
    departed: datetime | None = None
    left: datetime | None = None

    @classmethod
    def of(cls, moments: Iterable[Moment]) -> History:
        """Since the order was last reported, reopened or returned."""
        barred: dict[str, str] = {}
        replaced, handed_on, reassigned, returned, machine, by_rule, worker = 0, 0, 0, False, False, False, ""
        advice: dict[str, Any] = {}
        departed: datetime | None = None
        left: datetime | None = None
        for moment in moments:
            verb, data = moment.verb, moment.data
            if verb in _BEGINS:
                barred, replaced, handed_on, reassigned, machine, by_rule = {}, 0, 0, 0, False, False
                returned = verb == "return"
                worker = worker if verb == "reopen" else ""
            elif verb == "sign":
                # Whoever signs for what was returned takes it on again.
                returned = False
            elif verb in ("assign", "take"):
                by_rule = verb == "assign" and moment.role == RULE
                advice, departed, left = data.get("advice", {}), None, None
                machine = by_rule or (advice.get("rank") == 1 and not advice.get("overrules"))
                if by_rule and data.get(CALLED_AWAY):
                    # They did nothing wrong, and no higher tier is asked for it.
                    handed_on += 1
                elif by_rule and (data.get(NEARER) or data.get(SWAPPED)):
                    reassigned += 1
                elif by_rule and data.get("instead_of"):
                    replaced += 1
                    barred.setdefault(data["instead_of"], REPLACED)
                worker = data["worker"]
                if not by_rule:
                    # A person's word goes before what was recorded against somebody.
                    barred.pop(worker, None)
            elif verb == "depart":
                departed, left = moment.received_at, moment.at
            elif verb == "note" and data.get("declines"):
                barred[data["declines"]] = DECLINED
        expected, leave_by = advice.get("minutes", 0), advice.get("leave_by")
        return cls(
            barred, replaced, handed_on, reassigned, returned, machine, by_rule, worker, expected, leave_by, departed,
            left,
        )  # fmt: skip

    @property
    def declined(self) -> bool:
        """Whether who has it said that they cannot go."""
        return self.barred.get(self.worker) == DECLINED

    @property
    def asked(self) -> Tier:
        """How far up the tiers are asked: one higher with each replacement, and beyond the team that gave it back."""
        return Tier(min(Tier.CENTRE, Tier.TEAM + self.replaced + self.returned))

    def bar_of(self, worker: str, tier: Tier, *, ours: bool = True) -> str:
        """Why somebody is not asked; "" when nothing is against them.  `ours`: of the serving company itself, or of
        one with a mandate; allies have given nothing back.
        """
        if worker == self.worker:
            return HAS_IT
        if worker in self.barred:
            return self.barred[worker]
        return RETURNED if self.returned and tier is Tier.TEAM and ours else ""


def sent_at(ledger: Ledger) -> datetime:
    """When who has an order was sent to it, or it came back to them."""
    return max(moment.received_at for moment in ledger.moments if moment.verb in ("assign", "take", "reopen"))


def next_step(ledger: Ledger, rules: Rules, away: Away = Away()) -> Step | None:
    """What is to be done next about an order, if anything: only of repairs, and only where a rule may assign."""
    if rules.mode != AUTOMATIC or ledger.kind != "repair":
        return None
    if ledger.state in FREE and not ledger.worker:
        since = max(moment.received_at for moment in ledger.moments if moment.verb in _MOVES)
        return Step("assign", since + timedelta(seconds=rules.after_s))
    if ledger.state not in (State.ASSIGNED, State.EN_ROUTE) or not ledger.worker:
        return None
    history = History.of(ledger.moments)
    if not (history.machine or history.declined):
        return None
    what = "replace" if history.replaced < rules.most_replaced else "tell"
    # Who set off for this one after they were called goes here first.
    if away.called is not None and not history.declined and not (history.departed and history.departed > away.called):
        may = history.by_rule and history.handed_on < rules.most_replaced
        return Step("replace" if may else "stay", away.called, CALLED_AWAY)
    if ledger.state is State.EN_ROUTE:
        if history.departed is None:
            return None
        left = max(history.departed, away.back or history.departed)
        return Step(what, left + stuck_after(history.expected), STUCK)
    sent = sent_at(ledger)
    if history.declined:
        return Step(what, sent, NOT_DEPARTED)
    waits = rules.depart_min if history.leave_by is None else history.leave_by
    return Step(what, max(sent, away.back or sent) + timedelta(minutes=waits), NOT_DEPARTED)


def stuck_after(expected_min: int) -> timedelta:
    """So long after setting off somebody has been held up: twice what was expected, and a quarter of an hour at least
    beyond it.

    >>> stuck_after(7), stuck_after(20)
    (datetime.timedelta(seconds=1320), datetime.timedelta(seconds=2400))
    """
    return timedelta(minutes=max(2 * expected_min, expected_min + STUCK_MIN))
