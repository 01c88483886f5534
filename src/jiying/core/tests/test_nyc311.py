"""New York's requests of one day through the mapping that ships."""

from __future__ import annotations

import csv
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jiying.core.mapping import Reject, Row, load, read_table, rows

SHARED = Path(os.environ.get("JIYING_SHARED", Path(__file__).parents[5] / "shared"))
FILE = SHARED / "data" / "nyc311-2023-02-28-before-1730.csv"

CATEGORIES = {
    *("water_pipe", "leak", "drain", "power", "lift", "door_lock", "access_control", "fire_safety"),
    *("public_facility", "environment", "complaint", "other", "heating", "gas", "appliance"),
    *("structure", "pests"),
}
KINDS = {"repair", "complaint", "enquiry", "suggestion", "praise", "rectification"}
EMERGENCIES = {
    ("HEAT/HOT WATER", "ENTIRE BUILDING"),
    ("HEAT/HOT WATER", "APARTMENT ONLY"),
    ("WATER LEAK", "HEAVY FLOW"),
    ("PLUMBING", "WATER SUPPLY"),
    ("PLUMBING", "BOILER"),
    ("PLUMBING", "STEAM PIPE/RISER"),
    ("ELECTRIC", "POWER OUTAGE"),
    ("GENERAL", "COOKING GAS"),
    ("UNSANITARY CONDITION", "SEWAGE"),
    ("SAFETY", "CARBON MONOXIDE DETECTOR"),
    ("SAFETY", "SMOKE DETECTOR"),
    ("ELEVATOR", "MAINTENANCE"),
}


@pytest.fixture(scope="module")
def found():
    return list(rows(load("nyc311"), read_table(FILE)))


@pytest.fixture(scope="module")
def source():
    with FILE.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def taken(found):
    return [row for row in found if isinstance(row, Row)]


def test_the_table_gives_our_categories_kinds_and_urgencies_only():
    look_up = load("nyc311").look_up["categories"]
    assert look_up("Something new|of another day") == {"category": "other", "kind": "complaint"}
    assert look_up("HEAT/HOT WATER|APARTMENT ONLY") == {"category": "heating", "urgency": "emergency"}


@pytest.mark.needs_shared
def test_every_request_becomes_one_row_or_one_reject(found, source):
    assert len(found) == len(source) == 2_810
    assert [row.line for row in found] == list(range(2, 2_812))
    assert [row.source["Unique Key"] for row in found] == [row["Unique Key"] for row in source]


@pytest.mark.needs_shared
def test_only_requests_without_a_board_are_rejected(found, source):
    unplaced = [row["Unique Key"] for row in source if row["Community Board"].startswith("Unspecified")]
    rejects = [row for row in found if isinstance(row, Reject)]
    assert [reject.source["Unique Key"] for reject in rejects] == unplaced
    assert {(reject.field, reject.code) for reject in rejects} == {("town", "rejected")}


@pytest.mark.needs_shared
def test_the_apartment_repairs_alone():
    table = read_table(FILE)
    repairs = list(rows(load("nyc311"), table, only={"Agency": "HPD"}))
    assert len(repairs) == 1_088
    for row in repairs:
        assert isinstance(row, Row)
        kind = (row.source["Complaint Type"], row.source["Descriptor"])
        assert (row.values["urgency"] == "emergency") == (kind in EMERGENCIES), kind


@pytest.mark.needs_shared
def test_every_row_has_its_place_its_time_and_words_that_we_know(taken):
    for row in taken:
        assert row.values["category"] in CATEGORIES
        assert row.values["kind"] in KINDS
        assert row.values["urgency"] in {"emergency", "ordinary"}
        assert row.values["channel"] in {"page", "phone", "import"}
        assert all(row.values[name] for name in ("town", "building", "address"))
        assert (
            datetime(2023, 2, 28, 16, tzinfo=UTC)
            <= row.values["reported_at"]
            < datetime(2023, 2, 28, 22, 30, tzinfo=UTC)
        )


@pytest.mark.needs_shared
def test_no_type_of_the_file_is_left_to_the_last_line_of_the_table(taken):
    others = Counter(row.source["Complaint Type"] for row in taken if row.values["category"] == "other")
    assert set(others) <= {"Lead", "Lost Property", "Taxi Compliment"}


@pytest.mark.needs_shared
def test_what_is_no_repair_is_never_an_emergency(taken):
    assert not [row.line for row in taken if row.values["kind"] != "repair" and row.values["urgency"] == "emergency"]


@pytest.mark.needs_shared
def test_a_tax_lot_is_the_building_and_else_the_address(taken):
    for row in taken:
        lot = row.source["BBL"]
        if len(lot) == 12:
            assert row.values["building"] == lot[:10]
        elif row.source["Incident Address"]:
            assert row.values["building"] == row.source["Incident Address"].strip()
    assert all(row.values["building"] != "0.0" for row in taken)


@pytest.mark.needs_shared
def test_points_are_where_the_source_says(taken):
    for row in taken:
        if row.source["Latitude"]:
            assert (row.values["lon"], row.values["lat"]) == (
                float(row.source["Longitude"]),
                float(row.source["Latitude"]),
            )
        else:
            assert "lon" not in row.values


@pytest.mark.needs_shared
def test_somebody_is_on_duty_at_every_hour_of_the_file(taken):
    zone, shifts = load("nyc311").timezone, load("nyc311").staff.shifts
    for row in taken:
        local = row.values["reported_at"].astimezone(zone)
        minute = local.hour * 60 + local.minute
        assert any(start <= at < end for start, end in shifts for at in (minute, minute + 1440))
