"""A real day again: the rows of somebody else's table become the orders of a district of their own.

The mapping file says which column is the town, the building, the category, and who works there; nothing
here knows any city.  Everything that happens goes through the same door as in service, on a virtual clock.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import transaction
from django.db.models import Count

from jiying.core import mapping as maps
from jiying.core.geo import Point
from jiying.core.ids import uuid7
from jiying.core.mapping import Reject, Row, Staff
from jiying.core.text import initials
from jiying.core.times import rfc3339
from jiying.estates.models import Company, Contract, Division, Estate, Level, Worker
from jiying.orders import verify
from jiying.orders.actors import STRANGER, Actor
from jiying.orders.batch import Batch
from jiying.orders.drafts import Numbers
from jiying.orders.intake import NewOrder
from jiying.orders.models import Clock, Event, Order
from jiying.orders.places import Places
from jiying.people.models import Organisation, OrganisationKind, Role, User
from jiying.people.scopes import Scope
from jiying.rules import packs
from jiying.simulation import people
from jiying.simulation.crew import Crew
from jiying.simulation.habits import Habits
from jiying.simulation.run import Arrival, Desks, Run

PROMISE_STATES = ("met", "missed", "running", "void")


@dataclass(slots=True)
class Site:
    """A saved district made from rows."""

    district: Division
    estates: dict[tuple[str, str], Estate]
    companies: dict[str, Company]
    desks: dict[str, User]
    centre: User
    middle: Point


def replay(
    file: Path,
    map_: str,
    *,
    only: dict[str, str] | None = None,
    until_min: float | None = None,
    seed: int = 1,
    speed: float | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> dict[str, Any]:
    """Run `file` again in the (empty) database of this process; returns the counts of the contract.

    Raises:
        MappingError, TableError: the mapping or the table cannot be read; nothing was written.
    """
    mapping = maps.load(map_)
    table = maps.read_table(file, mapping.encoding)
    rows, rejects = _read(mapping, table, only or {})
    call_command("migrate", verbosity=0, interactive=False)
    counts: dict[str, Any] = {"rows": len(rows) + len(rejects)}
    if not rows:
        return counts | _nothing(len(rejects))
    rng = random.Random(seed)
    with transaction.atomic():
        site = build(rows, mapping, rng)
    progress(f"{len(rows)} orders, {len(site.companies)} towns, {len(site.estates)} buildings")
    began = time.monotonic()
    run = _run(rows, site, mapping, rng, seed, speed, until_min, progress)
    seconds = time.monotonic() - began
    rejected = len(rejects) + len(run.refused)
    for arrival, error in run.refused[:20]:
        progress(f"rejected: {arrival.new.external_id}: {error.detail}")
    return counts | _counts(run, rejected, seconds, mapping.timezone, min(row_time(row) for row in rows))


def row_time(row: Row) -> datetime:
    """When a row was reported, aware."""
    at = row.values["reported_at"]
    assert isinstance(at, datetime), "the mapping language makes it a time"
    return at.astimezone(UTC)


def _read(mapping: maps.Mapping, table: maps.Table, only: dict[str, str]) -> tuple[list[Row], list[Reject]]:
    rows: list[Row] = []
    rejects: list[Reject] = []
    for row in maps.rows(mapping, table, only=only):
        if isinstance(row, Reject):
            rejects.append(row)
        elif missing := next((name for name in ("reported_at", "town", "category") if not row.values.get(name)), None):
            rejects.append(Reject(row.line, missing, "", "required", f"no {missing}", row.source))
        else:
            rows.append(row)
    rows.sort(key=lambda row: (row_time(row), row.line))
    return rows, rejects


# -- the district ---------------------------------------------------------------------------------------


def _text(row: Row, name: str) -> str:
    return str(row.values.get(name) or "")


def _point(row: Row) -> Point | None:
    lon, lat = row.values.get("lon"), row.values.get("lat")
    return Point(lon, lat) if isinstance(lon, float) and isinstance(lat, float) else None


def _mean(points: Sequence[Point], otherwise: Point) -> Point:
    if not points:
        return otherwise
    return Point(sum(p.lon for p in points) / len(points), sum(p.lat for p in points) / len(points))


def _place(row: Row) -> tuple[str, str]:
    """Town and building; without a building, the address or the town itself is the place."""
    town = _text(row, "town")
    return town, _text(row, "building") or _text(row, "address") or town


def build(rows: Sequence[Row], mapping: maps.Mapping, rng: random.Random) -> Site:
    """Divisions, estates, one company a town, and its staff; inside the caller's transaction."""
    middle = _mean([point for row in rows if (point := _point(row))], Point(0.0, 0.0))
    district = Division.objects.create(
        code=mapping.name[:20], name=mapping.name, name_en=mapping.name, level=Level.DISTRICT,
        lon=middle.lon, lat=middle.lat, timezone=str(mapping.timezone),
    )  # fmt: skip
    of_town: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of_town[_text(row, "town")].append(row)
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
    desks = {name: staff.desk(company, f"desk-{n + 1:03}", f"{name} desk") for n, (name, company) in enumerate(of_company.items())}
    centre = _centre(staff, district)
    _hire(staff, of_town, of_company, estates, mapping.staff, rng)
    staff.save()
    return Site(district, estates, of_company, desks, centre, middle)


def _town(n: int, name: str, district: Division, rows: Sequence[Row], middle: Point) -> Division:
    at = _mean([point for row in rows if (point := _point(row))], middle)
    code = name if len(name) <= 20 else f"T{n + 1:03}"
    return Division(
        id=uuid7(), code=code, name=name[:80], name_en=name[:80], level=Level.TOWN, parent=district, lon=at.lon, lat=at.lat
    )


