"""Who acts on an order, and in which roles they stand to it.

A user may be several things at once; towards one order only those count that reach it.  Whoever serves the
order's company never verifies or closes it, whatever else they are.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jiying.orders.states import IMPORT, RULE
from jiying.people.scopes import DISTRICT_WIDE, NOBODY, Scope, scope_of

if TYPE_CHECKING:
    from jiying.orders.models import Order

JUDGING = frozenset({"verify", "close", "confirm", "approve_pause", "reopen", "rate", "reclassify", "arrive"})
"""Verbs by which others judge the serving company's work, loosen its limits, or vouch for its arrival."""

#: When somebody holds several roles, the event names the first of these that the verb allows.
_PRECEDENCE = (
    "worker",
    "manager",
    "company",
    "committee",
    "operator",
    "supervisor",
    "town",
    "district",
    "helper",
    "owners",
    "resident",
    IMPORT,
    RULE,
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: a signed-in user, the holder of an order's tracking link (`track`), an import by its id, or a
    dated rule by its name (`rule`), which acts without a person and towards every order.
    """

    scope: Scope
    name: str = ""
    track: bool = False
    staff: bool = False
    importing: str = ""
    rule: str = ""

    @classmethod
    def of(cls, user: Any) -> Actor:
        """The actor behind a (possibly anonymous) user."""
        scope = scope_of(user)
        name = str(user) if scope.user_id else ""
        return cls(scope=scope, name=name, staff=bool(scope.roles - {"resident"}))

    @property
    def code(self) -> str:
        """How events name them: the user's id, `import:ID`, `rule:NAME`, or "" for a resident without an account."""
        if self.importing:
            return f"{IMPORT}:{self.importing}"
        if self.rule:
            return f"{RULE}:{self.rule}"
        return str(self.scope.user_id) if self.scope.user_id else ""


STRANGER = Actor(scope=NOBODY)
TRACKER = Actor(scope=NOBODY, track=True)


def roles_towards(order: Order, actor: Actor) -> frozenset[str]:
    """The roles in which `actor` stands to `order`; `town`, `committee`, `company`, `estate` are joined."""
    if actor.importing:
        return frozenset({IMPORT})
    scope = actor.scope
    if actor.rule:
        return frozenset({RULE})
    roles: set[str] = set()
    if actor.track or (scope.user_id and order.reporter_id == scope.user_id):
        roles.add("resident")
    if order.district in scope.districts:
        roles |= scope.roles & DISTRICT_WIDE
    if order.town is not None and order.town.code in scope.towns:
        roles.add("town")
    if order.committee is not None and order.committee.code in scope.committees:
        roles.add("committee")
    estate = order.estate.code if order.estate is not None else ""
    if estate and estate in scope.owned:
        roles.add("owners")
    if order.company is not None:
        organisation = order.company.organisation_id
        if organisation in scope.companies:
            roles.add("company")
        places = scope.managed.get(organisation)
        if places is not None and (not places or estate in places):
            roles.add("manager")
        if organisation in scope.works_for and order.worker is None:
            roles.add("worker")
    if not roles & {"company", "manager"} and helping(order, scope):
        roles.add("helper")
    if order.worker is not None and scope.user_id and order.worker.user_id == scope.user_id:
        roles.add("worker")
    return frozenset(roles)


def helping(order: Order, scope: Scope) -> frozenset[uuid.UUID]:
    """The companies that somebody of `scope` speaks for and that are asked to help with `order`."""
    bodies = scope.bodies
    return bodies & order.open_to if bodies else frozenset()


def sees(order: Order, actor: Actor, state: str) -> bool:
    """Whether `actor` has the order in scope while it is in `state`: `OrderQuerySet.in_scope` for one in memory."""
    roles = roles_towards(order, actor)
    if roles == {"worker"} and order.worker is None:
        # What waits to be taken; before it is signed for, and after it was given back, it is the desk's.
        return state == "signed"
    return bool(roles)


def serves(order: Order, actor: Actor) -> bool:
    """Whether `actor` belongs to the company that serves `order`, or to the one whose worker was sent."""
    scope = actor.scope
    if order.worker is not None and order.worker.user_id and order.worker.user_id == scope.user_id:
        return True
    if not (scope.companies or scope.managed or scope.works_for):
        return False
    serving = {order.company.organisation_id} if order.company is not None else set()
    if order.worker is not None and order.worker.company_id != order.company_id:
        serving.add(order.worker.company.organisation_id)
    return any(one in scope.companies or one in scope.managed or one in scope.works_for for one in serving)


def speaking_as(verb_roles: frozenset[str], roles: frozenset[str]) -> str:
    """The role an event names when somebody holding `roles` says a verb open to `verb_roles`."""
    return next(role for role in _PRECEDENCE if role in verb_roles & roles)


def roles_for(verb: str, order: Order, actor: Actor) -> frozenset[str]:
    """The roles that count for `verb`: none of the judging ones for the company that did the work."""
    roles = roles_towards(order, actor)
    if verb in JUDGING and serves(order, actor):
        roles -= {"committee", "operator", "town", "resident"}
    return roles
