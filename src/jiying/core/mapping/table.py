"""A file as records, and the file of rejected rows.

A record's number is the physical line on which it begins, so that an editor finds it (of a workbook: the
row); the first line of the file is 1.  A cell may hold line breaks, therefore the numbers may have gaps.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from django.utils.translation import gettext_lazy as _

from jiying.core.mapping.fault import TableError
from jiying.core.mapping.record import Header, Record, find_header
from jiying.core.mapping.workbook import read_sheet, sheet_names

_CHUNK = 1 << 20
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SIGNATURES = {
    b"\x1f\x8b": _("这是压缩文件，请先解压。"),
    b"\xff\xfe": _("文件的编码是 UTF-16，请另存为 CSV UTF-8。"),
    b"\xfe\xff": _("文件的编码是 UTF-16，请另存为 CSV UTF-8。"),
    b"%PDF": _("这是 PDF；需要表格文件本身，不是它的图像。"),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Table(Protocol):
    """A checked file.  It is read anew each time it is iterated."""

    @property
    def path(self) -> Path: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    def __iter__(self) -> Iterator[Record]: ...


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A checked CSV file, read as a stream."""

    path: Path
    encoding: str
    header: Header

    @property
    def names(self) -> tuple[str, ...]:
        return self.header.names

    def __iter__(self) -> Iterator[Record]:
        with self.path.open(encoding=self.encoding, newline="") as file:
            for line, cells, broken in _records(file):
                if line > self.header.line:
                    yield _record(line, cells, self.header, broken)


def read_table(
    path: str | Path, encoding: str = "auto", *, sheet: str | None = None, wanted: frozenset[str] = frozenset()
) -> Table:
    """The table in a CSV file, or in a sheet of a workbook; the whole file is checked before this returns.

    Args:
        encoding: of a CSV file: `utf-8` (with or without byte order mark), `gb18030`, or `auto`, which takes
            UTF-8 where every byte fits it.
        sheet: of a workbook; default the first visible one.
        wanted: names by which the header is known where titles stand above it.

    Raises:
        TableError: no file, another format or encoding, no header, a column twice, a quote that never closes;
            of workbooks: a password, a zip bomb, no such sheet.
    """
    path = Path(path)
    try:
        if is_workbook(path):
            return read_sheet(path, sheet, wanted)
        return _read_csv(path, encoding, sheet, wanted)
    except OSError as error:
        raise TableError(_("文件读不出来：{why}。"), why=error.strerror or error) from error
    except _NeverCloses as error:
        raise TableError(_("第 {line} 行有一个引号，到文件末尾也没有配对。"), line=error.args[0]) from error


def sheets(path: str | Path) -> list[str]:
    """The visible sheets of a workbook; none for a CSV file (TableError: it cannot be read)."""
    try:
        return sheet_names(Path(path)) if is_workbook(Path(path)) else []
    except OSError as error:
        raise TableError(_("文件读不出来：{why}。"), why=error.strerror or error) from error


def is_workbook(path: Path) -> bool:
    """Whether a file begins like a workbook, whatever its name says."""
    with path.open("rb") as file:
        return file.read(4).startswith(_WORKBOOKS)


def _read_csv(path: Path, encoding: str, sheet: str | None, wanted: frozenset[str]) -> CsvTable:
    if sheet:
        raise TableError(_("这是 CSV 文件，没有工作表“{sheet}”。"), sheet=sheet)
    chosen = _encoding(path, encoding)
    with path.open(encoding=chosen, newline="") as file:
        header = find_header(((line, cells) for line, cells, _broken in _records(file)), wanted)
    with path.open(encoding=chosen, newline="") as file:
        for _line in _records(file):
            pass
    return CsvTable(path, chosen, header)


def _encoding(path: Path, wanted: str) -> str:
    with path.open("rb") as file:
        start = file.read(4)
        for signature, what in _SIGNATURES.items():
            if start.startswith(signature):
                raise TableError(what)
    choices = {"auto": ("utf-8-sig", "gb18030"), "utf-8": ("utf-8-sig",)}.get(wanted, (wanted,))
    for choice in choices:
        try:
            with path.open(encoding=choice) as text:
                while text.read(_CHUNK):
                    pass
        except UnicodeDecodeError:
            continue
        return choice
    raise TableError(
        _("文件的编码不是 {names}，请另存为 CSV UTF-8。"), names=" / ".join(choices).replace("-sig", "").upper()
    )


class _NeverCloses(Exception):
    """A quote opens in the record on this line, and the file ends within it."""


def _records(file: IO[str]) -> Iterator[tuple[int, list[str], bool]]:
    """Line, cells and whether a quote stands where none may, for each record that is not blank."""
    reader = csv.reader(file, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # The module has no types for its errors, only these words.
            if "unexpected end of data" in str(error) or "field larger" in str(error):
                raise _NeverCloses(line) from error
            yield line, [], True
            continue
        if cells:
            yield line, cells, False


def _record(line: int, cells: list[str], header: Header, broken: bool) -> Record:
    names, found = header.names, dict(zip(header.names, cells, strict=False))
    if broken:
        return Record(line, found, "quote")
    if len(cells) < len(names):
        return Record(line, found, "short")
    # Spreadsheets leave empty cells behind the last column: they carry nothing and are no fault.
    return Record(line, found, "long" if any(cells[len(names) :]) else None)


class Rejected(Protocol):
    """A row as the rejects file tells it."""

    @property
    def line(self) -> int: ...
    @property
    def field(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def source(self) -> Dict[str, str]: ...


def neutral(cell: str) -> str:
    """`cell` so that no spreadsheet takes it for a formula.

    >>> neutral("=1+1"), neutral("漏水")
    ("'=1+1", '漏水')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def write_rejects(path: str | Path, rejects: Iterable[Rejected], names: Sequence[str]) -> int:
    """Write `row,field,value,code,reason` and the source's columns `names`; returns how many rows.

    UTF-8 with byte order mark, which is what Excel recognises; cells that begin like a formula get an apostrophe.
    """
    count = 0
    with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "field", "value", "code", "reason", *map(neutral, names)])
        for reject in rejects:
            said = (reject.field, reject.value, reject.code, reject.reason)
            cells = (reject.source.get(name, "") for name in names)
            writer.writerow([reject.line, *map(neutral, said), *map(neutral, cells)])
            count += 1
    return count
