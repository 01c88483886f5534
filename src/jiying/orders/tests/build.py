"""A tiny district for tests: two of everything, so that "another town's" is always at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from jiying.estates import actions as estates
from jiying.estates.models import Building, Company, Division, Estate, Level, Worker
from jiying.orders.actions import act
from jiying.orders.actors import STRANGER, TRACKER, Actor
from jiying.orders.intake import NewOrder, accept_one
from jiying.orders.models import Order
from jiying.people.actions import join
from jiying.people.models import Organisation, User

SKILLS = ("water", "electric", "lift", "lock", "fire", "general")


@dataclass
class District:
    """What `district()` builds; names ending in 2 lie in the other town and company."""

    division: Division
    town: Division
    town2: Division
    committee: Division
    committee2: Division
    estate: Estate
    estate2: Estate
    orphan: Estate
    building: Building
    company: Company
    company2: Company
    worker: Worker
    worker2: Worker
    mate: Worker
    users: dict[str, User] = field(default_factory=dict)

    def actor(self, role: str) -> Actor:
        """The actor of a role: `"company"`, `"company-2"`, …; `"track"` and `"stranger"` too."""
        special = {"track": TRACKER, "stranger": STRANGER}
        return special.get(role) or Actor.of(User.objects.get(pk=self.users[role].pk))


def district(code: str = "310115") -> District:
    """Two towns with a committee, an estate, a company and its people each; `orphan` has no contract."""
    top = _division(code, "浦东", Level.DISTRICT, None, 121.60, 31.15, timezone="Asia/Shanghai")
    town = _division(f"{code}004", "潍坊新村街道", Level.TOWN, top, 121.519, 31.225)
    town2 = _division(f"{code}130", "三林镇", Level.TOWN, top, 121.499, 31.144)
    committee = _division(f"{code}004001", "潍坊一村居委会", Level.COMMITTEE, town)
    committee2 = _division(f"{code}130001", "三林苑居委会", Level.COMMITTEE, town2)
    estate = _estate("E1", "潍坊花园", town, committee, 121.520, 31.222)
    estate2 = _estate("E2", "三林花园", town2, committee2, 121.500, 31.145)
    orphan = _estate("E3", "无主小区", town, committee, 121.521, 31.223)
    company = estates.register_company(district=code, uscc="91110000600037341L", name="示例物业一")
    company2 = estates.register_company(district=code, uscc="91310000MA1FL0000N", name="示例物业二")
    for serving, place in ((company, estate), (company2, estate2)):
        estates.sign_contract(serving, place, since=date(2020, 1, 1))
    users = {
        f"{role}{suffix}": User.objects.create(username=f"{role}{suffix}", name=f"{role}{suffix}")
        for suffix in ("", "-2")
        for role in (
            "resident", "worker", "manager", "company", "committee", "town", "operator", "supervisor", "district"
        )
    }  # fmt: skip
    for suffix, at, serving, place in (("", town, company, estate), ("-2", town2, company2, estate2)):
        _staff(users, suffix, at, serving, place, code if not suffix else f"{code}-elsewhere")
    workers = [
        estates.hire(serving, name=name, skills=SKILLS, shifts=[(0, 1440)], known_skills=SKILLS, home=place, user=user)
        for serving, name, place, user in (
            (company, "王师傅", estate, users["worker"]),
            (company2, "李师傅", estate2, users["worker-2"]),
            (company, "赵师傅", estate, None),
        )
    ]
    building = Building.objects.create(estate=estate, name="1号楼")
    return District(
        top, town, town2, committee, committee2, estate, estate2, orphan, building, company, company2, *workers, users
    )


def _staff(
    users: dict[str, User], suffix: str, town: Division, company: Company, estate: Estate, district: str
) -> None:
    offices = {
        "committee": ("committee", estate.committee.code if estate.committee else "", district),
        "town": ("town", town.code, district),
        "operator": ("centre", district, district),
        "supervisor": ("centre", district, district),
        "district": ("district", district, district),
    }
    for role, (kind, code, where) in offices.items():
        office, _new = Organisation.objects.get_or_create(
            kind=kind, code=code, defaults={"name": f"{kind} {code}", "district": where}
        )
        join(users[role + suffix], office, role)
    for role in ("worker", "company"):
        join(users[role + suffix], company.organisation, role)
    join(users["manager" + suffix], company.organisation, "manager", places=(estate.code,))


def _division(code: str, name: str, level: str, parent: Any, lon: Any = None, lat: Any = None, **more: Any) -> Division:
    return Division.objects.create(code=code, name=name, level=level, parent=parent, lon=lon, lat=lat, **more)


def _estate(code: str, name: str, town: Division, committee: Division, lon: float, lat: float) -> Estate:
    top = town.parent
    assert top is not None
    return Estate.objects.create(
        code=code, name=name, district=top.code, town=town, committee=committee, lon=lon, lat=lat, households=500
    )


def report(d: District, *, by: Actor = STRANGER, now: datetime | None = None, **fields: Any) -> Order:
    """One new order at `d.estate`, an emergency leak unless said otherwise."""
    fields = {"category": "leak", "description": "厨房水管爆了", "estate": d.estate.code, **fields}
    order, _new = accept_one(NewOrder(**fields), by=by, caller="test", now=now)
    return order


#: Who says what on the usual way of an order.
WAY: dict[str, str] = {
    "sign": "company", "assign": "company", "contact": "worker", "depart": "worker", "arrive": "worker",
    "make_safe": "worker", "done": "worker", "confirm": "track", "verify": "committee", "close": "operator",
    "rate": "track", "reopen": "track", "take": "worker", "pause": "worker", "resume": "worker", "cancel": "track",
}  # fmt: skip


def walk(d: District, order: Order, *verbs: str, now: datetime | None = None) -> Order:
    """Take `order` along `verbs`, each said by who usually says it, all at `now`."""
    defaults: dict[str, dict[str, Any]] = {
        "assign": {"worker": str(d.worker.pk)},
        "rate": {"satisfaction": "satisfied", "solved": True},
        "reopen": {"reason": "还在漏"},
    }
    for verb in verbs:
        order = act(order.pk, verb, by=d.actor(WAY[verb]), data=defaults.get(verb, {}), now=now)
    return order
