"""From an audience to people: everybody's memberships towards many orders, in one query.

An order without a serving company is the town's, so what would tell the company tells the town.  An event
that would reach nobody, because every post is vacant, tells the centre.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils import timezone

from jiying.notices.telling import REPLACED
from jiying.orders.models import Order
from jiying.people.models import Membership

Person = tuple[uuid.UUID, str]
"""A user's id, and the audience in which they are told."""

_WHOLE_DISTRICT = {"operator": "centre", "supervisor": "supervisor", "district": "district"}
_OF_THE_COMPANY = frozenset({"front_desk", "manager", "company", "worker"})


@dataclass(slots=True)
class Directory:
    """Who is who for a set of orders."""

    desks: dict[tuple[uuid.UUID, str], list[uuid.UUID]] = field(default_factory=lambda: defaultdict(list))
    managers: dict[uuid.UUID, list[tuple[uuid.UUID, frozenset[str]]]] = field(default_factory=lambda: defaultdict(list))
    offices: dict[tuple[str, str], list[uuid.UUID]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, orders: Iterable[Order]) -> Directory:
        """The directory for `orders`, which carry company, town and committee.  One query."""
        orders = list(orders)
        companies = {order.company.organisation_id for order in orders if order.company}
        towns = {order.town.code for order in orders if order.town}
        committees = {order.committee.code for order in orders if order.committee}
        reach = (
            Q(role__in=("company", "manager"), organisation_id__in=companies)
            | Q(role="town", organisation__kind="town", organisation__code__in=towns)
            | Q(role="committee", organisation__kind="committee", organisation__code__in=committees)
            | Q(role__in=_WHOLE_DISTRICT, organisation__district__in={order.district for order in orders})
        )
        found = cls()
        members = Membership.objects.valid_on(timezone.localdate()).filter(reach, user__is_active=True)
        for member in members.select_related("organisation").order_by("user_id"):
            found._add(member)
        return found

    def _add(self, member: Membership) -> None:
        body = member.organisation
        if body is None:
            return
        if member.role == "company":
            self.desks[body.id, member.duty].append(member.user_id)
        elif member.role == "manager":
            self.managers[body.id].append((member.user_id, frozenset(member.places)))
        elif member.role in _WHOLE_DISTRICT:
            self.offices[_WHOLE_DISTRICT[member.role], body.district].append(member.user_id)
        else:
            self.offices[member.role, body.code].append(member.user_id)

    def people(
        self,
        order: Order,
        audiences: Sequence[str],
        worker_user: uuid.UUID | None,
        replaced_user: uuid.UUID | None = None,
    ) -> list[Person]:
        """Those to tell, each once, in the first audience they stand in.

        `worker_user`: who is sent; `replaced_user`: who was sent before and need not go.
        """
        told: dict[uuid.UUID, str] = {}
        for audience in audiences:
            if audience == REPLACED:
                if replaced_user is not None:
                    told.setdefault(replaced_user, REPLACED)
                continue
            users, why = self._of(order, audience, worker_user)
            for user in users:
                told.setdefault(user, why)
        if not told:
            told = dict.fromkeys(self._office("centre", order.district), "centre")
        return list(told.items())

    def _of(self, order: Order, audience: str, worker_user: uuid.UUID | None) -> tuple[list[uuid.UUID], str]:
        if audience == "worker":
            return ([worker_user] if worker_user else []), audience
        if audience in _OF_THE_COMPANY and order.company is None:
            audience = "town"
        if order.company is not None and audience in _OF_THE_COMPANY:
            return self._in_company(order.company.organisation_id, order, audience), audience
        # Other tiers have no people of their own yet; the centre sends whoever is free.
        office = "centre" if audience == "next_tier" else audience
        code = {
            "town": order.town.code if order.town else "",
            "committee": order.committee.code if order.committee else "",
        }.get(office, order.district)
        return self._office(office, code), office

    def _office(self, audience: str, code: str) -> list[uuid.UUID]:
        return self.offices.get((audience, code), [])

    def _in_company(self, company: uuid.UUID, order: Order, audience: str) -> list[uuid.UUID]:
        if audience == "manager":
            estate = order.estate.code if order.estate else ""
            return [user for user, places in self.managers.get(company, []) if not places or estate in places]
        duty = "front_desk" if audience == "front_desk" else "duty_manager"
        everybody = [user for (body, _duty), users in self.desks.items() if body == company for user in users]
        return self.desks.get((company, duty)) or everybody
