"""From an audience to people: everybody's memberships towards many orders, in one query.

At night whoever the duty roster names stands for an audience where the matter cannot wait; where it names nobody,
everybody does, as by day.  The next tier is the companies that were asked (`orders.Ask`).  An order without a serving
company is the town's, so what would tell the company tells the town.  An event that would reach nobody, because every
post is vacant, tells the centre.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from jiying.estates.queries import nights_of
from jiying.notices.telling import REPLACED
from jiying.orders.asking import NEXT_TIER, tells_next_tier
from jiying.orders.models import Ask, Event, Order
from jiying.people import rosters
from jiying.people.models import Membership, NightDuty

_WHOLE_DISTRICT = {"operator": "centre", "supervisor": "supervisor", "district": "district"}
_OF_THE_COMPANY = frozenset({"front_desk", "manager", "company"})


class Person(NamedTuple):
    """Somebody to tell: a user's id, the audience in which they are told, and whether the roster named them."""

    user: uuid.UUID
    why: str
    on_duty: bool = False


@dataclass(slots=True)
class Directory:
    """Who is who for a set of orders."""

    desks: dict[tuple[uuid.UUID, str], list[uuid.UUID]] = field(default_factory=lambda: defaultdict(list))
    managers: dict[uuid.UUID, list[tuple[uuid.UUID, frozenset[str]]]] = field(default_factory=lambda: defaultdict(list))
    offices: dict[tuple[str, str], list[uuid.UUID]] = field(default_factory=lambda: defaultdict(list))
    bodies: dict[tuple[str, str], set[uuid.UUID]] = field(default_factory=lambda: defaultdict(set))
    roles: dict[tuple[uuid.UUID, uuid.UUID], list[tuple[str, frozenset[str]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    asked: dict[uuid.UUID, list[uuid.UUID]] = field(default_factory=lambda: defaultdict(list))
    rosters: dict[tuple[uuid.UUID, str], list[NightDuty]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, orders: Iterable[Order], events: Sequence[Event] = (), *, now: datetime | None = None) -> Directory:
        """The directory for `orders`, which carry company, town and committee, at the times of `events`, or `now`.

        One query; one more where it is night, and one where the next tier is asked.
        """
        orders, found = list(orders), cls()
        asks = [event.id for event in events if tells_next_tier(event.verb, event.data)]
        if asks:
            for event, body in Ask.objects.filter(event__in=asks).order_by("pk").values_list("event", "organisation"):
                found.asked[event].append(body)
        companies = {order.company.organisation_id for order in orders if order.company}
        companies.update(body for bodies in found.asked.values() for body in bodies)
        towns = {order.town.code for order in orders if order.town}
        committees = {order.committee.code for order in orders if order.committee}
        reach = (
            Q(role__in=("company", "manager"), organisation_id__in=companies)
            | Q(role="town", organisation__kind="town", organisation__code__in=towns)
            | Q(role="committee", organisation__kind="committee", organisation__code__in=committees)
            | Q(role__in=_WHOLE_DISTRICT, organisation__district__in={order.district for order in orders})
        )
        members = Membership.objects.valid_on(timezone.localdate()).filter(reach, user__is_active=True)
        for member in members.select_related("organisation").order_by("user_id"):
            found._add(member)
        moments = [event.received_at for event in events] or [now or timezone.now()]
        found._read_rosters({order.district for order in orders}, moments)
        return found

    def _add(self, member: Membership) -> None:
        body = member.organisation
        if body is None:
            return
        self.roles[body.id, member.user_id].append((member.role, frozenset(member.places)))
        if member.role == "company":
            self.desks[body.id, member.duty].append(member.user_id)
        elif member.role == "manager":
            self.managers[body.id].append((member.user_id, frozenset(member.places)))
        else:
            audience = _WHOLE_DISTRICT.get(member.role, member.role)
            place = body.district if member.role in _WHOLE_DISTRICT else body.code
            self.offices[audience, place].append(member.user_id)
            self.bodies[audience, place].add(body.id)

    def _read_rosters(self, districts: Iterable[str], moments: Sequence[datetime]) -> None:
        """The lines that may hold at `moments`; none are read by day."""
        nights = [nights_of(district) for district in districts]
        dark = [at for at in moments if any(one.of(at) is not None for one in nights)]
        if dark:
            for row in rosters.between(
                {body for body, _user in self.roles}, min(dark), max(dark) + timedelta.resolution
            ):
                self.rosters[row.organisation_id, row.duty].append(row)

    def people(
        self,
        order: Order,
        audiences: Sequence[str],
        worker_user: uuid.UUID | None,
        replaced_user: uuid.UUID | None = None,
        *,
        at: datetime,
        event: uuid.UUID | None = None,
        waits: bool = False,
    ) -> list[Person]:
        """Those to tell at `at`, each once, in the first audience they stand in.

        `waits`: it can wait for the morning, so those of the day are told, whoever is on duty.
        `worker_user`: who is sent; `replaced_user`: who was sent before and need not go; `event`: by which the next
        tier is asked.
        """
        told: dict[uuid.UUID, Person] = {}
        night = not waits and nights_of(order.district).of(at) is not None
        for audience in audiences:
            if audience == REPLACED:
                found = [Person(replaced_user, REPLACED)] if replaced_user is not None else []
            elif audience == "worker":
                found = [Person(worker_user, audience)] if worker_user else []
            else:
                found = self._of(order, audience, at if night else None, event)
            for person in found:
                told.setdefault(person.user, person)
        return list(told.values()) or self._of(order, "centre", at if night else None, None)

    def _of(self, order: Order, audience: str, night: datetime | None, event: uuid.UUID | None) -> list[Person]:
        """The people of an audience; `night`: the time, where it is night."""
        if audience == NEXT_TIER and event is not None:
            found = [one for body in self.asked.get(event, ()) for one in self._asked(body, order, night)]
            if found:
                return found
        if audience in _OF_THE_COMPANY and order.company is None:
            audience = "town"
        if order.company is not None and audience in _OF_THE_COMPANY:
            return self._in_company(order.company.organisation_id, order, audience, night)
        # Beyond the last tier the centre sends whoever is free.
        office = "centre" if audience == NEXT_TIER else audience
        code = {
            "town": order.town.code if order.town else "",
            "committee": order.committee.code if order.committee else "",
        }.get(office, order.district)
        named = self._rostered(self.bodies.get((office, code), ()), office, order, night)
        return _as(named or self.offices.get((office, code), []), office, on_duty=bool(named))

    def _in_company(self, company: uuid.UUID, order: Order, audience: str, night: datetime | None) -> list[Person]:
        duty = "front_desk" if audience == "front_desk" else "manager"
        if named := self._rostered([company], duty, order, night):
            return _as(named, audience, on_duty=True)
        if audience == "manager":
            return _as([user for user, places in self.managers.get(company, []) if _here(order, places)], audience)
        return _as(self._desk(company, "front_desk" if audience == "front_desk" else "duty_manager"), audience)

    def _asked(self, company: uuid.UUID, order: Order, night: datetime | None) -> list[Person]:
        """The desk of a company of another tier: those who see the order because it was asked."""
        if named := self._rostered([company], "front_desk", order, night, whole=True):
            return _as(named, NEXT_TIER, on_duty=True)
        return _as(self._desk(company, "front_desk"), NEXT_TIER)

    def _desk(self, company: uuid.UUID, duty: str) -> list[uuid.UUID]:
        everybody = [user for (body, _duty), users in self.desks.items() if body == company for user in users]
        return self.desks.get((company, duty)) or everybody

    def _rostered(
        self, bodies: Iterable[uuid.UUID], duty: str, order: Order, night: datetime | None, *, whole: bool = False
    ) -> list[uuid.UUID]:
        """Whom the rosters name, of those who still belong there and see the order.

        `whole`: only who speaks for the company as a whole sees it, and lines for some estates are about others.
        """
        if night is None:
            return []
        return [
            row.user_id
            for body in bodies
            for row in self.rosters.get((body, duty), ())
            if row.starts_at <= night < row.ends_at
            and (not row.places if whole else _here(order, frozenset(row.places)))
            and self._may(body, row.user_id, duty, order, whole=whole)
        ]

    def _may(self, body: uuid.UUID, user: uuid.UUID, duty: str, order: Order, *, whole: bool) -> bool:
        return any(
            role in rosters.DUTIES[duty] and (role != "manager" or (not places if whole else _here(order, places)))
            for role, places in self.roles.get((body, user), ())
        )


def _here(order: Order, places: frozenset[str]) -> bool:
    """Whether somebody bound to `places` (none: bound to none) answers for the order's estate."""
    return not places or (order.estate is not None and order.estate.code in places)


def _as(users: Iterable[uuid.UUID], why: str, *, on_duty: bool = False) -> list[Person]:
    return [Person(user, why, on_duty) for user in users]
