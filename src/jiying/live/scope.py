"""May this person see this order?  The same answer as `OrderQuerySet.in_scope`, without a query.

Pure.  The stream asks it for every event and every open page, so it reads plain values; a test holds the
two to each other for every role.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from jiying.orders.models import Order
from jiying.orders.states import State
from jiying.people.scopes import Scope


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides who sees an order: codes, and ids of organisations and users; None where it has none."""

    order: uuid.UUID
    district: str
    state: str
    town: str | None = None
    committee: str | None = None
    estate: str | None = None
    organisation: uuid.UUID | None = None
    worker: uuid.UUID | None = None
    worker_user: uuid.UUID | None = None
    reporter: uuid.UUID | None = None
    asked: frozenset[uuid.UUID] = frozenset()


def facts_of(order: Order) -> Facts:
    """The facts of an order that carries its town, committee, estate, asks, company, and worker with theirs."""
    return Facts(
        order=order.pk,
        district=order.district,
        state=order.state,
        town=order.town.code if order.town else None,
        committee=order.committee.code if order.committee else None,
        estate=order.estate.code if order.estate else None,
        organisation=order.company.organisation_id if order.company else None,
        worker=order.worker_id,
        worker_user=order.worker.user_id if order.worker else None,
        reporter=order.reporter_id,
        asked=order.open_to,
    )


def unassigned(facts: Facts) -> Facts:
    """The same order while it still lay open to all workers of its company."""
    return replace(facts, state=State.SIGNED, worker=None, worker_user=None)


def may_see(scope: Scope, facts: Facts) -> bool:
    """Whether somebody of `scope` sees an order of `facts`.

    >>> town = Scope(uuid.UUID(int=1), towns=frozenset({"310115004"}))
    >>> order = Facts(uuid.UUID(int=2), "310115", "submitted", town="310115004")
    >>> may_see(town, order), may_see(town, replace(order, town="310115130"))
    (True, False)
    """
    if scope.user_id is None:
        return False
    if facts.district in scope.districts or facts.reporter == scope.user_id:
        return True
    if facts.town in scope.towns or facts.committee in scope.committees or facts.estate in scope.owned:
        return True
    if facts.organisation is not None and _from_the_company(scope, facts, facts.organisation):
        return True
    if facts.asked & scope.bodies:
        return True
    return bool(scope.works_for) and facts.worker_user == scope.user_id


def _from_the_company(scope: Scope, facts: Facts, organisation: uuid.UUID) -> bool:
    if organisation in scope.companies:
        return True
    places = scope.managed.get(organisation)
    if places is not None and (not places or facts.estate in places):
        return True
    return organisation in scope.works_for and facts.state == State.SIGNED and facts.worker is None
