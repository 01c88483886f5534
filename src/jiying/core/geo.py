"""Points on the earth, and the coordinate systems Chinese maps speak.

WGS-84 is what GPS and the database speak.

CGCS2000 counts as WGS-84: both are realisations of ITRF, their ellipsoids differ only in the flattening
(1/298.257222101 against 1/298.257223563, GB 22021-2008), which moves a point by about 0.1 mm; what remains is
the drift of the plates since epoch 2000.0, some decimetres, and a telephone's position is good to metres.

GCJ-02 is what Chinese map services show, some hundred metres off.  Its definition is not public.  The series
used here is the one known from the open literature (Krasovsky 1940 ellipsoid, origin 105°E 35°N, a polynomial
and sines of several periods); its values are tested against published ones, the inverse is ours.  It applies
inside a rectangle around China, which also covers neighbours: outside it GCJ-02 is WGS-84.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from jiying.core.errors import BadInput

EARTH_M = 6_371_008.8
_KRASOVSKY_A = 6_378_245.0
_KRASOVSKY_E2 = 0.00669342162296594323
SYSTEMS = ("WGS-84", "GCJ-02", "CGCS2000")


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees, WGS-84."""

    lon: float
    lat: float


def distance_m(a: Point, b: Point) -> float:
    """Metres along the great circle (haversine)."""
    lat1, lat2 = math.radians(a.lat), math.radians(b.lat)
    h = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    )
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(h)))


def in_china(lon: float, lat: float) -> bool:
    """The box inside which GCJ-02 shifts points."""
    return 72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271


def _shift(lon: float, lat: float) -> tuple[float, float]:
    """Degrees by which GCJ-02 moves a WGS-84 point (the series known from the open literature)."""
    x, y = lon - 105.0, lat - 35.0
    ripple = (20 * math.sin(6 * math.pi * x) + 20 * math.sin(2 * math.pi * x)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + ripple
    north += (20 * math.sin(math.pi * y) + 40 * math.sin(math.pi / 3 * y)) * 2 / 3
    north += (160 * math.sin(math.pi / 12 * y) + 320 * math.sin(math.pi / 30 * y)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + ripple
    east += (20 * math.sin(math.pi * x) + 40 * math.sin(math.pi / 3 * x)) * 2 / 3
    east += (150 * math.sin(math.pi / 12 * x) + 300 * math.sin(math.pi / 30 * x)) * 2 / 3
    phi = math.radians(lat)
    w2 = 1 - _KRASOVSKY_E2 * math.sin(phi) ** 2
    meridian = _KRASOVSKY_A * (1 - _KRASOVSKY_E2) / (w2 * math.sqrt(w2))
    parallel = _KRASOVSKY_A / math.sqrt(w2) * math.cos(phi)
    return math.degrees(east / parallel), math.degrees(north / meridian)


def to_gcj02(point: Point) -> tuple[float, float]:
    """(lon, lat) in GCJ-02, degrees; the point itself outside China."""
    if not in_china(point.lon, point.lat):
        return point.lon, point.lat
    east, north = _shift(point.lon, point.lat)
    return point.lon + east, point.lat + north


def from_gcj02(lon: float, lat: float) -> Point:
    """The WGS-84 point shown at (lon, lat) in GCJ-02, by fixed-point iteration to better than 1e-8 degrees.

    The shift changes by less than 1 % of the way moved, so that each step gains two digits.
    """
    if not in_china(lon, lat):
        return Point(lon, lat)
    x, y = lon, lat
    for _round in range(20):
        east, north = _shift(x, y)
        moved = max(abs(lon - east - x), abs(lat - north - y))
        x, y = lon - east, lat - north
        if moved < 1e-9:
            break
    return Point(x, y)


def to_crs(point: Point, crs: str) -> tuple[float, float]:
    """(lon, lat) of a point in one of `SYSTEMS`, degrees.

    Raises:
        BadInput: `bad_point`: unknown system.
    """
    _check_system(crs, "point")
    return to_gcj02(point) if crs == "GCJ-02" else (point.lon, point.lat)


def from_crs(lon: Any, lat: Any, crs: Any = "WGS-84", *, field: str = "point") -> Point:
    """A WGS-84 point from coordinates in one of `SYSTEMS`, numbers or their text, degrees.

    Raises:
        BadInput: `bad_point`: no numbers, out of range, swapped, unknown system.
    """
    _check_system(crs, field)
    try:
        x, y = float(lon), float(lat)
    except (TypeError, ValueError, OverflowError) as error:
        raise _bad(field, _("经度和纬度应为数字。")) from error
    if isinstance(lon, bool) or isinstance(lat, bool) or not (math.isfinite(x) and math.isfinite(y)):
        raise _bad(field, _("经度和纬度应为数字。"))
    if abs(y) > 90 and abs(x) <= 90 and abs(y) <= 180:
        raise _swapped(field)
    if abs(x) > 180 or abs(y) > 90:
        raise _bad(field, _("经度应在 ±180 之内，纬度应在 ±90 之内。"))
    if x == 0 and y == 0:
        raise _bad(field, _("位置是 0,0，手机可能还没有定位成功。"))
    return from_gcj02(x, y) if crs == "GCJ-02" else Point(x, y)


def check_point(
    lon: Any,
    lat: Any,
    crs: Any = "WGS-84",
    *,
    near: Point | None,
    within_km: float,
    field: str = "point",
) -> Point:
    """Like `from_crs`, and not farther than `within_km` from `near` (where that is known).

    Raises:
        BadInput: `bad_point`, with how far away it is.
    """
    point = from_crs(lon, lat, crs, field=field)
    if near is None:
        return point
    away = distance_m(point, near) / 1000
    if away <= within_km:
        return point
    if abs(point.lon) <= 90 and distance_m(Point(point.lat, point.lon), near) / 1000 <= within_km:
        raise _swapped(field)
    raise _bad(field, _("这个位置离本区有 %(km)d 公里，可能在海里或在别的城市，请核对。") % {"km": round(away)})


def _check_system(crs: Any, field: str) -> None:
    if crs not in SYSTEMS:
        raise _bad(field, _("坐标系应为 WGS-84、GCJ-02 或 CGCS2000。"))


def _swapped(field: str) -> BadInput:
    return _bad(field, _("经度和纬度好像写反了：lon 是经度，lat 是纬度。"))


def _bad(field: str, message: str) -> BadInput:
    return BadInput.of(field, "bad_point", message)
