"""Who changes with whom: emergencies that a rule has given to somebody who is not there yet, looked at all together.

Pure.  As a day's run does every ten seconds (`engine.fleet.urgent`), within what people accept: who has set off is
turned round only where that is the difference between late and in time, who has not also where it saves enough; whom
that takes away from another emergency leaves it to somebody who is there in time, or no later.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from jiying.dispatch.engine.costs import cost_of
from jiying.dispatch.engine.fleet.assign import cheapest
from jiying.dispatch.engine.outlook import PRICES, ROAD, Outlook
from jiying.dispatch.engine.ranking import HAS_IT, Choice
from jiying.dispatch.engine.travel import Crow
from jiying.dispatch.engine.world import Candidate, Doing
from jiying.dispatch.plan import NEARER, SWAPPED
from jiying.dispatch.service import Advice
from jiying.dispatch.together import first

SAVES_MIN = 8.0
"""So many minutes sooner are worth two telephone calls: as much as an order in hand counts for when people are
compared (`Settings.load_min`), and more than an estimate of the way is usually wrong by."""

SURE_MIN = 3.0
"""Less than this is no difference between late and in time: estimates are no better, and who goes instead needs as
long to notice."""

STAY = PRICES.way * SAVES_MIN
"""What an emergency costs less with who has it: between equal ones the break-even is at `SAVES_MIN`."""

NOBODY = 1_000.0
"""What it costs to have nobody: beyond everything else, so that each keeps who has it or gets somebody."""


@dataclass(frozen=True, slots=True)
class Held:
    """An emergency and who has it.

    `coming_min`: minutes from now until they are expected there; `departed`: they have set off; `cost`: of leaving it
    with them; `movable`: they could go to another one, since they are at no work and have no other emergency.
    """

    advice: Advice
    holder: Candidate
    coming_min: float
    departed: bool
    cost: float
    movable: bool

    @classmethod
    def of(cls, advice: Advice, before: int, now: datetime) -> Held | None:
        """`before`: how many emergencies they go to first.  None without an outlook, or where nobody knows where they
        or the order are.
        """
        known, job, history = advice.outlook, advice.job, advice.history
        left_out = next((one for one in advice.ranking.left_out if one.why == HAS_IT), None)
        if known is None or left_out is None or left_out.metres is None:
            return None
        one = left_out.candidate
        assert one.at is not None and job.at is not None, "the metres between them are known"
        way = Crow.of(advice.settings).trip(one.at, job.at).minutes
        alone = replace(one, barred="", load=max(one.load - 1, 0))
        if history.left is not None:
            way = coming = max((history.left - now).total_seconds() / 60 + history.expected, ROAD.access_min)
            alone = replace(alone, doing=Doing.FREE, urgent_in_hand=False)
        elif before:
            coming = way + before * (known.work_min + way)
        else:
            coming = way + (work_left(known, one.busy_min) if one.doing is Doing.WORKING else 0.0)
            alone = replace(alone, urgent_in_hand=False)
        cost = cost_of(alone, job, way - ROAD.access_min, known, advice.settings).total
        has_others = advice.people[one.worker].urgent != {advice.order.pk}
        movable = history.left is None and one.doing is not Doing.WORKING and not has_others
        return cls(advice, one, coming, history.left is not None, cost, movable)

    @property
    def order(self) -> uuid.UUID:
        return self.advice.order.pk

    @property
    def left_min(self) -> float:
        """Minutes until somebody is to be there."""
        assert self.advice.job.left_min is not None, "every order that is advised on has a limit"
        return self.advice.job.left_min


@dataclass(frozen=True, slots=True)
class Change:
    """Who is sent instead, in the first place of the `advice`, and why (of `plan.HANDED_ON`)."""

    advice: Advice
    why: str


@dataclass(frozen=True, slots=True)
class _Option:
    """One who could go to an emergency; `why` is "" for who has it."""

    column: str
    cost: float
    why: str = ""
    choice: Choice | None = None


def gains(coming_min: float, fresh_min: float, left_min: float, *, departed: bool) -> bool:
    """Whether who is there in `fresh_min` is worth sending instead of who is expected in `coming_min`, with `left_min`
    until the limit.

    >>> gains(35, 12, 30, departed=True), gains(28, 5, 30, departed=True), gains(28, 5, 30, departed=False)
    (True, False, True)
    >>> gains(31, 29, 30, departed=True), gains(12, 6, 30, departed=False)
    (False, False)
    """
    saves = coming_min - fresh_min
    in_time = fresh_min <= left_min < coming_min and saves >= SURE_MIN
    return in_time or (not departed and saves >= SAVES_MIN)


def work_left(known: Outlook, been_min: float) -> float:
    """Minutes that somebody is expected to stay at work, who has been at it for `been_min` (lognormal)."""
    mu, spread = known.work
    if been_min <= 0.0:
        return known.work_min
    beyond = 0.5 * math.erfc((math.log(been_min) - mu - spread**2) / spread * math.sqrt(0.5))
    longer = known.longer(been_min)
    # Who has been at it for days says nothing of when they will be through.
    return known.work_min * beyond / longer - been_min if longer > 1e-6 else been_min


def reassign(held: Sequence[Held]) -> list[list[Change]]:
    """What is to be changed: lists of what belongs together, each beginning with whom nobody has to leave for it, if
    there is one.  Each list gains something, and takes nobody's worker without giving them another.
    """
    at_work_for = {one.holder.worker: one.order for one in held if one.movable}
    rows = [_options(one, at_work_for) for one in held]
    chosen = _cheapest(rows)
    changes = {
        one.order: Change(first(one.advice, option.choice), option.why)
        for one, option in zip(held, chosen, strict=True)
        if option.choice is not None
    }
    chains = _chains(changes, at_work_for)
    return [chain for chain in chains if any(change.why == NEARER for change in chain)]


def _options(one: Held, at_work_for: Mapping[str, uuid.UUID]) -> list[_Option]:
    """Who has it, and who could come instead: of the lowest tier that has somebody, and of none above theirs."""
    column = one.holder.worker if one.movable else str(one.order)
    found: list[tuple[int, _Option]] = []
    for choice in one.advice.ranking.ranked:
        could = _able(choice, one, at_work_for)
        if could is None or could.minutes is None or could.cost is None or could.tier > one.holder.tier:
            continue
        if gains(one.coming_min, could.minutes, one.left_min, departed=one.departed):
            found.append((could.tier, _Option(could.worker, could.cost.total, NEARER, could)))
        elif not one.departed and could.minutes <= max(one.left_min, one.coming_min):
            # They may stand in, which by itself is never a reason to change.
            found.append((could.tier, _Option(could.worker, max(could.cost.total, one.cost), SWAPPED, could)))
    lowest = min((tier for tier, _option in found), default=0)
    stays = _Option(column, max(one.cost - STAY, 0.0))
    return [stays, *(option for tier, option in found if tier == lowest)]


def _able(choice: Choice, one: Held, at_work_for: Mapping[str, uuid.UUID]) -> Choice | None:
    """Somebody as they would stand if they left the emergency that is theirs; None where they cannot go at once."""
    candidate, advice = choice.candidate, one.advice
    if candidate.doing is Doing.WORKING:
        return None
    if not candidate.urgent_in_hand:
        return choice
    if choice.worker not in at_work_for or choice.minutes is None or advice.outlook is None:
        return None
    free = replace(candidate, urgent_in_hand=False, load=candidate.load - 1)
    way = choice.minutes - advice.settings.access_min
    return replace(choice, candidate=free, cost=cost_of(free, advice.job, way, advice.outlook, advice.settings))


def _cheapest(rows: Sequence[Sequence[_Option]]) -> list[_Option]:
    """One option for each row, no column twice, the least in all; each can keep what is theirs, so each has one."""
    numbers: dict[str, int] = {}
    flat = [option for options in rows for option in options]
    columns = [numbers.setdefault(option.column, len(numbers)) for option in flat]
    begin = np.cumsum([0, *(len(options) for options in rows)])
    costs = np.array([option.cost for option in flat])
    taken = cheapest(begin, np.array(columns, np.int64), costs, np.full(len(rows), NOBODY), len(numbers))
    names = list(numbers)
    return [
        next((option for option in options if column >= 0 and option.column == names[column]), options[0])
        for options, column in zip(rows, taken.tolist(), strict=True)
    ]


def _chains(changes: Mapping[uuid.UUID, Change], at_work_for: Mapping[str, uuid.UUID]) -> list[list[Change]]:
    """Changes that depend on each other, together: who is sent to one leaves the next."""
    leaves = {order: at_work_for.get(_sent(change)) for order, change in changes.items()}
    heads = [order for order in changes if order not in leaves.values()]
    left, found = dict(changes), []
    for start in [*heads, *changes]:
        chain, order = [], start
        while order in left:
            chain.append(left.pop(order))
            after = leaves[order]
            if after is None:
                break
            order = after
        if chain:
            found.append(chain[::-1])
    return found


def _sent(change: Change) -> str:
    best = change.advice.ranking.best
    assert best is not None, "a change sends somebody"
    return best.worker


def held_of(advices: Iterable[Advice], before: Mapping[uuid.UUID, int], now: datetime) -> list[Held]:
    """Those of `advices` of whose holders enough is known."""
    return [one for advice in advices if (one := Held.of(advice, before[advice.order.pk], now)) is not None]
