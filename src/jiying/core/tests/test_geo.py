"""Points, coordinate systems, distances."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiying.core.errors import BadInput
from jiying.core.geo import SYSTEMS, Point, check_point, distance_m, from_crs, to_crs

LUJIAZUI = Point(121.508, 31.239)
EVERYWHERE = st.builds(Point, st.floats(-180, 180), st.floats(-90, 90))
#: A degree inside the edge of the rectangle: at the edge itself the shift begins with a jump.
IN_CHINA = st.builds(Point, st.floats(73.1, 136.8), st.floats(1.9, 54.8))


def refusal(*args, **kwargs):
    with pytest.raises(BadInput) as caught:
        check_point(*args, **{"near": LUJIAZUI, "within_km": 100, **kwargs})
    assert caught.value.first_code == "bad_point"
    return caught.value


@given(IN_CHINA)
def test_a_point_goes_to_gcj02_and_back_within_a_millimetre(point):
    back = from_crs(*to_crs(point, "GCJ-02"), "GCJ-02")
    assert abs(back.lon - point.lon) < 1e-8
    assert abs(back.lat - point.lat) < 1e-8


@given(IN_CHINA)
def test_gcj02_moves_a_point_in_china_by_less_than_two_kilometres(point):
    assert distance_m(point, Point(*to_crs(point, "GCJ-02"))) < 2_000


@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [
        # The points by which open implementations of the series (eviltransform, coordtransform) are checked.
        (Point(121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        (Point(113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        (Point(116.404, 39.915), (116.41024449916938, 39.91640428150164)),
    ],
)
def test_the_series_gives_the_values_known_from_the_open_literature(wgs, gcj):
    assert to_crs(wgs, "GCJ-02") == pytest.approx(gcj, abs=1e-9)


@pytest.mark.parametrize("point", [Point(-73.98, 40.75), Point(2.35, 48.85), Point(151.2, -33.9)])
def test_outside_china_gcj02_is_wgs84(point):
    assert to_crs(point, "GCJ-02") == (point.lon, point.lat)
    assert from_crs(point.lon, point.lat, "GCJ-02") == point


def test_cgcs2000_is_wgs84_at_our_precision():
    assert from_crs(121.5, 31.2, "CGCS2000") == Point(121.5, 31.2)
    assert to_crs(LUJIAZUI, "CGCS2000") == (121.508, 31.239)


def test_a_degree_of_latitude_is_about_111_km():
    assert distance_m(Point(121, 31), Point(121, 32)) == pytest.approx(111_195, rel=1e-4)


@given(EVERYWHERE, EVERYWHERE)
def test_a_distance_is_the_same_both_ways_and_never_more_than_half_round_the_earth(a, b):
    assert distance_m(a, b) == pytest.approx(distance_m(b, a), abs=1e-6)
    assert 0 <= distance_m(a, b) <= 20_015_200


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ("here", 31.2),
        (None, None),
        (True, 31.2),
        ([121.5], 31.2),
        (math.nan, 31.2),
        ("nan", "nan"),
        (math.inf, 31.2),
        (10**400, 31.2),
        (181, 31.2),
        (121.5, -91),
    ],
)
def test_what_is_no_pair_of_degrees_is_refused(lon, lat):
    refusal(lon, lat)


def test_swapped_coordinates_are_called_swapped():
    for lon, lat, near in [
        (31.239, 121.508, LUJIAZUI),
        (31.239, 121.508, None),
        (40.75, -73.98, Point(-73.98, 40.75)),
    ]:
        assert "写反" in refusal(lon, lat, near=near).detail


def test_zero_zero_is_no_position():
    assert "0,0" in refusal(0, 0, near=None).detail


def test_a_point_far_away_is_refused_with_its_distance():
    error = refusal(-73.98, 40.75)
    assert "118" in error.detail
    assert "公里" in error.detail


def test_a_point_in_the_sea_is_refused():
    assert "海里" in refusal(123.5, 31.2).detail


@pytest.mark.parametrize("crs", ["BD-09", "", None, ["WGS-84"]])
def test_an_unknown_system_is_refused(crs):
    refusal(121.5, 31.2, crs)
    with pytest.raises(BadInput):
        to_crs(LUJIAZUI, crs)


@pytest.mark.parametrize("crs", SYSTEMS)
def test_a_good_point_passes_in_every_system(crs):
    point = check_point("121.512", "31.237", crs, near=LUJIAZUI, within_km=5)
    assert distance_m(point, LUJIAZUI) < 1_500


def test_the_field_that_is_wrong_is_named():
    assert refusal("x", "y", field="data.point").errors[0].field == "data.point"
