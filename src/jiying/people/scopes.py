"""What a user may see, as plain sets.

`Scope` is the one answer to "who is this": every queryset's `visible_to(user)` and every permission check
reads it.  It is made once per request and kept on the user object.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from jiying.people.models import User

DISTRICT_WIDE = frozenset({"operator", "supervisor", "district"})
ANSWERING = frozenset({"supervisor", "district"})
"""Who answers for what is decided in a district."""

CENTRE = frozenset({"operator", "supervisor"})
"""Who speaks for a district's command centre."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The roles a user holds today and where each of them reaches.

    `districts` come from roles that see a whole district: `answered` of these from `ANSWERING`, `centred` from
    `CENTRE`, and `led` from the role `district` alone; `towns` and `committees` are division codes; `companies` are
    organisation ids seen whole; `managed` maps an organisation id to the estate codes that a manager is bound to
    (empty: all); `owned` are the estate codes of an owners' committee; `works_for` are the organisation ids a worker
    serves.
    """

    user_id: uuid.UUID | None
    roles: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    centred: frozenset[str] = frozenset()
    led: frozenset[str] = frozenset()
    towns: frozenset[str] = frozenset()
    committees: frozenset[str] = frozenset()
    owned: frozenset[str] = frozenset()
    companies: frozenset[uuid.UUID] = frozenset()
    managed: dict[uuid.UUID, frozenset[str]] = field(default_factory=dict)
    works_for: frozenset[uuid.UUID] = frozenset()

    @property
    def reaches_parts(self) -> bool:
        """Whether some membership reaches less than a district: a town, an estate, a company."""
        return bool(self.towns or self.committees or self.owned or self.companies or self.managed or self.works_for)

    @property
    def desks(self) -> frozenset[uuid.UUID]:
        """The companies whose desk they are, seen whole or managed, be it for some estates alone."""
        return self.companies.union(self.managed)

    @property
    def bodies(self) -> frozenset[uuid.UUID]:
        """The companies they speak for as a whole: a manager bound to some estates speaks for none."""
        return self.companies.union(body for body, places in self.managed.items() if not places)

    @property
    def serves_a_company(self) -> bool:
        """Whether they stand on the serving side, which may never verify or close."""
        return bool(self.roles & {"worker", "manager", "company"})


NOBODY = Scope(user_id=None)


def scope_of(user: User | AnonymousUser) -> Scope:
    """The scope of `user` today; a stranger's is empty."""
    if not user.is_authenticated:
        return NOBODY
    kept: Scope | None = getattr(user, "_scope", None)
    if kept is None:
        kept = _read(user)
        user._scope = kept  # type: ignore[attr-defined]
    return kept


def _read(user: User) -> Scope:
    members = user.memberships.valid_on(timezone.localdate()).select_related("organisation")
    sets: dict[str, set[str]] = {"roles": {"resident"}, "districts": set(), "towns": set(), "committees": set()}
    answered: set[str] = set()
    centred: set[str] = set()
    led: set[str] = set()
    owned: set[str] = set()
    companies: set[uuid.UUID] = set()
    works_for: set[uuid.UUID] = set()
    managed: dict[uuid.UUID, frozenset[str]] = {}
    for member in members if user.is_active else ():
        role, organisation = member.role, member.organisation
        sets["roles"].add(role)
        if organisation is None:
            continue
        if role in DISTRICT_WIDE:
            sets["districts"].add(organisation.district)
            if role in ANSWERING:
                answered.add(organisation.district)
            if role in CENTRE:
                centred.add(organisation.district)
            if role == "district":
                led.add(organisation.district)
        elif role == "town":
            sets["towns"].add(organisation.code)
        elif role == "committee":
            (
                owned.update(member.places)
                if organisation.kind == "owners"
                else sets["committees"].add(organisation.code)
            )
        elif role == "company":
            companies.add(organisation.id)
        elif role == "manager":
            managed[organisation.id] = frozenset(member.places)
        elif role == "worker":
            works_for.add(organisation.id)
    return Scope(
        user_id=user.id,
        roles=frozenset(sets["roles"]),
        districts=frozenset(sets["districts"]),
        answered=frozenset(answered),
        centred=frozenset(centred),
        led=frozenset(led),
        towns=frozenset(sets["towns"]),
        committees=frozenset(sets["committees"]),
        owned=frozenset(owned),
        companies=frozenset(companies),
        managed=managed,
        works_for=frozenset(works_for),
    )
