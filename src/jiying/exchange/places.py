"""Where rows belong: towns, committees, estates and companies by code or by name, and towns still to be made."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core.crypto import sm3_hex
from jiying.core.errors import BadInput, NotYours
from jiying.core.geo import Point, distance_m
from jiying.core.ids import uuid7
from jiying.core.mapping import Mapping
from jiying.estates.models import Company, Division, Estate, Level
from jiying.estates.queries import the_district
from jiying.people.scopes import Scope


@dataclass(slots=True)
class FreshTown:
    """A town that the import will make; its middle is the mean of the points seen."""

    division: Division
    lons: float = 0.0
    lats: float = 0.0
    points: int = 0
    used: bool = False

    def see(self, point: Point | None) -> None:
        self.used = True
        if point is not None:
            self.lons, self.lats, self.points = self.lons + point.lon, self.lats + point.lat, self.points + 1

    def facts(self, district: str) -> dict[str, Any]:
        town = self.division
        facts = {"code": town.code, "name": town.name, "level": str(Level.TOWN), "parent": district}
        if not self.points:
            return facts
        return {**facts, "lon": round(self.lons / self.points, 6), "lat": round(self.lats / self.points, 6)}


@dataclass(slots=True)
class Book:
    """The district of an import and what it knows by name; `fresh` are the towns that it will make."""

    mapping: Mapping
    district: Division | None
    new_district: bool = False
    towns: dict[str, Division] = field(default_factory=dict)
    fresh: dict[str, FreshTown] = field(default_factory=dict)
    own_towns: frozenset[str] | None = None
    _committees: dict[str, list[Division]] | None = None
    _estates: dict[str, list[tuple[str, str]]] | None = None
    _companies: dict[str, list[str]] | None = None

    @classmethod
    def open(cls, mapping: Mapping, scope: Scope | None, *, code: str = "") -> Book:
        """The book of the installation's district, or of the one that the mapping makes.

        Raises:
            BadInput: `no_district`.  NotYours: not a district of the asker's.
        """
        district = Division.objects.filter(level=Level.DISTRICT, code=code).first() if code else the_district()
        new = False
        if district is None and mapping.district is not None:
            named = mapping.district
            district = Division(
                id=uuid7(),
                code=named["code"],
                name=named["name"],
                name_en=named.get("name_en", ""),
                level=Level.DISTRICT,
                timezone=str(mapping.timezone),
            )
            new = True
        own = None
        if scope is not None:
            own = _own_towns(scope, district)
        book = cls(mapping=mapping, district=district, new_district=new, own_towns=own)
        if district is not None and not new:
            rows = Division.objects.valid_on(timezone.localdate()).filter(level=Level.TOWN, parent=district)
            for town in rows:
                book.towns[town.code] = town
            for town in rows:
                book.towns.setdefault(town.name, town)
        return book

    @property
    def district_code(self) -> str:
        return self.district.code if self.district else ""

    def need_district(self) -> Division:
        """The district (BadInput: there is none)."""
        if self.district is None:
            raise BadInput.of(
                "district", "no_district", _("还没有区：请先导入区划（divisions），或在映射里写明 district。")
            )
        return self.district

    # -- towns -----------------------------------------------------------------------------------

    def town(self, values: dict[str, Any], point: Point | None) -> Division | None:
        """The town a row names or lies in; None where it says nothing.

        Raises:
            BadInput: `unknown_town`.  NotYours: a town officer's row of another town.
        """
        named = str(values.get("town") or "").strip()
        town = None
        if not named or named == self.mapping.defaults.get("town"):
            town = self._nearest(point)
        if town is None and named:
            town = self.towns.get(named) or self._fresh(named, point)
            if town is None:
                raise BadInput.of("town", "unknown_town", _("没有这个街镇：%(name)s") % {"name": named[:80]})
        if self.own_towns is not None and (town is None or town.code not in self.own_towns):
            raise NotYours(_("这一行属于别的街镇，您只能导入本街镇的。"))
        return town

    def _nearest(self, point: Point | None) -> Division | None:
        if point is None or self.mapping.nearest_town_km is None:
            return None
        reach = [
            (distance_m(Point(town.lon, town.lat), point), town.code)
            for town in {town.code: town for town in self.towns.values()}.values()
            if town.lon is not None and town.lat is not None
        ]
        metres, code = min(reach, default=(float("inf"), ""))
        return self.towns[code] if metres <= self.mapping.nearest_town_km * 1000 else None

    def _fresh(self, name: str, point: Point | None) -> Division | None:
        if "towns" not in self.mapping.create:
            return None
        fresh = self.fresh.get(name)
        if fresh is None:
            code = name if len(name) <= 20 and name != self.district_code else f"T{sm3_hex(name.encode())[:8]}"
            town = Division(id=uuid7(), code=code, name=name[:80], level=Level.TOWN, parent=self.need_district())
            fresh = self.fresh[name] = FreshTown(town)
        fresh.see(point)
        return fresh.division

    def to_make(self) -> list[dict[str, Any]]:
        """Facts of the divisions to be made before anything else: the district and the towns that rows use."""
        made: list[dict[str, Any]] = []
        district = self.district
        if district is not None and self.new_district:
            made.append(
                {
                    "code": district.code,
                    "name": district.name,
                    "name_en": district.name_en,
                    "level": str(Level.DISTRICT),
                    "parent": "",
                    "timezone": district.timezone,
                }
            )
        return made + [town.facts(self.district_code) for town in self.fresh.values() if town.used]

    # -- others ----------------------------------------------------------------------------------

    def committee(self, named: str, town: Division | None) -> Division:
        """A committee by code, or by name within the town (BadInput `unknown_committee`)."""
        if self._committees is None:
            self._committees = defaultdict(list)
            rows = Division.objects.valid_on(timezone.localdate()).filter(level=Level.COMMITTEE)
            for row in rows.filter(parent__parent__code=self.district_code):
                self._committees[row.code].append(row)
                self._committees[row.name].append(row)
        found = self._committees.get(named, [])
        if town is not None:
            found = [row for row in found if row.parent_id == town.pk or row.code == named]
        if len(found) != 1:
            raise BadInput.of("committee", "unknown_committee", _("没有这个居村委：%(name)s") % {"name": named[:80]})
        return found[0]

    def estate(self, named: str, town: Division | None = None, name: str = "estate") -> str:
        """The code of an estate by code or by a name that only one has (BadInput `unknown_estate`)."""
        if self._estates is None:
            self._estates = defaultdict(list)
            rows = Estate.objects.filter(district=self.district_code).values_list("code", "name", "town__code")
            for code, called, where in rows:
                self._estates[called].append((code, where))
            for code, _called, where in rows:
                self._estates[code] = [(code, where)]
        found = self._estates.get(named, [])
        if len(found) > 1 and town is not None:
            found = [pair for pair in found if pair[1] == town.code]
        if len(found) > 1:
            raise BadInput.of(name, "ambiguous_estate", _("有几个小区叫这个名字，请写代码：%(n)s") % {"n": named[:80]})
        if not found:
            raise BadInput.of(name, "unknown_estate", _("没有这个小区：%(name)s") % {"name": named[:80]})
        if self.own_towns is not None and found[0][1] not in self.own_towns:
            raise NotYours(_("这一行属于别的街镇，您只能导入本街镇的。"))
        return found[0][0]

    def company(self, named: str, field: str = "company") -> str:
        """A company's credit code, from it or from a name that only one has (BadInput `unknown_company`)."""
        if self._companies is None:
            self._companies = defaultdict(list)
            for uscc, called in Company.objects.values_list("uscc", "name"):
                self._companies[called].append(uscc)
                self._companies[uscc] = [uscc]
        found = self._companies.get(named) or self._companies.get(named.upper().replace(" ", ""), [])
        if len(found) != 1:
            raise BadInput.of(field, "unknown_company", _("没有这家企业：%(name)s") % {"name": named[:80]})
        return found[0]


def _own_towns(scope: Scope, district: Division | None) -> frozenset[str] | None:
    """The towns somebody may import into; None: the whole district.

    Raises:
        NotYours: they may not import at all.
    """
    code = district.code if district else ""
    if scope.roles & {"district", "supervisor"} and code in scope.districts:
        return None
    if "town" in scope.roles and scope.towns:
        return scope.towns
    raise NotYours(_("导入由区物管处、值班长或街镇房办来做。"))
