"""The demo's past: people report by the hours of the day, and everybody acts on a virtual clock up to now."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from jiying.core.geo import Point
from jiying.estates.models import Company, Estate, Worker
from jiying.orders import followers
from jiying.orders.actors import STRANGER, Actor
from jiying.orders.batch import Batch, Command
from jiying.orders.drafts import Numbers
from jiying.orders.intake import NewOrder
from jiying.orders.places import Places
from jiying.people.models import User
from jiying.people.scopes import Scope
from jiying.simulation import people
from jiying.simulation.crew import Crew, worker_actor
from jiying.simulation.demo.place import Demo, Size
from jiying.simulation.habits import Delay, Habits
from jiying.simulation.pudong import DISTRICT
from jiying.simulation.run import Arrival, Desks, Run

ZONE = ZoneInfo("Asia/Shanghai")
HABITS = Habits(
    sign={"emergency": Delay(1.6, 0.7), "ordinary": Delay(4, 0.7)},
    assign={"emergency": Delay(1.0, 0.6), "ordinary": Delay(4, 0.7)},
    contact=Delay(1.5),
)
"""A district that is used to its promises: desks look at ordinary matters within minutes, too."""

#: category: (weight, share that is an emergency, what people say)
WORDS: dict[str, tuple[float, float, tuple[str, ...]]] = {
    "leak": (14, 0.6, ("厨房天花板在漏水，楼上好像没人", "卫生间漏水漏到楼下了", "水表后面一直滴水")),
    "water_pipe": (12, 0.5, ("水管爆了，关不上阀门", "水龙头坏了，一直流水", "家里水压很小")),
    "drain": (10, 0.25, ("下水道堵了，水往外冒", "地漏返水，味道很大", "楼下窨井满了")),
    "power": (10, 0.5, ("整个楼道没电了", "家里跳闸，推不上去", "走廊灯不亮")),
    "lift": (7, 0.5, ("电梯停在三楼不动了", "电梯门关不上", "电梯运行有异响")),
    "door_lock": (7, 0.2, ("门锁打不开，进不了家", "单元门锁坏了")),
    "access_control": (7, 0.1, ("门禁刷卡没反应", "单元门一直开着关不上")),
    "fire_safety": (4, 0.4, ("消防通道被车堵了", "楼道烟感一直响", "灭火器过期了")),
    "public_facility": (9, 0.05, ("楼道扶手松了", "儿童滑梯裂了", "路面有个坑，晚上危险")),
    "environment": (9, 0.02, ("垃圾房没人清，味道很大", "楼道堆物", "绿化带里有积水")),
    "complaint": (6, 0.0, ("报修三天了没有人来", "停车费乱收", "保安态度不好")),
    "other": (5, 0.05, ("想问一下维修要不要收费", "楼上装修太吵")),
}
HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 10, 9, 8, 7, 6, 6, 6, 6, 7, 8, 10, 10, 9, 7, 5, 3)


def arrivals(demo: Demo, size: Size, until: datetime) -> Iterator[Arrival]:
    """The reports of the last `days`, by the hours of the day, more where more people live."""
    rng = random.Random(size.seed + 1)
    begin = until - timedelta(days=size.days)
    moments: list[datetime] = []
    while len(moments) < size.orders:
        day = begin + timedelta(days=rng.uniform(0, size.days))
        if rng.random() * max(HOURS) < HOURS[day.astimezone(ZONE).hour]:
            moments.append(day)
    moments.sort()
    estates = rng.choices(demo.estates, [estate.households for estate in demo.estates], k=size.orders)
    names = list(WORDS)
    for at, estate in zip(moments, estates, strict=True):
        category = rng.choices(names, [WORDS[name][0] for name in names])[0]
        yield _arrival(rng, at, estate, category)


def _arrival(rng: random.Random, at: datetime, estate: Estate, category: str, urgency: str = "") -> Arrival:
    _weight, emergencies, words = WORDS[category]
    by_phone = rng.random() < 0.4
    new = NewOrder(
        kind="complaint" if category == "complaint" else "repair",
        category=category,
        urgency=urgency or ("emergency" if rng.random() < emergencies else "ordinary"),
        description=rng.choice(words),
        estate=estate.code,
        building=f"{rng.randrange(1, 7)}号楼",
        unit=f"{rng.randrange(1, 7)}0{rng.randrange(1, 5)}室",
        name=people.person(rng) if rng.random() < 0.7 else "",
        phone=people.phone(rng) if rng.random() < 0.7 else "",
        channel="phone" if by_phone else "page",
        reported_at=at,
        lot=rng.random() < 0.2,
    )
    return Arrival(at=at, new=new, place=Point(estate.lon or 0.0, estate.lat or 0.0), by=STRANGER)


def _desk_actor(user: User, company: Company | None, district: str) -> Actor:
    if company is None:
        scope = Scope(user.id, frozenset({"resident", "operator"}), districts=frozenset({district}))
    else:
        scope = Scope(user.id, frozenset({"resident", "company"}), companies=frozenset({company.organisation_id}))
    return Actor(scope=scope, name=user.name, staff=True)


def live_through(demo: Demo, size: Size, progress: Callable[[str], None] = lambda _text: None) -> None:
    """The history: `size.orders` orders over `size.days` days up to now, by the same door as all others."""
    now = timezone.now().replace(microsecond=0)
    rng = random.Random(size.seed + 2)
    crew = Crew.of(
        Worker.objects.select_related("company", "home_estate").prefetch_related("shifts").order_by("user__username"),
        zone=ZONE,
        cap_km=8,
        start=datetime(2000, 1, 1, tzinfo=UTC),
        middle=Point(DISTRICT[3], DISTRICT[4]),
    )
    desks = Desks(
        companies={company.id: _desk_actor(user, company, demo.district.code) for company, user in demo.desks.items()},
        centre=_desk_actor(demo.centre, None, demo.district.code),
    )
    with Batch(numbers=Numbers(size.seed), places=Places.everything()) as batch:
        run = Run(batch=batch, crew=crew, desks=desks, rng=rng, habits=HABITS)
        run.on_progress = lambda this: progress(f"{this.accepted} orders, {this.now:%m-%d %H:%M}")
        run.run(arrivals(demo, size, now - timedelta(minutes=50)), until=now)
        followers.skip_to_end()
        _fresh(demo, batch, desks, now, rng)
    # What stands there to be tried is left to people; what is reported from now on is the dispatcher's too.
    followers.skip_to_end("dispatch")


def _fresh(demo: Demo, batch: Batch, desks: Desks, now: datetime, rng: random.Random) -> None:
    """For each demo company, orders in each state somebody would like to try."""
    reporter = Actor(scope=Scope(demo.resident.id, frozenset({"resident"})), name=demo.resident.name)
    for company, name in zip(demo.companies, ("demo-worker", "demo-worker-2"), strict=False):
        estate = next(
            (e for e in demo.estates if batch.places.contracts.get(e.id, [(0, 0, None)])[-1][2] == company), None
        )
        worker = Worker.objects.select_related("company").filter(user__username=name).first()
        if estate is None or worker is None:
            continue
        desk, hand = desks.companies[company.id], worker_actor(worker)
        steps: tuple[tuple[int, str, str, tuple[str, ...]], ...] = (
            (42, "leak", "emergency", ("sign", "assign")),
            (24, "power", "emergency", ("sign", "assign", "contact", "depart")),
            (12, "drain", "ordinary", ("sign",)),
            (8, "access_control", "ordinary", ("sign", "assign")),
            (4, "lift", "emergency", ()),
            (95, "water_pipe", "emergency", ("sign", "assign", "contact", "depart", "arrive", "make_safe", "done")),
        )
        for minutes, category, urgency, verbs in steps:
            at = now - timedelta(minutes=minutes)
            arrival = _arrival(rng, at, estate, category, urgency)
            order = batch.accept(arrival.new, by=reporter, now=at)
            for n, verb in enumerate(verbs, start=1):
                by = desk if verb in ("sign", "assign") else hand
                data = {"worker": str(worker.id)} if verb == "assign" else {}
                batch.act(Command(order.id, verb, by, at + timedelta(minutes=n * 1.5 if n < 5 else n * 6), data))
    batch.watch(now)
