"""What the dispatcher has to do about an order, and when: derived from the order's events.

Pure.  No other record says what was done: a restart, a second process or a late one come to the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jiying.dispatch.engine.ranking import DECLINED, HAS_IT, REPLACED, RETURNED
from jiying.dispatch.engine.world import Tier
from jiying.orders.states import RULE, State

if TYPE_CHECKING:
    from jiying.orders.chain import Moment
    from jiying.orders.ledger import Ledger

FREE = frozenset({State.SUBMITTED, State.SIGNED, State.RETURNED})
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
    """Something to do at `due_at`: `assign` somebody, `replace` who has it, or `tell` the centre that it is stuck."""

    what: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """What counts of an order's events when somebody is looked for.

    `worker`: who has it now.  `barred`: worker id → why they are not asked again.  `replaced`: how often a rule
    replaced somebody.  `returned`: the serving company gave the order back.  `machine`: who has it was sent by a
    rule, or as suggested.
    """

    barred: dict[str, str]
    replaced: int = 0
    returned: bool = False
    machine: bool = False
    worker: str = ""

    @classmethod
    def of(cls, moments: Iterable[Moment]) -> History:
        """Since the order was last reported, reopened or returned."""
        barred: dict[str, str] = {}
        replaced, returned, machine, worker = 0, False, False, ""
        for moment in moments:
            verb, data = moment.verb, moment.data
            if verb in _BEGINS:
                barred, replaced, machine = {}, 0, False
                returned = verb == "return"
                worker = worker if verb == "reopen" else ""
            elif verb == "sign":
                # Whoever signs for what was returned takes it on again.
                returned = False
            elif verb in ("assign", "take"):
                by_rule = verb == "assign" and moment.role == RULE
                advice = data.get("advice", {})
                machine = by_rule or (advice.get("rank") == 1 and not advice.get("overrules"))
                if by_rule and data.get("instead_of"):
                    replaced += 1
                    barred.setdefault(data["instead_of"], REPLACED)
                worker = data["worker"]
                if not by_rule:
                    # A person's word goes before what was recorded against somebody.
                    barred.pop(worker, None)
            elif verb == "note" and data.get("declines"):
                barred[data["declines"]] = DECLINED
        return cls(barred, replaced, returned, machine, worker)

    @property
    def declined(self) -> bool:
        """Whether who has it said that they cannot go."""
        return self.barred.get(self.worker) == DECLINED

    @property
    def asked(self) -> Tier:
        """How far up the tiers are asked: one higher with each replacement, and beyond the team that gave it back."""
        return Tier(min(Tier.CENTRE, Tier.TEAM + self.replaced + self.returned))

    def bar_of(self, worker: str, tier: Tier) -> str:
        """Why somebody is not asked; "" when nothing is against them."""
        if worker == self.worker:
            return HAS_IT
        if worker in self.barred:
            return self.barred[worker]
        return RETURNED if self.returned and tier is Tier.TEAM else ""


def next_step(ledger: Ledger, rules: Rules) -> Step | None:
    """What is to be done next about an order, if anything: only of repairs, and only where a rule may assign."""
    if rules.mode != AUTOMATIC or ledger.kind != "repair":
        return None
    if ledger.state in FREE and not ledger.worker:
        since = max(moment.received_at for moment in ledger.moments if moment.verb in _MOVES)
        return Step("assign", since + timedelta(seconds=rules.after_s))
    if ledger.state is not State.ASSIGNED or not ledger.worker:
        return None
    history = History.of(ledger.moments)
    if not (history.machine or history.declined):
        return None
    sent = max(moment.received_at for moment in ledger.moments if moment.verb in ("assign", "take", "reopen"))
    due = sent if history.declined else sent + timedelta(minutes=rules.depart_min)
    return Step("replace" if history.replaced < rules.most_replaced else "tell", due)
