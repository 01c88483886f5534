"""A sheet of an Excel workbook as records: `.xlsx`, `.xlsm` and old `.xls`, read by calamine.

Cells become the text that a person would type: whole numbers without `.0`, real dates as ISO 8601, a formula
as the value it had when the file was saved, an error such as #N/A as nothing.  What a merged cell says holds
for each of its rows.  Line breaks and tabs inside a cell stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import python_calamine as calamine
from django.utils.translation import gettext_lazy as _

from jiying.core.mapping.archive import check_workbook
from jiying.core.mapping.fault import TableError
from jiying.core.mapping.record import Header, Record, find_header

Cell = str | int | float | bool | date | datetime | time | timedelta


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A checked sheet.  It is read anew each time it is iterated."""

    path: Path
    sheet: str
    header: Header

    @property
    def names(self) -> tuple[str, ...]:
        return self.header.names

    def __iter__(self) -> Iterator[Record]:
        with _open(self.path) as workbook:
            sheet = workbook.get_sheet_by_name(self.sheet)
            tops, below = _merged(sheet)
            said: dict[int, str] = {}
            for line, cells in _rows(sheet):
                for column in tops.get(line, ()):
                    said[column] = cells[column]
                for column in below.get(line, ()):
                    cells[column] = said.get(column, "")
                if line > self.header.line and any(cells):
                    yield Record(line, self.header.record(cells))


def read_sheet(path: Path, sheet: str | None, wanted: frozenset[str]) -> SheetTable:
    """A sheet by name (default: the first visible one); the workbook is checked before this returns.

    Raises:
        TableError: protected by a password, damaged, a zip bomb, no such sheet, no header.
    """
    with _checked(path) as workbook:
        names = _visible(workbook)
        chosen = sheet or next(iter(names), "")
        if chosen not in workbook.sheet_names:
            there = "、".join(names) or "–"
            raise TableError(_("没有工作表“{sheet}”；文件里有：{there}。"), sheet=chosen, there=there)
        try:
            rows = _rows(workbook.get_sheet_by_name(chosen))
        except calamine.CalamineError as error:
            raise _damaged(error) from error
        return SheetTable(path, chosen, find_header(rows, wanted))


def sheet_names(path: Path) -> list[str]:
    """The visible sheets of a workbook, in their order (TableError: it cannot be read)."""
    with _checked(path) as workbook:
        return _visible(workbook)


def _visible(workbook: calamine.CalamineWorkbook) -> list[str]:
    return [
        meta.name
        for meta in workbook.sheets_metadata
        if meta.visible == calamine.SheetVisibleEnum.Visible and meta.typ == calamine.SheetTypeEnum.WorkSheet
    ]


def _checked(path: Path) -> calamine.CalamineWorkbook:
    check_workbook(path)
    return _open(path)


def _open(path: Path) -> calamine.CalamineWorkbook:
    try:
        return calamine.load_workbook(path)
    except calamine.PasswordError as error:
        raise TableError(_("文件有密码保护，请去掉密码另存后再传。")) from error
    except calamine.CalamineError as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> TableError:
    return TableError(_("文件读不成工作簿（{why}）。请用 Excel 打开后另存。"), why=error)


def _rows(sheet: calamine.CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    # Rows come from the first of the sheet, also where it is empty; columns from the first that is used.
    for line, row in enumerate(sheet.iter_rows(), start=1):
        yield line, [_text(cell) for cell in row]


def _merged(sheet: calamine.CalamineSheet) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """By line, the columns whose cell is the top of a merged one, and those that it covers below."""
    tops: dict[int, list[int]] = defaultdict(list)
    below: dict[int, list[int]] = defaultdict(list)
    if sheet.start is None or sheet.end is None:
        return tops, below
    left, end = sheet.start[1], sheet.end[0]
    for (top, column), (bottom, _right) in sheet.merged_cell_ranges or ():
        if bottom > top and left <= column <= sheet.end[1]:
            tops[top + 1].append(column - left)
            for line in range(top + 1, min(bottom, end) + 1):
                below[line + 1].append(column - left)
    return tops, below


def _text(cell: Cell) -> str:
    """A cell as a person would type it.

    >>> _text(123.0), _text(1.5), _text(True), _text(datetime(2019, 4, 25, 9, 32, 9))
    ('123', '1.5', 'TRUE', '2019-04-25T09:32:09')
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)
