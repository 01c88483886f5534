"""Workbooks as people send them, and as they should not."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from datetime import datetime, time
from pathlib import Path

import pytest
import xlsxwriter
from django.utils import translation

from jiying.core.mapping import TableError, archive, read_table, sheets


@pytest.fixture(autouse=True)
def _english():
    """Sentences are read as a command says them."""
    with translation.override("en"):
        yield


def _book(path: Path, fill, **options) -> Path:
    book = xlsxwriter.Workbook(path, options)
    fill(book)
    book.close()
    return path


def _rows(path: Path, **how) -> list[dict[str, str]]:
    return [record.cells for record in read_table(path, **how)]


def test_cells_become_what_a_person_would_type(tmp_path):
    def fill(book):
        sheet = book.add_worksheet()
        date, hour = book.add_format({"num_format": "yyyy/m/d h:mm"}), book.add_format({"num_format": "h:mm"})
        sheet.write_row(0, 0, ("text", "code", "part", "yes", "date", "hour", "sum", "error", "words", "empty"))
        sheet.write_row(1, 0, ("电梯\r\n坏了\t三楼", 123.0, 1.5, True))
        sheet.write_datetime(1, 4, datetime(2019, 4, 25, 9, 32, 9), date)  # noqa: DTZ001
        sheet.write_datetime(1, 5, time(9, 5), hour)
        sheet.write_formula(1, 6, "=1+1", None, 2)
        sheet.write_formula(1, 7, "=NA()", None, "#N/A")
        sheet.write_formula(1, 8, '="a"&"b"', None, "ab")
        sheet.write_number(2, 1, 310115004001)

    first, second = _rows(_book(tmp_path / "a.xlsx", fill))
    assert list(first.values()) == [
        "电梯\r\n坏了\t三楼", "123", "1.5", "TRUE", "2019-04-25T09:32:09", "09:05:00", "2", "", "ab", "",
    ]  # fmt: skip
    assert second["code"] == "310115004001"


def test_a_merged_cell_holds_for_each_of_its_rows(tmp_path):
    def fill(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("街镇", "小区"))
        sheet.merge_range(1, 0, 3, 0, "三林镇")
        sheet.write_column(1, 1, ("甲", "乙", "丙"))
        sheet.write_row(4, 0, ("", "丁"))

    rows = _rows(_book(tmp_path / "a.xlsx", fill))
    assert [row["街镇"] for row in rows] == ["三林镇", "三林镇", "三林镇", ""]


def test_titles_may_stand_above_the_header_and_rows_are_counted_as_excel_counts_them(tmp_path):
    def fill(book):
        sheet = book.add_worksheet()
        sheet.merge_range(1, 0, 1, 2, "小区台账（2024年）")
        sheet.write_row(3, 0, ("编号", "小区\n名称", "户数"))
        sheet.write_row(5, 0, ("A1", "甲", 10))

    path = _book(tmp_path / "a.xlsx", fill)
    [record] = read_table(path, wanted=frozenset({"编号", "户数"}))
    assert (record.line, record.cells) == (6, {"编号": "A1", "小区 名称": "甲", "户数": "10"})


def test_a_sheet_is_chosen_by_its_name_and_hidden_ones_are_not_offered(tmp_path):
    def fill(book):
        for name in ("说明", "数据", "内部"):
            book.add_worksheet(name).write_column(0, 0, ("列", name))
        book.get_worksheet_by_name("内部").hide()

    path = _book(tmp_path / "a.xlsx", fill)
    assert sheets(path) == ["说明", "数据"]
    assert _rows(path, sheet="数据") == [{"列": "数据"}]
    assert _rows(path) == [{"列": "说明"}]
    with pytest.raises(TableError, match="no sheet “别的”; it has: 说明、数据"):
        read_table(path, sheet="别的")


def test_an_empty_workbook_has_no_header(tmp_path):
    with pytest.raises(TableError, match="no header"):
        read_table(_book(tmp_path / "a.xlsx", lambda book: book.add_worksheet()))


#: Reads a workbook in a process of its own and prints rows and megabytes.
READ = """
import re, sys
from pathlib import Path
from jiying.core.mapping import TableError, read_table
try:
    rows = sum(1 for _ in read_table(Path(sys.argv[1])))
except TableError:
    rows = "refused"
