"""The district of a replay: divisions, buildings, companies and workers, made from the rows themselves."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jiying.core import mapping as maps
from jiying.core.geo import Point
from jiying.core.ids import uuid7
from jiying.core.mapping import Row, Staff
from jiying.core.text import initials
from jiying.estates.models import Company, Contract, Division, Estate, Level
from jiying.people.models import Organisation, OrganisationKind, Role, User
from jiying.rules import packs
from jiying.simulation import people

SOMEWHERE = Point(0.0, 0.0)
"""Where everything is when the rows have no points: all distances are then nothing."""


@dataclass(slots=True)
class Site:
    """A saved district made from rows; `middle` is None when no row has a point."""

    district: Division
    estates: dict[tuple[str, str], Estate]
    companies: dict[str, Company]
    desks: dict[str, User]
    centre: User
    middle: Point | None

    def point(self, estate: Estate) -> Point:
        """Where an estate is, for travel."""
        if estate.lon is None or estate.lat is None:
            return self.middle or SOMEWHERE
        return Point(estate.lon, estate.lat)


def row_time(row: Row) -> datetime:
    """When a row was reported, aware."""
    at = row.values["reported_at"]
    assert isinstance(at, datetime), "the mapping language makes it a time"
    return at.astimezone(UTC)


def text(row: Row, name: str) -> str:
    """A value of a row as text; absent is empty."""
    return str(row.values.get(name) or "")


def point_of(row: Row) -> Point | None:
    """Where a row says it is (WGS-84), if it does."""
    lon, lat = row.values.get("lon"), row.values.get("lat")
    return Point(lon, lat) if isinstance(lon, float) and isinstance(lat, float) else None


def _mean(rows: Sequence[Row]) -> Point | None:
    points = [point for row in rows if (point := point_of(row))]
    if not points:
        return None
    return Point(sum(p.lon for p in points) / len(points), sum(p.lat for p in points) / len(points))


def place_of(row: Row) -> tuple[str, str]:
    """Town and building; without a building, the address or the town itself is the place."""
    town = text(row, "town")
    return town, text(row, "building") or text(row, "address") or town


def build(rows: Sequence[Row], mapping: maps.Mapping, rng: random.Random) -> Site:
    """Divisions, estates, one company a town, and its staff; inside the caller's transaction."""
    middle = _mean(rows)
    name = Path(mapping.name).stem
    district = Division.objects.create(
        code=name[:20],
        name=name[:80],
        name_en=name[:80],
        level=Level.DISTRICT,
        lon=middle.lon if middle else None,
        lat=middle.lat if middle else None,
        timezone=str(mapping.timezone),
    )
    of_town: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of_town[text(row, "town")].append(row)
    names = sorted(of_town)
    towns = [_town(n, name, district, of_town[name], middle) for n, name in enumerate(names)]
    Division.objects.bulk_create(towns)
    estates = _estates(rows, dict(zip(names, towns, strict=True)), district)
    companies = people.companies([f"{name} · example company" for name in names], district=district.code, area="000000")
    of_company = dict(zip(names, companies, strict=True))
    Contract.objects.bulk_create(
        [Contract(company=of_company[town], estate=estate) for (town, _b), estate in estates.items()], batch_size=500
    )
    staff = people.Staff.empty()
    desks = {
        name: staff.desk(company, f"desk-{n + 1:03}", f"{name} desk")
        for n, (name, company) in enumerate(of_company.items())
    }
    centre = _centre(staff, district)
    _hire(staff, of_town, of_company, estates, mapping.staff, rng)
    staff.save()
    return Site(district, estates, of_company, desks, centre, middle)


def _town(n: int, name: str, district: Division, rows: Sequence[Row], middle: Point | None) -> Division:
    at = _mean(rows) or middle
    # A name is its own code where it can be: short enough, and not the district's.
    code = name if len(name) <= 20 and name != district.code else f"T{n + 1:03}"
    return Division(
        id=uuid7(),
        code=code,
        name=name[:80],
        name_en=name[:80],
        level=Level.TOWN,
        parent=district,
        lon=at.lon if at else None,
        lat=at.lat if at else None,
    )


def _estates(rows: Sequence[Row], towns: Mapping[str, Division], district: Division) -> dict[tuple[str, str], Estate]:
    estates: dict[tuple[str, str], Estate] = {}
    for row in rows:
        key, point = place_of(row), point_of(row)
        estate = estates.get(key)
        if estate is None:
            town = towns[key[0]]
            name = (text(row, "address") or key[1])[:120]
            estate = estates[key] = Estate(
                id=uuid7(),
                district=district.code,
                code=f"R{len(estates) + 1:06}",
                name=name,
                initials=initials(name),
                address=text(row, "address")[:200],
                town=town,
                households=0,
            )
        if estate.lon is None and point is not None:
            estate.lon, estate.lat = point.lon, point.lat
    for estate in estates.values():
        if estate.lon is None:
            estate.lon, estate.lat = estate.town.lon, estate.town.lat
    Estate.objects.bulk_create(estates.values(), batch_size=500)
    return estates


def _centre(staff: people.Staff, district: Division) -> User:
    office = Organisation.objects.create(
        kind=OrganisationKind.CENTRE, code=district.code, name="Command centre (example)", district=district.code
    )
    who = people.user("centre-desk", "Command centre")
    staff.users.append(who)
    staff.member(who, office, Role.OPERATOR)
    return who


def _hire(
    staff: people.Staff,
    of_town: Mapping[str, Sequence[Row]],
    companies: Mapping[str, Company],
    estates: Mapping[tuple[str, str], Estate],
    rules: Staff,
    rng: random.Random,
) -> None:
    """Workers by the mapping's rule, with the skills their town asks for; every shift has somebody."""
    categories = packs.in_force(row_time(next(iter(of_town.values()))[0])).categories
    every_skill = sorted({category.skill for category in categories.values()})
    number = 0
    for town, rows in of_town.items():
        known = (text(row, "category") for row in rows if text(row, "category") in categories)
        demand = Counter(categories[category].skill for category in known)
        count = max(1, round(len(rows) * rules.workers_per_100_orders / 100))
        weights = {skill: float(n) for skill, n in demand.items()} if rules.skills_from else {"general": 1.0}
        homes = [estate for key, estate in estates.items() if key[0] == town]
        for index, skills in enumerate(people.skill_sets(count, weights, rng)):
            number += 1
            staff.worker(
                companies[town],
                username=f"worker-{number:05}",
                name=f"Worker {number}",
                skills=skills if rules.skills_from else every_skill,
                hours=(rules.shifts[index % len(rules.shifts)],),
                home=rng.choice(homes),
            )
