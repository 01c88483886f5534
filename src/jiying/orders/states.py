"""The states of an order, and the verbs that lead from one to the next.

Pure: knows no database and no clock.  One table says everything: who may say which verb, from where, to
where, and which milestone it reaches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    SUBMITTED = "submitted"
    SIGNED = "signed"
    ASSIGNED = "assigned"
    EN_ROUTE = "en_route"
    ON_SITE = "on_site"
    DONE = "done"
    VERIFIED = "verified"
    CLOSED = "closed"
    PAUSED = "paused"
    RETURNED = "returned"
    REFUSED = "refused"
    CANCELLED = "cancelled"


WAITING = frozenset({State.SUBMITTED, State.SIGNED, State.RETURNED})
BEFORE_ARRIVAL = WAITING | {State.ASSIGNED, State.EN_ROUTE}
WORKING = BEFORE_ARRIVAL | {State.ON_SITE}
OPEN = WORKING | {State.PAUSED}
IN_HAND = frozenset({State.ASSIGNED, State.EN_ROUTE, State.ON_SITE})
ON_THE_WAY = frozenset({State.EN_ROUTE, State.ON_SITE})
AFTER_WORK = frozenset({State.DONE, State.VERIFIED, State.CLOSED})
ENDED = frozenset({State.CLOSED, State.REFUSED, State.CANCELLED})
ALL = frozenset(State)

RESUMED = "resumed"
"""Target of `resume`: the state the order was in when it was paused."""

RULE = "rule"
"""The role of a dated rule, which acts without a person."""

IMPORT = "import"
"""The role of an import, which says what happened to an order while another system held it."""

PEOPLE = frozenset(
    {
        *("resident", "worker", "manager", "company", "helper"),
        *("committee", "town", "operator", "supervisor", "district", "owners"),
    }
)
"""All roles of people; `owners` is an owners' committee, which reads and speaks but decides nothing; `helper` a company
of another tier that was asked, which may send a worker of its own."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: `verb`, said by one of `roles`, leads from any of `sources` to `target`.

    `target` None: the state stays.  `reaches` is the milestone of the event.  `once`: not again in the same
    round once its milestone is reached.  `kinds` narrows the row to some kinds of orders.
    """

    verb: str
    sources: frozenset[State]
    target: State | str | None
    roles: frozenset[str]
    reaches: str | None = None
    once: bool = False
    kinds: frozenset[str] | None = None


def _row(
    verb: str,
    sources: Iterable[State],
    target: State | str | None,
    roles: str,
    reaches: str | None = None,
    once: bool = False,
    kinds: frozenset[str] | None = None,
) -> Transition:
    named = PEOPLE if roles == "all" else frozenset(roles.split())
    return Transition(verb, frozenset(sources), target, named, reaches, once, kinds)


DESK_WORK = frozenset({"complaint", "enquiry", "suggestion", "praise"})
"""Kinds that are often settled without going there; a repair is done where it is broken."""

FIELD_WORK = frozenset({"repair", "rectification"})


S = State
TABLE: tuple[Transition, ...] = (
    _row("sign", {S.SUBMITTED, S.RETURNED}, S.SIGNED, "company operator import", "signed"),
    # The centre may assign first; that is not signing, so the company still signs what it was given.
    _row("sign", {S.ASSIGNED, S.EN_ROUTE, S.ON_SITE}, None, "company operator", "signed", once=True),
    _row("return", {S.SUBMITTED, S.SIGNED, S.ASSIGNED, S.EN_ROUTE}, S.RETURNED, "company operator"),
    _row("refuse", WAITING, S.REFUSED, "company operator import"),
    # A rule assigns what nobody has and replaces who has not set off, or is on the way far longer than it takes.
    # Who was asked for help sends somebody of their own, whether or not the company ever signed.
    _row("assign", {S.SIGNED, S.ASSIGNED}, S.ASSIGNED, "manager company operator helper rule", "assigned"),
    _row("assign", {S.EN_ROUTE}, S.ASSIGNED, "manager company operator rule", "assigned"),
    _row("assign", {S.ON_SITE}, S.ASSIGNED, "manager company operator", "assigned"),
    _row("assign", {S.SUBMITTED, S.RETURNED}, S.ASSIGNED, "operator helper rule", "assigned"),
    _row("take", {S.SIGNED}, S.ASSIGNED, "worker", "assigned"),
    _row("contact", OPEN, None, "worker operator import", "contacted", once=True),
    _row("depart", {S.ASSIGNED}, S.EN_ROUTE, "worker operator", "departed"),
    _row("arrive", {S.ASSIGNED, S.EN_ROUTE}, S.ON_SITE, "worker operator import", "arrived"),
    # Another system's ledger knows some moments and not others: what it leaves out is skipped, not made up.
    _row("arrive", WAITING, S.ON_SITE, "import", "arrived"),
    _row("make_safe", {S.ON_SITE}, None, "worker operator", "made_safe", once=True),
    _row("done", {S.ON_SITE}, S.DONE, "worker operator import", "done"),
    _row("done", {S.ASSIGNED, S.EN_ROUTE}, S.DONE, "worker operator import", "done", kinds=DESK_WORK),
    _row("done", {S.ASSIGNED, S.EN_ROUTE}, S.DONE, "import", "done", kinds=FIELD_WORK),
    _row("done", WAITING, S.DONE, "import", "done"),
    _row("solve_remotely", BEFORE_ARRIVAL, S.DONE, "worker manager operator", "done"),
    _row("pause", {S.SIGNED, S.ASSIGNED, S.EN_ROUTE, S.ON_SITE}, S.PAUSED, "worker manager"),
    _row("approve_pause", {S.PAUSED}, None, "committee town operator"),
    _row("resume", {S.PAUSED}, RESUMED, "worker manager committee town operator rule"),
    _row("confirm", {S.DONE}, S.VERIFIED, "resident", "verified"),
    _row("verify", {S.DONE}, S.VERIFIED, "committee operator rule", "verified"),
    _row("close", {S.VERIFIED}, S.CLOSED, "operator committee rule import", "closed"),
    _row("close", {S.DONE}, S.CLOSED, "import", "closed"),
    _row("reopen", AFTER_WORK, S.ASSIGNED, "resident committee operator"),
    _row("rate", AFTER_WORK, None, "resident", "rated", once=True),
    _row("reclassify", OPEN, None, "operator"),
    _row("supervise", OPEN | {S.DONE}, None, "town operator district"),
    _row("urge", OPEN, None, "all"),
    _row("note", ALL, None, "all"),
    _row("cancel", BEFORE_ARRIVAL | {S.PAUSED}, S.CANCELLED, "resident import"),
)

VERBS: tuple[str, ...] = tuple(dict.fromkeys(row.verb for row in TABLE))
MILESTONES = (
    "reported",
    "signed",
    "assigned",
    "contacted",
    "departed",
    "arrived",
    "made_safe",
    "done",
    "verified",
    "closed",
    "rated",
)

ON_BEHALF = frozenset({"depart", "contact", "arrive", "make_safe", "done"})
"""What an operator may record for a worker who telephones; the event says so."""

OBSERVATIONS = frozenset(
    {"warn", "breach", "escalate", "wrong_code", "attach", "erase", "ask_centre", "explain", "repack"}
)
"""Events beside the verbs, which the system adds by itself (a photo that came or was erased among them, another rule
pack): they move no state and make nobody's version stale."""

