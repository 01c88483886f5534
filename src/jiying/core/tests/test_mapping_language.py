"""What a mapping file may say, and what is said about a wrong one."""

from __future__ import annotations

import pytest

from jiying.core.mapping import MappingError, Staff, load, shipped
from jiying.core.mapping.language import parse
from jiying.core.mapping.staff import parse_shift

SMALL = """\
version: 1
timezone: Asia/Shanghai
columns:
  external_id: {from: No, required: true}
  reported_at: {from: Time}
"""


def faults(text):
    with pytest.raises(MappingError) as caught:
        parse(text.encode(), "mine.yaml")
    assert str(caught.value).startswith("mine.yaml:")
    return caught.value.errors


def test_the_smallest_mapping_has_sensible_defaults():
    mapping = parse(SMALL.encode())
    assert (mapping.crs, mapping.calendar, mapping.encoding) == ("WGS-84", "none", "auto")
    assert mapping.defaults == {}
    assert mapping.staff == Staff()


def test_every_form_of_the_contract_is_understood():
    mapping = parse(
        b"""
version: 1
timezone: America/New_York
crs: WGS-84
calendar: none            # or CN
encoding: auto            # utf-8, gb18030
columns:                  # ours: theirs
  external_id: {from: Unique Key, required: true}
  reported_at: {from: Created Date, format: "%m/%d/%Y %I:%M:%S %p"}
  town:        {from: Community Board, reject: ["", "Unspecified*"]}
  building:    {from: BBL, else: Incident Address}
  category:    {from: [Complaint Type, Descriptor], table: categories}
defaults: {kind: repair}
tables: {categories: {"HEAT/HOT WATER|*": {category: heating, urgency: emergency}}}
staff: {workers_per_100_orders: 12, shifts: ["07:30-16:00"], skills_from: category}
"""
    )
    assert [column.name for column in mapping.columns] == [
        *("external_id", "reported_at", "town", "building", "category"),
    ]
    assert mapping.look_up["categories"]("HEAT/HOT WATER|x") == {"category": "heating", "urgency": "emergency"}
    assert mapping.staff.shifts == ((450, 960),)


def test_every_mapping_that_ships_loads_by_its_name():
    assert "nyc311" in shipped()
    assert [load(name).name for name in shipped()] == shipped()


def test_a_mapping_loads_from_a_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(SMALL, encoding="utf-8")
    assert load(path).name == load(str(path)).name == str(path)


@pytest.mark.parametrize("name", ["nyc312", "", ".", "/nowhere/mine.yaml"])
def test_a_mapping_that_is_not_there_is_named_with_those_that_are(name):
    with pytest.raises(MappingError, match="nyc311"):
        load(name)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("version: 1", "version: 2", 1, "1 was expected"),
        ("Asia/Shanghai", "Asia/Pudong", 2, "no time zone"),
        ("Asia/Shanghai", "../../etc/passwd", 2, "no time zone"),
        ("{from: Time}", "{form: Time}", 5, "form"),
        ("{from: Time}", "{from: []}", 5, "neither"),
        ("{from: Time}", "{from: Time, table: kinds}", 5, "no table “kinds”"),
        ("{from: Time}", "{from: Time, required: 1}", 5, "boolean"),
        ("  reported_at: {from: Time}", "  lon: {from: Time}", 3, "lon and lat go together"),
        ("columns:", "colour: red\ncolumns:", 1, "colour"),
        ("columns:", "crs: BD-09\ncolumns:", 3, "BD-09"),
        ("columns:", "staff: {shifts: [08:00-25:00]}\ncolumns:", 3, "write a shift"),
        ("columns:", "staff: {skills_from: trade}\ncolumns:", 3, "trade"),
        ("columns:", "staff: {speed_kmh: 0}\ncolumns:", 3, "speed_kmh"),
        ("columns:", "tables: {t: {x: [1]}}\ncolumns:", 3, "neither"),
        ("version: 1\n", "version: 1\nversion: 1\n", 2, "twice"),
    ],
)
def test_a_fault_is_told_with_its_line(old, new, line, said):
    assert old in SMALL
    found = faults(SMALL.replace(old, new))
    assert (line, True) in [(at, said in words) for at, words in found]


def test_all_faults_of_a_stage_are_told_at_once():
    assert len(faults(SMALL.replace("version: 1", "version: 2").replace("{from: Time}", "{}"))) == 2


@pytest.mark.parametrize("raw", [b"", b"- a\n", b"\xff\xfe", b"just text"])
def test_a_file_that_is_no_mapping_is_refused(raw):
    with pytest.raises(MappingError):
        parse(raw)


@pytest.mark.parametrize("text", ["", "8-16", "08:00", "08:00-24:01", "08:60-09:00", "08:00-16:00 "])
def test_a_shift_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="write a shift"):
        parse_shift(text)


def test_a_shift_over_midnight_ends_on_the_next_day():
    assert parse_shift("22:00-06:00") == (1320, 1800)
    assert parse_shift("00:00-24:00") == (0, 1440)
    assert parse_shift("08:00-08:00") == (480, 1920)


def test_the_staff_section_is_read():
    text = SMALL + (
        "staff: {workers_per_100_orders: 12, shifts: ['07:30-16:00'], skills_from: external_id,"
        " service_min: {lift: 60}}\n"
    )
    staff = parse(text.encode()).staff
    assert (staff.workers_per_100_orders, staff.shifts, staff.skills_from) == (12, ((450, 960),), "external_id")
    assert staff.service_minutes("lift", "ordinary") == 60
    assert staff.service_minutes("leak", "emergency") == Staff().service_min["emergency"]
    assert staff.travel_minutes(9_000) == staff.travel_overhead_min + 30