# The most of this program alone: what getrusage says remembers the process that it was forked from.
print(rows, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def _read_apart(path: Path) -> tuple[str, int]:
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, check=True)
    rows, megabytes = done.stdout.split()
    return rows, int(megabytes)


@pytest.mark.parametrize(("kind", "rows"), [("formatted", "1"), ("a last word", "2")])
@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much memory was used")
def test_a_workbook_with_1048576_empty_rows_is_read_in_little_memory(tmp_path, kind, rows):
    last = 1_048_576

    def fill(book):
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        sheet.write_row(0, 0, ("a", "b"))
        sheet.write_row(1, 0, ("1", "2"))
        if kind == "a last word":
            sheet.write_string(last - 1, 1, "x")
            return
        for row in range(2, last):
            sheet.write_blank(row, 0, None, bold)

    read, megabytes = _read_apart(_book(tmp_path / "a.xlsx", fill, constant_memory=True))
    assert read == rows
    assert megabytes < 400


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much memory was used")
def test_one_cell_in_the_last_corner_is_refused_before_room_is_made_for_all(tmp_path):
    def fill(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("a", "b"))
        sheet.write_string(1_048_575, 16_383, "x")

    book = _book(tmp_path / "a.xlsx", fill)
    said, megabytes = _read_apart(book)
    assert said == "refused"
    assert megabytes < 200
    with pytest.raises(TableError, match="row 1048576 and column 16384"):
        read_table(book)


def _zip(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


def test_a_zip_bomb_is_refused_by_what_it_declares(tmp_path):
    path = _book(tmp_path / "a.xlsx", lambda book: book.add_worksheet())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as bomb, bomb.open("xl/x", "w", force_zip64=True) as part:
        for _megabyte in range(archive.MAX_UNFOLDED_MB + 1):
            part.write(bytes(1 << 20))
    assert path.stat().st_size < 2 << 20
    with pytest.raises(TableError, match="unfolds to more than"):
        read_table(path)


def test_a_zip_bomb_is_refused_though_its_directory_lies(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNFOLDED_MB", 1)
    path = _zip(tmp_path / "a.xlsx", {"xl/worksheets/sheet1.xml": bytes(3 << 20)})
    raw = path.read_bytes()
    path.write_bytes(raw.replace((3 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(TableError, match=r"unfolds to more than|damaged"):
        read_table(path)


def test_a_workbook_of_too_many_parts_or_bytes_is_refused(tmp_path, monkeypatch):
    with pytest.raises(TableError, match="parts inside"):
        read_table(_zip(tmp_path / "a.xlsx", {f"x/{n}": b"" for n in range(archive.MAX_PARTS + 1)}))
    monkeypatch.setattr(archive, "MAX_FILE_MB", 0)
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04" + bytes(1 << 20))
    with pytest.raises(TableError, match="a workbook may have"):
        read_table(tmp_path / "b.xlsx")


def test_a_password_is_said_to_be_one(tmp_path):
    """An encrypted workbook is no zip but a compound file with a stream called EncryptedPackage."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(compound("EncryptedPackage"))
    with pytest.raises(TableError, match="password"):
        read_table(path)


def test_a_workbook_cut_in_half_is_said_to_be_damaged(tmp_path):
    path = _book(tmp_path / "a.xlsx", lambda book: book.add_worksheet().write_row(0, 0, ("a", "b")))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(TableError, match="Open it in Excel and save it again"):
        read_table(path)


def compound(stream: str) -> bytes:
    """A minimal compound file (MS-CFB, version 3) with one empty stream."""
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD

    def numbers(*values: int) -> bytes:
        return b"".join(value.to_bytes(4, "little") for value in values)

    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += b"".join(value.to_bytes(2, "little") for value in (0x3E, 3, 0xFFFE, 9, 6)) + bytes(6)
    head += numbers(0, 1, 1, 0, 4096, end, 0, end, 0) + numbers(0, *[free] * 108)

    def entry(name: str, kind: int, child: int) -> bytes:
        words = name.encode("utf-16-le")
        return (
            words.ljust(64, b"\0") + (len(words) + 2).to_bytes(2, "little") + bytes([kind, 1])
            + numbers(free, free, child) + bytes(36) + numbers(end) + bytes(8)
        )  # fmt: skip

    empty = bytes(68) + numbers(free, free, free) + bytes(48)
    return head + numbers(fat, end, *[free] * 126) + entry("Root Entry", 5, 1) + entry(stream, 2, free) + empty * 2
