"""Tables as files: what a spreadsheet reads back is what was put in, and nothing in it is a formula."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from jiying.exchange.spreadsheets import Column, Sheet, write

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 3, 1, 16, 30, 59, 400_000, tzinfo=UTC)
COLUMNS = (Column("描述", width=40), Column("件数", "number"), Column("比例", "share"), Column("时间", "time", 17))


def sheet(*rows: list[object], notes: tuple[tuple[str, str], ...] = ()) -> Sheet:
    return Sheet("工单", COLUMNS, rows, SHANGHAI, notes, "说明")  # type: ignore[arg-type]


def read(path: Path) -> list[list[object]]:
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()


def test_numbers_are_numbers_and_times_are_dates_of_the_district(tmp_path):
    assert write(tmp_path / "a.xlsx", sheet(["漏水", 3, 0.25, AT], ["", None, None, None]), "xlsx") == 2
    rows = read(tmp_path / "a.xlsx")
    assert rows[0] == ["描述", "件数", "比例", "时间"]
    # 16:30 in Greenwich is half past midnight of the next day in Shanghai.
    assert rows[1] == ["漏水", 3.0, 0.25, datetime.fromisoformat("2026-03-02T00:30:59")]


@pytest.mark.parametrize("cell", ["=1+1", "+8613812345678", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")'])
@pytest.mark.parametrize("format", ["xlsx", "csv"])
def test_a_cell_that_begins_like_a_formula_is_text(tmp_path, cell, format):
    path = tmp_path / f"a.{format}"
    write(path, sheet([cell, 1, None, None]), format)
    if format == "xlsx":
        assert openpyxl.load_workbook(path).active["A2"].data_type == "s"
        found = str(read(path)[1][0])
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = list(csv.reader(file))[1][0]
    assert found.startswith("'")
    assert found.strip("'").strip() == cell.strip()


def test_the_heads_stand_still_and_can_be_filtered(tmp_path):
    write(tmp_path / "a.xlsx", sheet(["漏水", 3, 0.25, AT], ["停电", 1, 1, AT]), "xlsx")
    page = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == "A1:D3"
    assert page.column_dimensions["A"].width > 39
    assert page["D2"].number_format == "yyyy-mm-dd hh:mm"


def test_a_table_without_rows_is_its_heads(tmp_path):
    assert write(tmp_path / "a.xlsx", sheet(), "xlsx") == 0
    assert read(tmp_path / "a.xlsx") == [["描述", "件数", "比例", "时间"]]


def test_csv_is_what_excel_recognises_and_keeps_line_breaks(tmp_path):
    write(tmp_path / "a.csv", sheet(["第一行\n第二行，“引号”", 3, 0.25, AT], notes=(("公式", "=按时 ÷ 到期"),)), "csv")
    raw = (tmp_path / "a.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(raw.decode("utf-8-sig").splitlines(keepends=True)))
    assert rows[1] == ["第一行\n第二行，“引号”", "3", "0.25", "2026-03-02 00:30:59"]
    assert rows[2:] == [[], ["公式", "'=按时 ÷ 到期"]]


def test_notes_are_a_sheet_of_their_own(tmp_path):
    write(tmp_path / "a.xlsx", sheet(["漏水", 1, 1, AT], notes=(("规则包", "示例"),)), "xlsx")
    book = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx"))
    assert book.sheet_names == ["工单", "说明"]
    assert book.get_sheet_by_name("说明").to_python() == [["规则包", "示例"]]


def test_it_tells_how_far_it_is(tmp_path):
    told: list[int] = []
    write(tmp_path / "a.csv", sheet(*([f"{n}", n, None, None] for n in range(2500))), "csv", told.append)
    assert told == [0, 1000, 2000]
