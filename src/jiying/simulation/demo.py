"""The demo district: Pudong's towns, everything else made up, with a history lived on a virtual clock."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from pypinyin import lazy_pinyin

from jiying.core.geo import Point
from jiying.core.ids import uuid7
from jiying.core.text import initials
from jiying.estates.models import Building, Company, Contract, Division, Estate, EstateKind, Level, Worker
from jiying.orders import followers
from jiying.orders.actors import STRANGER, Actor
from jiying.orders.batch import Batch, Command
from jiying.orders.drafts import Numbers
from jiying.orders.intake import NewOrder
from jiying.orders.models import Event, Order
from jiying.orders.places import Places
from jiying.people.models import Organisation, OrganisationKind, Role, User
from jiying.people.scopes import Scope
from jiying.simulation import people
from jiying.simulation.crew import Crew, worker_actor
from jiying.simulation.pudong import DISTRICT, TOWNS
from jiying.simulation.run import Arrival, Desks, Run

ZONE = ZoneInfo("Asia/Shanghai")
SHIFTS = (((450, 990),), ((450, 990),), ((720, 1260),), ((1080, 1620),))
"""Early twice as often as late and night, which wraps past midnight: minutes of the day."""

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
_ESTATE_WORDS = ("花园", "新村", "小区", "公寓", "家园", "苑", "名邸", "里")
_ESTATE_FIRST = ("东方", "金桂", "银杏", "明珠", "浦江", "锦绣", "望江", "春晓", "和平", "康乐", "丽景", "香樟", "白玉兰", "长青", "云台", "海桐")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """How large the demo is."""

    estates: int = 300
    companies: int = 60
    workers: int = 600
    days: int = 30
    orders: int = 3000
    seed: int = 1


@dataclass(slots=True)
class Demo:
    """The saved district."""

    district: Division
    towns: list[Division]
    estates: list[Estate]
    companies: list[Company]
    desks: dict[Company, User]
    centre: User
    resident: User


def build(size: Size) -> Demo:
    """Everything that stands still: divisions, estates, companies, people.  One transaction."""
    rng = random.Random(size.seed)
    with transaction.atomic():
        district, towns, committees = _divisions()
        estates = _estates(size, towns, committees, rng)
        names = [f"{_town_word(TOWNS[n % 36][1])}{'一二三'[n // 36 % 3]}号物业（示例）" for n in range(size.companies)]
        companies = people.companies(names, district=district.code, area=district.code)
        serving = _contracts(estates, companies, towns, rng)
        staff = people.Staff.empty()
        desks = {company: staff.desk(company, f"desk-{n + 1:03}", "前台") for n, company in enumerate(companies)}
        centre, resident = _offices(staff, district, towns, committees)
        _workers(size, staff, companies, serving, rng)
        _demo_users(staff, companies, serving)
        staff.save()
    return Demo(district, towns, estates, companies, desks, centre, resident)


def _town_word(name: str) -> str:
    return name.removesuffix("街道").removesuffix("镇").removesuffix("新村")


def _english(name: str) -> str:
    words = name.removesuffix("街道").removesuffix("镇")
    kind = "Subdistrict" if name.endswith("街道") else "Town"
    return f"{''.join(lazy_pinyin(words)).capitalize()} {kind}"


def _divisions() -> tuple[Division, list[Division], dict[str, list[Division]]]:
    code, name, english, lon, lat = DISTRICT
    district = Division.objects.create(
        code=code, name=name, name_en=english, level=Level.DISTRICT, lon=lon, lat=lat, timezone="Asia/Shanghai"
    )
    towns = [
        Division(id=uuid7(), code=c, name=n, name_en=_english(n), level=Level.TOWN, parent=district, lon=x, lat=y)
        for c, n, x, y, _km2 in TOWNS
    ]
    Division.objects.bulk_create(towns)
    committees = {
        town.code: [
            Division(
                id=uuid7(),
                code=f"{town.code}{n:03}",
                name=f"{_town_word(town.name)}第{'一二三四'[n - 1]}居委会",
                name_en=f"{_english(town.name).split()[0]} Committee {n}",
                level=Level.COMMITTEE,
                parent=town,
            )
            for n in range(1, 5)
        ]
        for town in towns
    }
    Division.objects.bulk_create([row for rows in committees.values() for row in rows])
    return district, towns, committees


def _estates(
    size: Size, towns: list[Division], committees: dict[str, list[Division]], rng: random.Random
) -> list[Estate]:
    kinds = [EstateKind.RESIDENTIAL] * 17 + [EstateKind.COMMERCIAL, EstateKind.MIXED, EstateKind.PUBLIC]
    estates, buildings = [], []
    used: set[str] = set()
    for n in range(size.estates):
        town, (_c, _n, lon, lat, km2) = towns[n % len(towns)], TOWNS[n % len(towns)]
        name = ""
        while not name or name in used:
            name = rng.choice(_ESTATE_FIRST) + rng.choice(_ESTATE_WORDS)
            name = f"{_town_word(town.name)}{name}" if name in used else name
            name = f"{name}{rng.randrange(2, 99)}期" if name in used else name
        used.add(name)
        radius = math.sqrt(km2 / math.pi) * 0.8 * math.sqrt(rng.random())
        angle = rng.uniform(0, 2 * math.pi)
        estate = Estate(
            id=uuid7(),
            district=DISTRICT[0],
            code=f"{town.code[-3:]}{n:04}",
            name=name,
            initials=initials(name),
            kind=rng.choice(kinds),
            address=f"{_town_word(town.name)}路 {rng.randrange(1, 999)} 弄",
            households=rng.randrange(150, 2400),
            town=town,
            committee=committees[town.code][n // len(towns) % 4],
            lon=round(lon + radius * math.cos(angle) / 95.2, 6),
            lat=round(lat + radius * math.sin(angle) / 111.2, 6),
        )
        estates.append(estate)
        buildings += [Building(estate=estate, name=f"{b}号楼", floors=rng.choice((6, 6, 11, 18))) for b in range(1, 7)]
    Estate.objects.bulk_create(estates, batch_size=500)
    Building.objects.bulk_create(buildings, batch_size=500)
    return estates


def _contracts(
    estates: list[Estate], companies: list[Company], towns: list[Division], rng: random.Random
) -> dict[Company, list[Estate]]:
    """Each estate is served by a company of its town; three in a hundred by nobody, some changed hands."""
    local: dict[str, list[Company]] = {}
    for n, company in enumerate(companies):
        local.setdefault(towns[n % len(towns)].code, []).append(company)
    serving: dict[Company, list[Estate]] = {company: [] for company in companies}
    contracts = []
    for n, estate in enumerate(estates):
        if n >= 2 * len(towns) and rng.random() < 0.03:
            continue
        pool = local.get(estate.town.code) or companies
        company = pool[n // len(towns) % len(pool)]
        serving[company].append(estate)
        since = date(2020, 1, 1)
        if rng.random() < 0.1 and len(companies) > 1:
            before = rng.choice([other for other in companies if other is not company])
            contracts.append(Contract(company=before, estate=estate, valid_from=since, valid_to=date(2024, 7, 1)))
            since = date(2024, 7, 1)
        contracts.append(Contract(company=company, estate=estate, valid_from=since))
    Contract.objects.bulk_create(contracts, batch_size=500)
    return serving


def _offices(
    staff: people.Staff, district: Division, towns: list[Division], committees: dict[str, list[Division]]
) -> tuple[User, User]:
    def office(kind: str, code: str, name: str) -> Organisation:
        return Organisation(kind=kind, code=code, name=name, district=district.code)

    bureau = office(OrganisationKind.DISTRICT, district.code, f"{district.name}物业管理处（示例）")
    centre = office(OrganisationKind.CENTRE, district.code, f"{district.name}物业行业指挥中心（示例）")
    rooms = {town.code: office(OrganisationKind.TOWN, town.code, f"{town.name}房办") for town in towns}
    local = {row.code: office(OrganisationKind.COMMITTEE, row.code, row.name) for rows in committees.values() for row in rows}  # fmt: skip
    Organisation.objects.bulk_create([bureau, centre, *rooms.values(), *local.values()], batch_size=500)
    for suffix, n in (("", 0), ("-2", 1)):
        town = towns[n]
        places = (
            ("town", "街镇干部", rooms[town.code], Role.TOWN),
            ("committee", "居委干部", local[committees[town.code][0].code], Role.COMMITTEE),
            ("operator", "坐席", centre, Role.OPERATOR),
            ("supervisor", "值班长", centre, Role.SUPERVISOR),
            ("district", "区物管处", bureau, Role.DISTRICT),
        )
        for name, words, organisation, role in places:
            who = people.user(f"demo-{name}{suffix}", words)
            staff.users.append(who)
            staff.member(who, organisation, role)
    operator = people.user("centre-desk", "指挥中心")
    staff.users.append(operator)
    staff.member(operator, centre, Role.OPERATOR)
    residents = [people.user(f"demo-resident{suffix}", "居民") for suffix in ("", "-2")]
    staff.users += residents
    return operator, residents[0]


def _workers(
    size: Size,
    staff: people.Staff,
    companies: list[Company],
    serving: dict[Company, list[Estate]],
    rng: random.Random,
) -> None:
    each = [size.workers // len(companies) + (n < size.workers % len(companies)) for n in range(len(companies))]
    weights = {"water": 36.0, "electric": 20.0, "general": 28.0, "lock": 10.0, "lift": 7.0, "fire": 5.0}
    number = 0
    for n, (company, count) in enumerate(zip(companies, each, strict=True)):
        for index, skills in enumerate(people.skill_sets(count, weights, rng)[:count]):
            number += 1
            demo = index == 0 and n < 2
            staff.worker(
                company,
                username=f"demo-worker{'-2' if n else ''}" if demo else f"worker-{number:04}",
                name="王师傅" if demo and not n else "李师傅" if demo else people.person(rng),
                skills=sorted({*skills, "water"}) if demo else skills,
                hours=((0, 1440),) if demo else SHIFTS[index % len(SHIFTS)],
                home=rng.choice(serving[company]) if serving[company] else None,
                number=people.phone(rng),
            )


def _demo_users(staff: people.Staff, companies: list[Company], serving: dict[Company, list[Estate]]) -> None:
    for suffix, company in zip(("", "-2"), companies, strict=False):
        front = people.user(f"demo-company{suffix}", "物业前台")
        manager = people.user(f"demo-manager{suffix}", "小区经理")
        staff.users += [front, manager]
        staff.member(front, company.organisation, Role.COMPANY, duty="front_desk")
        places = [estate.code for estate in serving[company]]
        staff.member(manager, company.organisation, Role.MANAGER, places=places)


def arrivals(demo: Demo, size: Size, until: datetime) -> Iterator[Arrival]:
    """The reports of the last `days`, by the hours of the day, more where more people live."""
    rng = random.Random(size.seed + 1)
    begin = until - timedelta(days=size.days)
    moments = []
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
        run = Run(batch=batch, crew=crew, desks=desks, rng=rng)
        run.on_progress = lambda this: progress(f"{this.accepted} orders, {this.now:%m-%d %H:%M}")
        run.run(arrivals(demo, size, now - timedelta(minutes=50)), until=now)
        followers.skip_to_end()
        _fresh(demo, batch, desks, now, rng)


def _fresh(demo: Demo, batch: Batch, desks: Desks, now: datetime, rng: random.Random) -> None:
    """For each demo company, orders in each state somebody would like to try."""
    reporter = Actor(scope=Scope(demo.resident.id, frozenset({"resident"})), name=demo.resident.name)
    for company, name in zip(demo.companies, ("demo-worker", "demo-worker-2"), strict=False):
        estate = next((e for e in demo.estates if batch.places.contracts.get(e.id, [(0, 0, None)])[-1][2] == company), None)
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


def seed(size: Size, progress: Callable[[str], None] = lambda _text: None) -> dict[str, int | float]:
    """Make the demo; returns the counts that `jiying seed --json` prints."""
    began = time.monotonic()
    demo = build(size)
    progress(f"{len(demo.estates)} estates, {size.workers} workers")
    live_through(demo, size, progress)
    return {
        "estates": Estate.objects.count(),
        "workers": Worker.objects.count(),
        "orders": Order.objects.count(),
        "events": Event.objects.count(),
        "seconds": round(time.monotonic() - began, 1),
    }