MESSAGES = frozenset({"urge", "note", "supervise", "approve_pause"})
"""Words about an order rather than moments of it: they do not bound the `at` of what follows."""

_BY_VERB: dict[str, tuple[Transition, ...]] = {verb: tuple(row for row in TABLE if row.verb == verb) for verb in VERBS}


def rows_of(verb: str) -> tuple[Transition, ...]:
    """The rows of one verb; empty for an unknown verb."""
    return _BY_VERB.get(verb, ())


def roles_of(verb: str) -> frozenset[str]:
    """Who may ever say `verb`."""
    return frozenset().union(*(row.roles for row in rows_of(verb)))


def find(
    verb: str, state: State, roles: frozenset[str], reached: frozenset[str] | set[str], kind: str
) -> Transition | None:
    """The row by which somebody holding `roles` may say `verb` about an order of `kind` in `state`, or None.

    `reached` are the milestones already reached in this round.
    """
    for row in rows_of(verb):
        if (
            state in row.sources
            and row.roles & roles
            and (row.kinds is None or kind in row.kinds)
            and not (row.once and row.reaches in reached)
        ):
            return row
    return None


def possible(state: State, roles: frozenset[str], reached: frozenset[str] | set[str], kind: str) -> list[str]:
    """The verbs that somebody holding `roles` may say in `state`, in the order of the table.

    >>> possible(State.SUBMITTED, frozenset({"company"}), frozenset(), "repair")
    ['sign', 'return', 'refuse', 'urge', 'note']
    """
    return [verb for verb in VERBS if find(verb, state, roles, reached, kind)]
