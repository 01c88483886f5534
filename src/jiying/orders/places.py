"""Where a new order is: from a code, a point or a town's name to estate, town, company.

Loaded once for many orders, so that bulk intake asks the database a constant number of questions.
"""

from __future__ import annotations

import time
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


REMEMBER_S = 30.0
MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class _Known:
    """An estate as it was read, with its contracts; good until `until` on the monotonic clock."""

    estate: Estate
    contracts: list[tuple[date, date | None, Company]]
    until: float


_remembered: dict[str, _Known] = {}


def _remember(places: Places, named: Iterable[str]) -> None:
    """Keep what was read for half a minute: a third of intake's work was asking for the same estates again.

    Contracts begin and end by the day, and are judged by the day at every use; only a contract that is entered now
    is seen half a minute later.
    """
    if len(_remembered) > MOST_REMEMBERED:
        _remembered.clear()
    until = time.monotonic() + REMEMBER_S
    for code in named:
        estate = places.estates.get(code)
        if estate is not None:
            _remembered[code] = _Known(estate, places.contracts.get(estate.pk, []), until)


def forget() -> None:
    """Read estates anew: for tests, and when one turns out to be gone."""
    _remembered.clear()


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
        # What cannot be printed is no code; databases refuse to be asked about some of it.
        named = {code for new in news if new.estate not in (None, "") and (code := str(new.estate)).isprintable()}
        places = cls(district=None)
        if unread := {code for code in named if not places._take_remembered(code)}:
            places._read(unread)
            _remember(places, unread)
        if any(new.building for new in news):
            places._take_buildings(Building.objects.filter(estate__in={e.pk for e in places.estates.values()}))
        if any(new.estate in (None, "") for new in news):
            places._take_divisions()
        return places

    def _read(self, named: set[str]) -> None:
        ids = [uid for uid in map(_as_uuid, named) if uid is not None]
        self._take_contracts(_contracts().filter(Q(estate__code__in=named) | Q(estate_id__in=ids)))
        if unserved := named - self.estates.keys():
            # Not served by anybody, or not known.
            ids = [uid for uid in map(_as_uuid, unserved) if uid is not None]
            self._take_estates(_estates().filter(Q(code__in=unserved) | Q(pk__in=ids)))

    def _take_remembered(self, code: str) -> bool:
        """Take an estate with its contracts from memory, if it was read a moment ago."""
        known = _remembered.get(code)
        if known is None or known.until < time.monotonic():
            return False
        self._take_estates([known.estate])
        self.contracts[known.estate.pk] = known.contracts
        return True

    @classmethod
    def everything(cls) -> Places:
        """All places of the installation, for simulations and imports."""
        places = cls(district=None)
        places._take_estates(_estates())
        places._take_contracts(_contracts())
        places._take_buildings(Building.objects.all())
        places._take_divisions()
        return places

    def _take_estates(self, estates: Iterable[Estate]) -> None:
        for estate in estates:
            self.estates[estate.code] = self.estates[str(estate.pk)] = estate

    def _take_contracts(self, contracts: Iterable[Contract]) -> None:
        for contract in contracts:
            if contract.estate.code not in self.estates:
                self._take_estates([contract.estate])
            span = (contract.valid_from, contract.valid_to, contract.company)
            self.contracts.setdefault(contract.estate_id, []).append(span)

    def _take_buildings(self, buildings: Iterable[Building]) -> None:
        for building in buildings:
            for name in (building.name, str(building.pk)):
                self.buildings[building.estate_id, name] = building

    def _take_divisions(self) -> None:
        self.district = the_district()
        towns = Division.objects.valid_on(timezone.localdate()).filter(level=Level.TOWN)
        self.towns = {town.code: town for town in towns}

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


def _estates() -> Any:
    return Estate.objects.select_related("town", "committee")


def _contracts() -> Any:
    rows = Contract.objects.select_related("company", "estate", "estate__town", "estate__committee")
    return rows.order_by("valid_from")


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
