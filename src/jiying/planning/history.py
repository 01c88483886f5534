"""A model from the district's own past: what was reported, how long visits took, who works when."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
from django.db.models import Min
from django.utils import timezone

from jiying.core.errors import BadInput
from jiying.core.geo import EARTH_M
from jiying.estates.models import Company, Division, Level, Shift, Worker
from jiying.estates.queries import zone_of
from jiying.orders.models import Event, Order
from jiying.orders.states import FIELD_WORK, State
from jiying.planning.model import Hand, Model, Past, Town, checked, service_of, spread_of, towns_of
from jiying.rules import packs
from jiying.rules.faults import NoPack

USUAL_DAYS, MOST_DAYS = 28, 366
KM_A_DEGREE = EARTH_M / 1000 * math.pi / 180
FARTHEST_KM = 150.0
MOST_VALUES = 500


@dataclass(frozen=True, slots=True)
class _Plane:
    """Degrees as kilometres around a middle; within a district the error is metres.

    What is no place, or so far away that it is a slip of the pen, is NaN: one such home would make the engine's grid so
    coarse that everybody's figures were wrong.
    """

    lon: float
    lat: float

    def km(self, lon: float | None, lat: float | None) -> tuple[float, float]:
        if lon is None or lat is None:
            return math.nan, math.nan
        along = math.cos(math.radians(self.lat)) * KM_A_DEGREE
        x, y = (lon - self.lon) * along, (lat - self.lat) * KM_A_DEGREE
        return (round(x, 4), round(y, 4)) if math.hypot(x, y) <= FARTHEST_KM else (math.nan, math.nan)


def read_district(code: str, days: int = USUAL_DAYS, today: date | None = None) -> Model:
    """The model of a district's last `days` whole days before `today`, on its own clock.

    Repairs count, not what was refused or withdrawn.  A district that has recorded for less is taken as long as it has.

    Raises:
        BadInput: `unknown_district`; `out_of_range`; or nothing can be learnt (`model.checked`).
    """
    top = Division.objects.filter(level=Level.DISTRICT, code=code).first()
    if top is None:
        raise BadInput.of("district", "unknown_district", f"there is no district {code!r} here")
    if not 1 <= days <= MOST_DAYS:
        raise BadInput.of("history", "out_of_range", f"from 1 to {MOST_DAYS} days of history can be read, not {days}")
    zone = zone_of(code)
    today = today or timezone.now().astimezone(zone).date()
    begins = datetime.combine(today - timedelta(days=days), time.min, zone)
    ends = datetime.combine(today, time.min, zone)
    rows = Order.objects.filter(district=code, kind__in=FIELD_WORK, reported_at__gte=begins, reported_at__lt=ends)
    rows = rows.exclude(state__in=(State.REFUSED, State.CANCELLED))
    first_ever = Order.objects.filter(district=code).aggregate(first=Min("reported_at"))["first"]
    if first_ever is not None and first_ever > begins:
        # The day on which records begin is no whole day, unless there is no other.
        begun = first_ever.astimezone(zone).date()
        begins = datetime.combine(min(begun + timedelta(days=1), today - timedelta(days=1)), time.min, zone)
        rows = rows.filter(reported_at__gte=begins)
    first = begins.date()
    return checked(_Reading(top, first, today, list(_orders(rows)), list(_workers(code))).model())


def _orders(rows: Any) -> Iterable[tuple[Any, ...]]:
    columns = (
        *("pk", "category", "urgency", "pack", "reported_at", "town_id", "company_id", "estate__code"),
        *("lon", "lat", "estate__lon", "estate__lat"),
    )
    found: Iterable[tuple[Any, ...]] = (
        rows.order_by("reported_at", "pk").values_list(*columns).iterator(chunk_size=5000)
    )
    return found


def _workers(code: str) -> Iterable[tuple[Any, ...]]:
    columns = (
        *("pk", "company_id", "skills", "home_estate__code", "home_estate__town_id"),
        *("home_estate__lon", "home_estate__lat"),
    )
    return Worker.objects.filter(active=True, company__district=code).order_by("pk").values_list(*columns)


class _Reading:
    """Rows of the database on their way to a model."""

    def __init__(
        self, top: Division, first: date, today: date, orders: list[tuple[Any, ...]], workers: list[tuple[Any, ...]]
    ) -> None:
        self.top, self.first, self.today = top, first, today
        self.orders, self.workers = orders, workers
        self.zone = zone_of(top.code)
        self.remarks: list[str] = []
        towns = Division.objects.valid_on(today).filter(level=Level.TOWN, parent__code=top.code).order_by("code")
        self.plane = _Plane(*self._middle([top, *towns]))
        self.town_at = {town.pk: place for place, town in enumerate(towns)}
        self.towns = {
            place: Town(town.code, town.name, *self.plane.km(town.lon, town.lat)) for place, town in enumerate(towns)
        }
        parents = Company.objects.filter(district=top.code).values_list("pk", "uscc", "name")
        self.companies = {pk: uscc for pk, uscc, _name in parents}
        self.names = {uscc: name for _pk, uscc, name in parents}

    def _middle(self, divisions: list[Division]) -> tuple[float, float]:
        """Where most of what happens is; before anything has, the district's own middle."""
        estates = [*(row[-2:] for row in self.orders), *(row[-2:] for row in self.workers)]
        for places in (estates, [row[-4:-2] for row in self.orders], [(one.lon, one.lat) for one in divisions]):
            if known := [place for place in places if None not in place]:
                lon, lat = np.median(np.array(known, float), axis=0).tolist()
                return lon, lat
        return 0.0, 0.0

    def model(self) -> Model:
        skills_of = {str(row[0]): tuple(sorted(map(str, row[2]))) for row in self.workers}
        asked = [self._skill(str(row[1]), str(row[3])) for row in self.orders]
        skills = tuple(sorted({*(s for own in skills_of.values() for s in own), *filter(None, asked)}))
        teams = sorted({str(row[7] or "") for row in self.orders} | {str(row[3] or "") for row in self.workers} | {""})
        companies = sorted({"", *self.companies.values()})
        past = self._past(asked, skills, teams, companies)
        if not len(past):
            raise BadInput.of(
                "history", "no_orders",
                f"{self.top.name}: no repairs with a place and a skill on the {(self.today - self.first).days} days "
                f"before {self.today}",
            )  # fmt: skip
        towns = towns_of(past.town, past.x, past.y, self.towns)
        staff = self._staff(past, companies)
        days = (self.today - self.first).days
        whole = np.bincount(self._day, minlength=days)
        return Model(
            name=self.top.name, skills=skills, towns=towns, teams=tuple(teams), companies=tuple(companies), past=past,
            staff=staff, days=days, spread=spread_of(whole), first=self.first.isoformat(),
            last=(self.today - timedelta(days=1)).isoformat(), remarks=tuple(self.remarks), names=self.names,
        )  # fmt: skip

    def _skill(self, category: str, stamp: str) -> str:
        try:
            pack = packs.stamped(stamp)
        except NoPack:
            pack = packs.in_force(self.today, self.top.code)
        found = pack.categories.get(pack.nearest(category))
        return found.skill if found else ""

    def _past(self, asked: list[str], skills: tuple[str, ...], teams: list[str], companies: list[str]) -> Past:
        number = {skill: place for place, skill in enumerate(skills)}
        team_at, company_at = ({code: n for n, code in enumerate(codes)} for codes in (teams, companies))
        service = self._service()
        left: Counter[str] = Counter()
        rows: list[tuple[float, ...]] = []
        days: list[int] = []
        for row, skill in zip(self.orders, asked, strict=True):
            pk, _category, urgency, _pack, at, town_id, company_id, estate, lon, lat, estate_lon, estate_lat = row
            town = self.town_at.get(town_id)
            x, y = self.plane.km(lon, lat)
            if math.isnan(x):
                x, y = self.plane.km(estate_lon, estate_lat)
            if math.isnan(x) and town is not None:
                x, y = self.towns[town].x, self.towns[town].y
            why = "no skill" if not skill else "no town" if town is None else "no place" if math.isnan(x) else ""
            if why or town is None:
                left[why] += 1
                continue
            local = at.astimezone(self.zone)
            minute = local.hour * 60 + local.minute + local.second / 60
            company = self.companies.get(company_id, "")
            rows.append((
                minute, x, y, number[skill], urgency == "emergency", service.get(pk, math.nan), town,
                team_at[str(estate or "")], company_at[company],
            ))  # fmt: skip
            days.append((local.date() - self.first).days)
        for why, many in sorted(left.items()):
            self.remarks.append(f"{many} orders are left out: {why}")
        self._day = np.array(days, np.int64)
        table = np.array(rows, float).reshape(-1, 9).T
        skill, emergency, town, team, company = (table[n].astype(np.int64) for n in (3, 4, 6, 7, 8))
        return Past(table[0], table[1], table[2], skill, emergency, table[5], town, team, company)

    def _service(self) -> dict[Any, float]:
        """Minutes from the first arrival to the first completion after it, of the orders that have both."""
        found: dict[Any, float] = {}
        ids = [row[0] for row in self.orders]
        for start in range(0, len(ids), MOST_VALUES):
            some = ids[start : start + MOST_VALUES]
            rows = Event.objects.filter(order_id__in=some, milestone__in=("arrived", "done")).order_by(
                "order_id", "version"
            )
            arrived: dict[Any, datetime] = {}
            for order, milestone, at in rows.values_list("order_id", "milestone", "at"):
                if milestone == "arrived":
                    arrived.setdefault(order, at)
                elif order in arrived and order not in found:
                    found[order] = service_of((at - arrived[order]).total_seconds() / 60)
        return found

    def _staff(self, past: Past, companies: list[str]) -> tuple[Hand, ...]:
        shifts: dict[Any, list[tuple[float, float, int]]] = {}
        of_district = Shift.objects.filter(worker__company__district=self.top.code).order_by(
            "start_min", "end_min", "pk"
        )
        for pk, begin, end, weekdays in of_district.values_list("worker_id", "start_min", "end_min", "weekdays"):
            shifts.setdefault(pk, []).append((float(begin), float(end), weekdays))
        hands, left = [], Counter[str]()
        for number, row in enumerate(self.workers):
            pk, company_id, skills, estate, town_id, lon, lat = row
            company = self.companies.get(company_id, "")
            x, y = self.plane.km(lon, lat)
            town = self.town_at.get(town_id)
            if math.isnan(x) or town is None:
                # Where their company is asked for: the middle of its orders.
                mine = past.company == companies.index(company)
                if not company or not mine.any():
                    left["no place"] += 1
                    continue
                x, y = round(float(past.x[mine].mean()), 4), round(float(past.y[mine].mean()), 4)
                near = int(np.argmin(np.hypot(past.x - x, past.y - y)))
                town = int(past.town[near])
                left["placed in the middle of their company's orders"] += 1
            if not skills:
                left["no skill"] += 1
                continue
            own = tuple(shifts.get(pk, ()))
            if not own:
                left["no shift"] += 1
            # Keys are numbers, so that nothing about a person goes with a study.
            hands.append(Hand(f"w{number}", x, y, tuple(sorted(skills)), own, town, str(estate or company), company))
        for why, many in sorted(left.items()):
            self.remarks.append(f"{many} workers: {why}")
        return tuple(hands)
