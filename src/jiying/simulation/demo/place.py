"""The demo district as it stands: Pudong's 36 towns, everything in them made up by one seed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from pypinyin import lazy_pinyin

from jiying.core.ids import uuid7
from jiying.core.text import initials
from jiying.dispatch.models import Mode, Moving, Policy
from jiying.estates.models import Building, Company, Contract, Division, Estate, EstateKind, Level, Mandate, Tier
from jiying.estates.queries import nights_of
from jiying.people.models import NightDuty, Organisation, OrganisationKind, Role, User
from jiying.simulation import people
from jiying.simulation.pudong import DISTRICT, TOWNS

SHIFTS = (((450, 990),), ((450, 990),), ((720, 1260),), ((1080, 1620),))
"""Early twice as often as late and night, which wraps past midnight: minutes of the day."""

_ESTATE_WORDS = ("花园", "新村", "小区", "公寓", "家园", "苑", "名邸", "里")
_ESTATE_FIRST = (
    *("东方", "金桂", "银杏", "明珠", "浦江", "锦绣", "望江", "春晓"),
    *("和平", "康乐", "丽景", "香樟", "白玉兰", "长青", "云台", "海桐"),
)


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
        _dispatch(district, towns, companies)
        _rosters(staff, district)
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
    local = {
        row.code: office(OrganisationKind.COMMITTEE, row.code, row.name) for rows in committees.values() for row in rows
    }
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


def _dispatch(district: Division, towns: list[Division], companies: list[Company]) -> None:
    """Who may go beyond an estate's own team, and that emergencies are assigned by rule.

    A town's station is its second company, or the first of the town after it; the first town has two.  The
    district's centre has three posts, one of them near the first towns.  Its people stand at the estates that their
    own companies serve, so that the line that has them moved says so.
    """
    pairs = [(companies[(n + len(towns)) % len(companies)], town) for n, town in enumerate(towns)]
    pairs.append((companies[1 % len(companies)], towns[0]))
    stations = [Mandate(company=company, tier=Tier.STATION, division=town) for company, town in pairs]
    posts = sorted({3 % len(companies), 17 % len(companies), 29 % len(companies)})
    centres = [Mandate(company=companies[n], tier=Tier.CENTRE, division=district) for n in posts]
    Mandate.objects.bulk_create([*stations, *centres])
    Policy.objects.create(district=district.code, urgency="emergency", mode=Mode.AUTOMATIC)
    Moving.objects.create(district=district.code, posts=True)


def _rosters(staff: people.Staff, district: Division) -> None:
    """Who of the demo's people is on duty at night, this week and the next; its companies' last Sunday is a gap."""
    nights, today = nights_of(district.code), timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    duties = {
        **{f"demo-company{suffix}": "front_desk" for suffix in ("", "-2")},
        **{f"demo-manager{suffix}": "manager" for suffix in ("", "-2")},
        **{f"demo-town{suffix}": "town" for suffix in ("", "-2")},
        "demo-operator": "centre",
        "demo-operator-2": "centre",
        "demo-supervisor": "supervisor",
    }
    rows = [
        NightDuty(
            organisation=member.organisation,
            user=member.user,
            duty=duty,
            starts_at=nights.night(monday + timedelta(days=n))[0],
            ends_at=nights.night(monday + timedelta(days=n))[1],
        )
        for member in staff.members
        if (duty := duties.get(member.user.username)) and member.organisation is not None
        for n in range(13 if member.organisation.kind == OrganisationKind.COMPANY else 14)
    ]
    NightDuty.objects.bulk_create(rows, batch_size=500)


def _demo_users(staff: people.Staff, companies: list[Company], serving: dict[Company, list[Estate]]) -> None:
    for suffix, company in zip(("", "-2"), companies, strict=False):
        front = people.user(f"demo-company{suffix}", "物业前台")
        manager = people.user(f"demo-manager{suffix}", "小区经理")
        staff.users += [front, manager]
        staff.member(front, company.organisation, Role.COMPANY, duty="front_desk")
        places = [estate.code for estate in serving[company]]
        staff.member(manager, company.organisation, Role.MANAGER, places=places)
