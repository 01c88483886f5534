"""Where a new order is: from a code, a point or a town's name to estate, town, company.

Loaded once for many orders, so that bulk intake asks the database a constant number of questions.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core.errors import BadInput
from jiying.core.geo import Point, distance_m
from jiying.estates.models import Building, Company, Contract, Division, Estate, Level
from jiying.estates.queries import the_district

if TYPE_CHECKING:
    from jiying.orders.intake import NewOrder

TOWN_KM = 15.0
"""A point farther than this from every town's centroid belongs to no town: the centre places it by hand."""


@dataclass(slots=True)
class Spot:
    """A resolved place.  `contracts` are (from, to, company) of the estate, for any day."""

    district: str
    near: Point | None = None
    estate: Estate | None = None
    building: Building | None = None
    town: Division | None = None
    committee: Division | None = None
    contracts: Sequence[tuple[date, date | None, Company]] = ()

    @property
    def point(self) -> Point | None:
        """The estate's point, if it has one."""
        if self.estate is None or self.estate.lon is None or self.estate.lat is None:
            return None
        return Point(self.estate.lon, self.estate.lat)

    def company(self, day: date) -> Company | None:
        """Who serves the estate on `day`."""
        running = [c for start, end, c in self.contracts if start <= day and (end is None or day < end)]
        return running[-1] if running else None


@dataclass(slots=True)
class Places:
    """The estates, buildings, contracts and towns that some new orders name."""

    district: Division | None
    estates: dict[str, Estate] = field(default_factory=dict)
    contracts: dict[uuid.UUID, list[tuple[date, date | None, Company]]] = field(default_factory=dict)
    buildings: dict[tuple[uuid.UUID, str], Building] = field(default_factory=dict)
    towns: dict[str, Division] = field(default_factory=dict)

    @classmethod
    def of(cls, news: Sequence[NewOrder]) -> Places:
        """Those that `news` name, in a constant number of queries."""
        named = {str(new.estate) for new in news if new.estate not in (None, "")}
        ids = [uid for uid in map(_as_uuid, named) if uid is not None]
        wanted = Estate.objects.filter(Q(code__in=named) | Q(pk__in=ids)) if named else Estate.objects.none()
        buildings = any(new.building for new in news)
        elsewhere = any(new.estate in (None, "") for new in news)
        return cls._load(wanted, buildings=buildings, towns=elsewhere, district=elsewhere)

    @classmethod
    def everything(cls) -> Places:
        """All places of the installation, for simulations and imports."""
        return cls._load(Estate.objects.all(), buildings=True, towns=True, district=True)

    @classmethod
    def _load(cls, wanted: Any, *, buildings: bool, towns: bool, district: bool) -> Places:
        places = cls(district=the_district() if district else None)
        rows = list(wanted.select_related("town", "committee"))
        for estate in rows:
            places.estates[estate.code] = places.estates[str(estate.id)] = estate
        ids = [estate.id for estate in rows]
        if rows:
            contracts = Contract.objects.filter(estate_id__in=ids) if len(ids) < 500 else Contract.objects.all()
            for contract in contracts.select_related("company").order_by("valid_from"):
                span = (contract.valid_from, contract.valid_to, contract.company)
                places.contracts.setdefault(contract.estate_id, []).append(span)
        if rows and buildings:
            every = Building.objects.filter(estate_id__in=ids) if len(ids) < 500 else Building.objects.all()
            places.buildings = {(building.estate_id, building.name): building for building in every}
            places.buildings |= {(building.estate_id, str(building.id)): building for building in every}
        if towns:
            today = timezone.localdate()
            every_town = Division.objects.valid_on(today).filter(level=Level.TOWN)
            places.towns = {town.code: town for town in every_town}
        return places

    def spot(self, new: NewOrder) -> Spot:
        """Where `new` is, by its estate or town.

        Raises:
            BadInput: `unknown_estate`, `unknown_building`, `unknown_town`.
        """
        spot = Spot(district=self.district.code if self.district else "", near=_point(self.district))
        if new.estate not in (None, ""):
            estate = self.estates.get(str(new.estate))
            if estate is None:
                raise BadInput.of("estate", "unknown_estate", _("没有这个小区，请重新选择。"))
            spot.estate, spot.district = estate, estate.district
            spot.town, spot.committee = estate.town, estate.committee
            spot.near = spot.point or spot.near
            spot.contracts = self.contracts.get(estate.id, ())
            if new.building not in (None, ""):
                spot.building = self.buildings.get((estate.id, str(new.building)))
                if spot.building is None:
                    raise BadInput.of("building", "unknown_building", _("这个小区没有这栋楼，请重新选择。"))
        elif new.town:
            spot.town = self.towns.get(new.town)
            if spot.town is None:
                raise BadInput.of("town", "unknown_town", _("没有这个街镇。"))
        return spot

    def around(self, spot: Spot, point: Point | None) -> Spot:
        """For an order without an estate: the town whose centroid is nearest to the point."""
        if spot.town is None and point is not None:
            spot.town = self.town_at(point)
        return spot

    def town_at(self, point: Point) -> Division | None:
        """The town whose centroid is nearest to `point`, if any is near."""
        return _nearest(self.towns.values(), point)


def _nearest(towns: Iterable[Division], point: Point) -> Division | None:
    reach = [(distance_m(at, point), town) for town in towns if (at := _point(town)) is not None]
    metres, town = min(reach, key=lambda pair: pair[0], default=(float("inf"), None))
    return town if metres <= TOWN_KM * 1000 else None


def _point(division: Division | None) -> Point | None:
    if division is None or division.lon is None or division.lat is None:
        return None
    return Point(division.lon, division.lat)


def _as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
