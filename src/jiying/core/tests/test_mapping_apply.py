"""Rows and rejects out of a table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from jiying.core.mapping import MappingError, Reject, Row, read_table, rows
from jiying.core.mapping.language import parse, pattern_test


@pytest.fixture(autouse=True)
def _english():
    """Sentences are read as a command says them."""
    with translation.override("en"):
        yield


HEAD = "version: 1\ntimezone: America/New_York\n"


@pytest.fixture
def mapped(tmp_path):
    """The rows that a mapping's text makes of a table's text."""

    def run(mapping, table, **kwargs):
        path = tmp_path / "table.csv"
        path.write_text(table, encoding="utf-8", newline="")
        return list(rows(parse((HEAD + mapping).encode()), read_table(path), **kwargs))

    return run


def values(found):
    return [row.values if isinstance(row, Row) else (row.field, row.code, row.value) for row in found]


def test_a_row_keeps_its_line_and_its_source(mapped):
    (row,) = mapped("columns: {external_id: {from: No}}", "No,Else\n 7 ,x\n")
    assert row == Row(2, {"external_id": "7"}, {"No": " 7 ", "Else": "x"})


def test_a_required_value_and_a_rejected_one(mapped):
    mapping = 'columns: {no: {from: No, required: true}, town: {from: Town, reject: ["", "Unspec*"]}}'
    found = mapped(mapping, "No,Town\n,a\n1,\n2,Unspecified X\n3,b\n")
    assert values(found) == [
        ("no", "required", ""),
        ("town", "required", ""),
        ("town", "rejected", "Unspecified X"),
        {"no": "3", "town": "b"},
    ]
    assert all(isinstance(reject, Reject) and reject.reason for reject in found[:3])


def test_defaults_fill_what_is_empty_and_nothing_else(mapped):
    mapping = "columns: {kind: {from: K}}\ndefaults: {kind: repair, urgency: ordinary}"
    assert values(mapped(mapping, 'K\npraise\n"  "\n')) == [
        {"kind": "praise", "urgency": "ordinary"},
        {"kind": "repair", "urgency": "ordinary"},
    ]


def test_another_column_stands_in_where_the_first_is_empty(mapped):
    mapping = 'columns: {place: {from: Lot, trim_end: ".0", empty: ["0", "n/a"], else: [Street, [A, B], Board]}}'
    table = "Lot,Street,A,B,Board\n12.0,s,,,x\n0,s,,,x\nn/a,,one,two,x\n,n/a,,,x\n,,,only,x\n,,,,\n"
    assert [row.get("place") for row in values(mapped(mapping, table))] == [
        "12",
        "s",
        "one & two",
        "x",
        "only",
        None,
    ]


TABLE = """
columns: {category: {from: [Type, Detail], table: t}, note: {from: [Type, Detail], join: ": "}}
defaults: {urgency: ordinary}
tables:
  t:
    "HEAT|ENTIRE*": {category: heating, urgency: emergency}
    "HEAT|*": heating
    "Tip|": {category: other, urgency: ordinary}
    "LIFT?|*": lift
