"""Writing tables for spreadsheets: XLSX and CSV, row by row, in memory that does not grow with the rows.

Cells of text that begin like a formula get an apostrophe in both.  In XLSX times are real dates in the given
zone and numbers are numbers; the heads stand still and can be filtered; notes are a sheet of their own.
In CSV (UTF-8 with byte order mark, which is what Excel recognises) times are written as 2026-11-24 14:05:00;
notes follow after an empty line.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Literal

import xlsxwriter

from jiying.core.mapping.table import neutral

Kind = Literal["text", "number", "share", "time"]
Cell = str | int | float | datetime | None
Counted = Callable[[int], None]

ROWS_A_STEP = 1000
CELL_CHARS = 32_767
"""What a cell of a spreadsheet holds."""
_FORMATS = {"share": "0.0%", "time": "yyyy-mm-dd hh:mm"}
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day 0, on whatever clock
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head, what its cells are, and its width in characters."""

    head: str
    kind: Kind = "text"
    width: int = 12


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table to be written.

    Attributes:
        rows: each with a cell for every column; None is an empty cell, a share is 0 to 1, times are aware.
        zone: of the times as they are written.
        notes: label and sentence, for what a reader must know about the table.
        notes_title: the name of their sheet.
    """

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]
    zone: tzinfo
    notes: Sequence[tuple[str, str]] = field(default=())
    notes_title: str = "Notes"


def write(path: Path, sheet: Sheet, format: str, counted: Counted | None = None) -> int:
    """Write `sheet` to `path` as `xlsx` or `csv`; returns how many rows.  `counted` hears of every 1,000."""
    rows = _told(sheet.rows, counted) if counted else sheet.rows
    return {"xlsx": _write_xlsx, "csv": _write_csv}[format](path, sheet, rows)


def _told(rows: Iterable[Sequence[Cell]], counted: Counted) -> Iterator[Sequence[Cell]]:
    for number, row in enumerate(rows):
        if number % ROWS_A_STEP == 0:
            counted(number)
        yield row


def _write_xlsx(path: Path, sheet: Sheet, rows: Iterable[Sequence[Cell]]) -> int:
    # What a crash leaves half written lies beside the file and is cleared away with it.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(str(path), {**options, "tmpdir": str(path.parent)})
    head = book.add_format({"bold": True, "bottom": 1})
    forms = [book.add_format({"num_format": _FORMATS[c.kind]}) if c.kind in _FORMATS else None for c in sheet.columns]
    page = book.add_worksheet(sheet.title[:31])
    for at, column in enumerate(sheet.columns):
        page.set_column(at, at, column.width)
        page.write_string(0, at, neutral(column.head), head)
    page.freeze_panes(1, 0)
    text, number, zone, count = page.write_string, page.write_number, sheet.zone, 0
    for count, row in enumerate(rows, 1):
        for at, cell in enumerate(row):
            if cell is None or cell == "":
                continue
            if isinstance(cell, str):
                text(count, at, neutral(cell)[:CELL_CHARS])
            elif isinstance(cell, datetime):
                number(count, at, _serial(cell, zone), forms[at])
            else:
                number(count, at, cell, forms[at])
    page.autofilter(0, 0, count, len(sheet.columns) - 1)
    if sheet.notes:
        beside = book.add_worksheet(sheet.notes_title[:31])
        beside.set_column(0, 0, 24)
        beside.set_column(1, 1, 90)
        for at, (label, said) in enumerate(sheet.notes):
            beside.write_string(at, 0, neutral(label), head)
            beside.write_string(at, 1, neutral(said))
    book.close()
    return count


def _serial(at: datetime, zone: tzinfo) -> float:
    """The number by which a spreadsheet knows a time, to the second."""
    return (at.astimezone(zone).replace(tzinfo=None, microsecond=0) - _EPOCH) / _DAY


def _write_csv(path: Path, sheet: Sheet, rows: Iterable[Sequence[Cell]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([neutral(column.head) for column in sheet.columns])
        for row in rows:
            writer.writerow([_written(cell, sheet.zone) for cell in row])
            count += 1
        if sheet.notes:
            writer.writerow([])
            writer.writerows([neutral(label), neutral(said)] for label, said in sheet.notes)
    return count


def _written(cell: Cell, zone: tzinfo) -> Any:
    if isinstance(cell, datetime):
        return f"{cell.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    return neutral(cell) if isinstance(cell, str) else cell
