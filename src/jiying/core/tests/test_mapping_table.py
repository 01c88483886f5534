"""CSV files as records, and the file of rejects."""

from __future__ import annotations

import csv

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from jiying.core.mapping import Reject, TableError, read_table, write_rejects
from jiying.core.mapping.table import neutral


@pytest.fixture(autouse=True)
def _english():
    """Sentences are read as a command says them."""
    with translation.override("en"):
        yield


@pytest.fixture
def table(tmp_path):
    def write(raw, encoding="auto"):
        path = tmp_path / "table.csv"
        path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        return read_table(path, encoding)

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_is_read_in_the_encodings_of_chinese_spreadsheets(table, encoding):
    read = table("编号,内容\r\n1,电梯坏了\r\n".encode(encoding))
    assert read.names == ("编号", "内容")
    assert [record.cells for record in read] == [{"编号": "1", "内容": "电梯坏了"}]


def test_an_encoding_that_is_said_is_obeyed(table):
    with pytest.raises(TableError, match="UTF-8"):
        table("编号\n电梯\n".encode("gb18030"), "utf-8")


def test_a_record_is_numbered_by_the_line_it_begins_on(table):
    read = table('a,b\n1,"two\nlines"\n\n2,x\r\n3,"more\r\nlines"\n4,y\n')
    assert [(record.line, record.cells["a"]) for record in read] == [(2, "1"), (5, "2"), (6, "3"), (8, "4")]


def test_a_table_can_be_read_twice(table):
    read = table("a\n1\n2\n")
    assert list(read) == list(read)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no header"),
        (b"\n\n", "no header"),
        (b",,\n,,\n", "no header"),
        (b"a,b,a\n1,2,3\n", "“a” stands twice"),
        (b'a,b\n1,x\n2,"never\n3,x\n', "Line 3: a quote opens here"),
        (b'a,b\n1,x\n2,"never' + b"\nx" * 200_000, "Line 3: a quote opens here"),
        (b'"a,b\n1,2\n', "Line 1: a quote opens here"),
        (b"PK\x03\x04 and so on", "Excel"),
        (b"\xd0\xcf\x11\xe0 and so on", "Excel"),
        (b"\x1f\x8b and so on", "compressed"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"a,b\n1,\xff\xff\n", "UTF-8 / GB18030"),
    ],
)
def test_what_is_no_table_is_refused_before_any_row(table, raw, said):
    with pytest.raises(TableError, match=said):
        table(raw)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(TableError, match="cannot be read"):
        read_table(tmp_path / "nowhere.csv")
    with pytest.raises(TableError, match="cannot be read"):
        read_table(tmp_path)


def test_a_faulty_record_is_marked_and_the_next_one_is_read(table):
    read = table('a,b\n1\n2,x,y\n3,x,,\n4,"x"y\n5,x\n')
    assert [(record.line, record.fault) for record in read] == [
        (2, "short"),
        (3, "long"),
        (4, None),
        (5, "quote"),
        (6, None),
    ]


def test_nul_bytes_stay_in_their_cell(table):
    assert [record.cells for record in table(b"a,b\n1,x\x00y\n")] == [{"a": "1", "b": "x\x00y"}]


def test_rejects_are_written_for_excel_and_disarmed(tmp_path):
    path = tmp_path / "rejects.csv"
    source = {"No": "=1+1", "Text": '多行\n"引号"', "Phone": "+8613812345678", "More": "left out"}
    reject = Reject(7, "town", "@here", "rejected", "-reason", source)
    assert write_rejects(path, [reject], ["No", "Text", "Phone", "absent"]) == 1
    assert path.read_bytes().startswith(b"\xef\xbb\xbfrow,field,value,code,reason,No,Text,Phone,absent\r\n")
    with path.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.reader(file))[1]
    assert written == ["7", "town", "'@here", "rejected", "'-reason", "'=1+1", '多行\n"引号"', "'+8613812345678", ""]


@given(st.text())
def test_no_cell_begins_like_a_formula(cell):
    assert not neutral(cell).startswith(("=", "+", "-", "@"))
    assert neutral(cell).endswith(cell)