"""


def test_the_first_pattern_that_matches_gives_the_values(mapped):
    found = mapped(TABLE, "Type,Detail\nHEAT,ENTIRE BUILDING\nHEAT,FLAT\nTip,\nheat,x\nLIFTS,x\n")
    assert values(found) == [
        {"urgency": "emergency", "category": "heating", "note": "HEAT: ENTIRE BUILDING"},
        {"urgency": "ordinary", "category": "heating", "note": "HEAT: FLAT"},
        {"urgency": "ordinary", "category": "other", "note": "Tip"},
        ("category", "unknown_category", "heat|x"),
        ("category", "unknown_category", "LIFTS|x"),
    ]


def test_times_of_the_mappings_zone_become_utc(mapped):
    mapping = 'columns: {reported_at: {from: T, format: "%m/%d/%Y %I:%M:%S %p"}}'
    found = mapped(mapping, "T\n02/28/2023 05:29:57 PM\n07/01/2023 12:00:00 AM\n")
    assert [row["reported_at"] for row in values(found)] == [
        datetime(2023, 2, 28, 22, 29, 57, tzinfo=UTC),
        datetime(2023, 7, 1, 4, tzinfo=UTC),
    ]


def test_iso_times_need_no_format_and_keep_their_offset(mapped):
    found = mapped("columns: {reported_at: {from: T}}", "T\n2023-02-28T17:00:00+08:00\n2023-02-28 04:00\n")
    assert [row["reported_at"] for row in values(found)] == [datetime(2023, 2, 28, 9, tzinfo=UTC)] * 2


@pytest.mark.parametrize("time", ["yesterday", "2023-02-30 10:00", "2023-13-01", "0001-01-01T00:00:00+10:00"])
def test_what_is_no_time_rejects_the_row(mapped, time):
    assert values(mapped("columns: {reported_at: {from: T}}", f"T\n{time}\n")) == [("reported_at", "bad_time", time)]


def test_a_time_skipped_in_spring_is_rejected_and_one_shown_twice_in_autumn_is_the_first(mapped):
    found = mapped("columns: {reported_at: {from: T}}", "T\n2023-03-12 02:30\n2023-11-05 01:30\n")
    assert values(found) == [
        ("reported_at", "bad_time", "2023-03-12 02:30"),
        {"reported_at": datetime(2023, 11, 5, 5, 30, tzinfo=UTC)},
    ]


def test_points_become_wgs84(mapped):
    mapping = "crs: GCJ-02\ncolumns: {lon: {from: X}, lat: {from: Y}}"
    table = 'X,Y\n121.5,31.2\n,""\n31.2,121.5\n121.5,\n'
    first, none, swapped, half = values(mapped(mapping, table))
    assert (first["lon"], first["lat"]) == (pytest.approx(121.4955, abs=1e-3), pytest.approx(31.2020, abs=1e-3))
    assert none == {}
    assert swapped[:2] == half[:2] == ("lon,lat", "bad_point")


def test_rows_of_the_wrong_form_are_rejected(mapped):
    found = mapped("columns: {no: {from: A}}", 'A,B\n1\n2,x,y\n3,"x"y\n4,x\n')
    assert [(row.line, getattr(row, "code", None)) for row in found] == [
        (2, "bad_row"),
        (3, "bad_row"),
        (4, "bad_row"),
        (5, None),
    ]


def test_only_keeps_the_rows_with_these_values(mapped):
    found = mapped("columns: {no: {from: A}}", "A,B\n1,x\n2,y\n3,x\n", only={"B": "x"})
    assert values(found) == [{"no": "1"}, {"no": "3"}]


def test_columns_that_the_table_has_not_are_told_at_once_with_the_nearest_name(mapped):
    with pytest.raises(MappingError, match=r"no column “Createdate”; is it “Created Date”\?") as caught:
        mapped("columns:\n  a: {from: No}\n  b: {from: Createdate}\n", "No,Created Date\n1,2\n")
    assert caught.value.errors[0][0] == 5
    with pytest.raises(MappingError, match="no column “Agency”"):
        mapped("columns: {a: {from: No}}", "No\n1\n", only={"Agency": "HPD"})


def test_a_star_is_the_only_sign_of_a_pattern():
    assert pattern_test("a*[b]?")("aXX\nX[b]?")
    assert not pattern_test("a*[b]?")("axb")
    assert not pattern_test("ABC")("abc")
    assert not pattern_test("")("x")


@given(st.text(), st.text())
def test_a_pattern_matches_by_beginning_and_end(head, tail):
    head, tail = head.replace("*", ""), tail.replace("*", "")
    assert pattern_test(f"{head}*{tail}")(f"{head}anything{tail}")
    assert pattern_test(head)(head)
