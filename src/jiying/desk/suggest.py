"""Who could be sent, as the desk shows it: the best few with a sentence each, and everybody else in a list."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from jiying.dispatch import saying, surges
from jiying.dispatch.engine.ranking import HAS_IT, NO_SKILL, OFF_DUTY, RETURNED
from jiying.dispatch.plan import OFF
from jiying.dispatch.queries import Suggestions, suggestions
from jiying.estates.models import Worker
from jiying.estates.queries import candidates
from jiying.orders.models import Clock, Order
from jiying.orders.states import State
from jiying.people.scopes import Scope

LISTED = 200
"""Of very many candidates the list shows the likeliest."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """One row: `rank` is its key, too; `of` names the company where it is another one than serves the order."""

    rank: int
    worker: str
    name: str
    tier: str
    pool: str
    of: str
    why: str
    key: str


@dataclass(frozen=True, slots=True)
class Shown:
    """`rows` the best first; `beside` what else there is to know; `nobody` why nobody can go, where nobody can; `open`:
    the order waits for somebody.
    """

    rows: tuple[Suggested, ...]
    nobody: str
    others: str
    beside: tuple[str, ...]
    open: bool
    automatic: bool


def shown(
    order: Order, scope: Scope, now: datetime, clocks: Iterable[Clock] = ()
) -> tuple[Shown | None, list[tuple[str, str]]]:
    """The suggestions (None where the district wants none, or somebody is on the way), and all who can be chosen.

    `clocks`: the order's, for what is said of it while a surge runs.
    """
    (found,) = suggestions([order], scope, now=now, limit=LISTED)
    options = _options(order, found, now, anybody=order.company is None and order.district in scope.districts)
    if found.advice.rules.mode == OFF or order.state in (State.EN_ROUTE, State.ON_SITE):
        return None, options
    rows = tuple(_row(order, found, n) for n in range(min(5, len(found.choices))))
    others = saying.left_out({why: n for why, n in found.left_out.items() if why not in (HAS_IT, RETURNED)})
    waits = order.state != State.ASSIGNED
    beside = tuple(filter(None, (_in_surge(order, clocks), found.held if waits else "", found.wider)))
    return Shown(rows, "" if rows else others, others, beside, waits, found.advice.rules.mode == "automatic"), options


def _in_surge(order: Order, clocks: Iterable[Clock]) -> str:
    """What a surge means for the order, while one runs."""
    if surges.make_safe_first(order, clocks):
        return _("急修高峰：请去的人先控险，后修复")
    return _("急修高峰：急修先派，这一单靠后") if surges.waits_behind(order) else ""


def _row(order: Order, found: Suggestions, n: int) -> Suggested:
    choice = found.choices[n]
    worker = found.advice.person(choice)
    return Suggested(
        rank=n + 1,
        worker=choice.worker,
        name=worker.name,
        tier=saying.tier(choice.tier),
        pool=found.pool(choice),
        of=worker.company if worker.company_id != order.company_id else "",
        why=found.why(choice),
        key=uuid.uuid4().hex,
    )


def _options(order: Order, found: Suggestions, now: datetime, *, anybody: bool) -> list[tuple[str, str]]:
    """Whom the form offers: those who can go by rank, then the others; without a company all of the district."""
    advice, ours = found.advice, {choice.worker for choice in found.choices}
    loads = {choice.worker: choice.candidate.load for choice in advice.ranking.ranked}
    rows = [(choice.worker, _said(advice.person(choice).name, "", loads[choice.worker])) for choice in found.choices]
    left = [one for one in advice.ranking.left_out if one.candidate.worker in found.reach]
    left.sort(key=lambda one: (one.why == OFF_DUTY, one.why == NO_SKILL, one.candidate.load, one.candidate.worker))
    rows += [
        (one.candidate.worker, _said(advice.people[one.candidate.worker].name, one.why, one.candidate.load))
        for one in left
    ]
    if anybody:
        known = ours | {one.candidate.worker for one in left}
        more = candidates(None, district=order.district, at=now)[:LISTED]
        rows += [(str(worker.pk), _named(worker)) for worker in more if str(worker.pk) not in known]
    return rows[:LISTED]


def _named(worker: Worker) -> str:
    return f"{worker.name} · {worker.company.name}"


def _said(name: str, why: str, load: int) -> str:
    parts = [name, _("不在班") if why == OFF_DUTY else _("在班")]
    if why and why != OFF_DUTY:
        parts.append(str(saying.LEFT_OUT[why]))
    parts.append(_("手上 %(n)d 单") % {"n": load} if load else _("空闲"))
    return " · ".join(parts)
