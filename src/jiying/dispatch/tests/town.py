"""The tiny district with a dispatcher in it: policies, a station, a centre, and time that is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from jiying.dispatch import loop
from jiying.dispatch.models import Policy
from jiying.estates import actions as estates
from jiying.estates.models import Company, Estate, Worker
from jiying.orders import followers, watcher
from jiying.orders.models import Event, Order
from jiying.orders.tests import build
from jiying.orders.tests.build import SKILLS

T0 = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def automatic(d: build.District, **more: Any) -> Policy:
    """Emergencies are assigned by rule after a minute."""
    plain = {"district": d.division.code, "urgency": "emergency", "mode": "automatic", **more}
    return Policy.objects.create(**plain)


def station(d: build.District, *, tier: str = "station") -> tuple[Company, Worker]:
    """A company with one worker near by, mandated for the town (or as the district's centre)."""
    number = {"station": "91310115MA1K000011", "centre": "91310115MA1K000022"}[tier]
    company = estates.register_company(district=d.division.code, uscc=valid(number), name=f"示例{tier}")
    place = d.town if tier == "station" else d.division
    estates.give_mandate(company, tier, place, since=date(2020, 1, 1))
    return company, hire(d, company, tier, home=d.estate)


def valid(base: str) -> str:
    from stdnum.cn import uscc

    return base[:17] + str(uscc.calc_check_digit(base[:17]))


def hire(d: build.District, company: Company, name: str, *, home: Estate | None = None, **more: Any) -> Worker:
    """Somebody who can do everything, around the clock."""
    plain = {"skills": SKILLS, "shifts": [(0, 1440)], "known_skills": SKILLS, **more}
    return estates.hire(company, name=name, home=home, **plain)


def after(minutes: float) -> datetime:
    """So long after `T0`."""
    return T0 + timedelta(minutes=minutes)


def let_it_work(now: datetime) -> int:
    """What falls due is written, the followers read to the end, then the dispatcher does what is due."""
    watcher.sweep(now)
    followers.catch_up()
    sent = loop.sweep(now)
    followers.catch_up()
    return sent


def assigned(order: Order) -> list[tuple[str, str]]:
    """Who was sent, and in which role it was said."""
    events = Event.objects.filter(order=order, verb__in=("assign", "take")).order_by("version")
    return [(event.data["worker"], event.role) for event in events]


def fresh(order: Order) -> Order:
    """As it now is."""
    return Order.objects.get(pk=order.pk)