def _estates(
    rows: Sequence[Row], towns: Mapping[str, Division], district: Division
) -> dict[tuple[str, str], Estate]:
    estates: dict[tuple[str, str], Estate] = {}
    for row in rows:
        key, point = _place(row), _point(row)
        estate = estates.get(key)
        if estate is None:
            town = towns[key[0]]
            name = (_text(row, "address") or key[1])[:120]
            estate = estates[key] = Estate(
                id=uuid7(), district=district.code, code=f"R{len(estates) + 1:06}", name=name,
                initials=initials(name), address=_text(row, "address")[:200], town=town, households=0,
            )  # fmt: skip
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
    number = 0
    for town, rows in of_town.items():
        demand = Counter(categories[_text(row, "category")].skill for row in rows if _text(row, "category") in categories)
        count = max(1, round(len(rows) * rules.workers_per_100_orders / 100))
        weights = {skill: float(n) for skill, n in demand.items()} if rules.skills_from else {"general": 1.0}
        homes = [estate for key, estate in estates.items() if key[0] == town]
        for index, skills in enumerate(people.skill_sets(count, weights, rng)):
            number += 1
            staff.worker(
                companies[town],
                username=f"worker-{number:05}",
                name=f"Worker {number}",
                skills=skills if rules.skills_from else list({category.skill for category in categories.values()}),
                hours=(rules.shifts[index % len(rules.shifts)],),
                home=rng.choice(homes),
            )


# -- the run --------------------------------------------------------------------------------------------


def _arrivals(rows: Sequence[Row], site: Site, rng: random.Random, share: int) -> Iterator[Arrival]:
    for row in rows:
        estate = site.estates[_place(row)]
        place = _point(row) or Point(estate.lon or 0.0, estate.lat or 0.0)
        at = row_time(row)
        new = NewOrder(
            kind=_text(row, "kind") or "repair",
            category=_text(row, "category"),
            urgency=_text(row, "urgency") or None,
            description=_text(row, "description") or _text(row, "category"),
            estate=estate.code,
            address=_text(row, "address")[:200],
            point=place,
            channel=_text(row, "channel")[:12] or "import",
            reported_at=at,
            external_id=_text(row, "external_id")[:60],
            lot=rng.random() * 100 < share,
        )
        yield Arrival(at=at, new=new, place=place, by=STRANGER)


def _run(
    rows: Sequence[Row],
    site: Site,
    mapping: maps.Mapping,
    rng: random.Random,
    seed: int,
    speed: float | None,
    until_min: float | None,
    progress: Callable[[str], None],
) -> Run:
    district, rules = site.district.code, mapping.staff
    workers = Worker.objects.select_related("company", "home_estate").prefetch_related("shifts").order_by("user__username")
    start = row_time(rows[0])
    crew = Crew.of(workers, zone=mapping.timezone, cap_km=rules.cap_km, start=start, middle=site.middle)
    desks = Desks(
        companies={
            company.id: Actor(
                Scope(site.desks[town].id, frozenset({"resident", "company"}), companies=frozenset({company.organisation_id})),
                staff=True,
            )
            for town, company in site.companies.items()
        },
        centre=Actor(
            Scope(site.centre.id, frozenset({"resident", "operator"}), districts=frozenset({district})), staff=True
        ),
    )
    habits = Habits(
        speed_kmh=rules.speed_kmh, access_min=rules.travel_overhead_min, service_median=rules.service_minutes
    )
    until = row_time(rows[-1]) + timedelta(minutes=until_min) if until_min is not None else None
    with Batch(numbers=Numbers(seed), places=Places.everything()) as batch:
        run = Run(batch=batch, crew=crew, desks=desks, rng=rng, habits=habits, speed=speed, clock_started=time.monotonic())
        run.on_progress = lambda this: progress(f"{this.now.astimezone(mapping.timezone):%Y-%m-%d %H:%M}  {this.accepted} orders, {this.batch.written} events")
        share = packs.in_force(start).follow_up.share_percent
        run.run(_arrivals(rows, site, rng, share), until=until)
    return run


def _counts(run: Run, rejected: int, seconds: float, zone: Any, start: datetime) -> dict[str, Any]:
    report = verify.verify()
    events = Event.objects.count()
    orders = Order.objects.count()
    broken = len({item.order for item in report.broken})
    return {
        "rejected": rejected,
        "orders": orders,
        "events": events,
        "promises": promises(),
        "escalations": escalations(),
        "unserved": orders - Event.objects.filter(milestone="arrived").values("order").distinct().count(),
        "virtual_start": rfc3339(start, zone),
        "virtual_end": rfc3339(run.now, zone),
        "events_per_s": round(events / seconds, 1) if seconds else 0.0,
        "chains": {"verified": report.orders - broken, "broken": broken},
    }


def promises() -> dict[str, dict[str, int]]:
    """How many clocks of each promise are in which state (a paused clock still runs)."""
    counts: dict[str, dict[str, int]] = {}
    for promise, state, n in Clock.objects.values_list("promise", "state").annotate(n=Count("pk")).order_by("promise"):
        states = counts.setdefault(promise, dict.fromkeys(PROMISE_STATES, 0))
        states["running" if state == "paused" else state] += n
    return counts


def escalations() -> dict[str, int]:
    """How often each step of the ladder fired."""
    fired = Event.objects.filter(verb="escalate").iterator(chunk_size=2000)
    return dict(sorted(Counter(event.data["step"] for event in fired).items()))


def _nothing(rejected: int) -> dict[str, Any]:
    return {
        "rejected": rejected, "orders": 0, "events": 0, "promises": {}, "escalations": {}, "unserved": 0,
        "virtual_start": None, "virtual_end": None, "events_per_s": 0.0, "chains": {"verified": 0, "broken": 0},
    }  # fmt: skip
