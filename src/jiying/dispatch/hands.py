"""Those who could be sent, as the engine wants to know them: skills, duty, load, place.

Read as plain values: hundreds of them are looked at for one order, and rows of models would cost most of the time.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from jiying.dispatch.engine.world import Doing, Spot
from jiying.dispatch.standby.queries import waiting
from jiying.estates.duty import Hours, Switch, is_on, on_until
from jiying.estates.models import Worker
from jiying.estates.queries import duty_of
from jiying.orders.models import Order
from jiying.orders.states import OPEN, State


@dataclass(slots=True)
class Hand:
    """A worker: who they are and for whom they work; what they can do and when; what they have in hand.

    `at` is known only while an order of theirs is active: where they arrived, else where they are going; otherwise
    they are taken to be where they said that they would wait, `waits_at`, or at home, `home_at`.  `orders`: the open
    ones that are theirs, and their states; `arrived`: since when they are at work; `urgent`: the emergencies that they
    have been sent to and have not reached.
    """

    id: str
    name: str
    company_id: uuid.UUID
    company: str
    uscc: str
    organisation_id: uuid.UUID
    skills: frozenset[str]
    home_id: uuid.UUID | None
    home_at: Spot | None
    hours: list[Hours] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)
    orders: dict[uuid.UUID, str] = field(default_factory=dict)
    at: Spot | None = None
    waits_at: Spot | None = None
    doing: Doing = Doing.FREE
    arrived: datetime | None = None
    urgent: set[uuid.UUID] = field(default_factory=set)
    _since: tuple[bool, datetime] | None = None
    _duty: dict[tuple[datetime, tzinfo], tuple[bool, datetime | None]] = field(default_factory=dict)

    def duty(self, now: datetime, zone: tzinfo) -> tuple[bool, datetime | None]:
        """Whether they are at work, and until when; worked out once, however many orders are looked at together."""
        known = self._duty.get((now, zone))
        if known is None:
            on = is_on(self.hours, self.switches, now, zone)
            until = on_until(self.hours, self.switches, now, zone) if on else None
            known = self._duty[now, zone] = on, until
        return known

    @property
    def load(self) -> int:
        """How many open orders they have."""
        return len(self.orders)

    @property
    def place(self) -> Spot | None:
        """Where they are taken to be; None when nobody knows."""
        return self.at or self.waits_at or self.home_at

    def takes(self, order: uuid.UUID, state: str, since: datetime, spot: Spot | None, urgency: str) -> None:
        """Count an open order of theirs, in `state` `since` then, at `spot`."""
        self.orders[order] = state
        if state == State.ON_SITE:
            self.doing, self.arrived = Doing.WORKING, max(self.arrived or since, since)
        elif state in (State.ASSIGNED, State.EN_ROUTE):
            self.doing = Doing.GOING if self.doing is Doing.FREE else self.doing
            if urgency == "emergency":
                self.urgent.add(order)
        if state not in ("on_site", "en_route") or spot is None:
            return
        known = (state == "on_site", since)
        if self._since is None or known > self._since:
            self._since, self.at = known, spot


def read(companies: Iterable[uuid.UUID], now: datetime) -> dict[uuid.UUID, list[Hand]]:
    """The active workers of `companies`, by company.  Five queries."""
    wanted = list(companies)
    columns = (
        *("pk", "name", "company_id", "company__name", "company__uscc", "company__organisation_id", "skills"),
        *("home_estate_id", "home_estate__lon", "home_estate__lat"),
    )
    hands: dict[uuid.UUID, Hand] = {}
    by_company: dict[uuid.UUID, list[Hand]] = defaultdict(list)
    rows = Worker.objects.filter(active=True, company_id__in=wanted).values_list(*columns)
    for pk, name, company, company_name, uscc, body, skills, home, lon, lat in rows:
        hand = Hand(str(pk), name, company, company_name, uscc, body, frozenset(skills), home, spot_of(lon, lat))
        hands[pk] = hand
        by_company[company].append(hand)
    hours, switches = duty_of({"worker__company__in": wanted}, now)
    for key, hand in hands.items():
        hand.hours, hand.switches = hours[key], switches[key]
    busy = Order.objects.filter(worker__company_id__in=wanted, state__in=sorted(OPEN)).order_by()
    held = ("pk", "worker_id", "state", "state_since", "lon", "lat", "urgency")
    for order, worker, state, since, lon, lat, urgency in busy.values_list(*held):
        if worker is not None and worker in hands:
            hands[worker].takes(order, state, since, spot_of(lon, lat), urgency)
    for worker, spot in waiting({"worker__company__in": wanted}, now).items():
        if worker in hands:
            hands[worker].waits_at = spot
    return by_company


def spot_of(lon: float | None, lat: float | None) -> Spot | None:
    """A place, where both numbers are there."""
    return Spot(lon, lat) if lon is not None and lat is not None else None
