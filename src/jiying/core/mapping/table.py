"""A CSV file as records, and the file of rejected rows.

A record's number is the physical line on which it begins, so that an editor finds it; the header is line 1.
A cell may hold line breaks, therefore the numbers may have gaps.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, Protocol

_CHUNK = 1 << 20
_SIGNATURES = {
    b"PK\x03\x04": "It is an Excel or zip file; save the sheet as CSV.",
    b"\x1f\x8b": "It is compressed; unpack it first.",
    b"\xff\xfe": "It is UTF-16; save it as CSV UTF-8.",
    b"\xfe\xff": "It is UTF-16; save it as CSV UTF-8.",
    b"\xd0\xcf\x11\xe0": "It is an old Excel file; save the sheet as CSV.",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TableError(Exception):
    """A file that cannot be read as a table: a command ends with 2, nothing is written."""


class Record(NamedTuple):
    """One record: the line it begins on, its cells by column, and what is wrong with its form, if anything."""

    line: int
    cells: dict[str, str]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A checked file.  It is read anew, and as a stream, each time it is iterated."""

    path: Path
    encoding: str
    names: tuple[str, ...]

    def __iter__(self) -> Iterator[Record]:
        with self.path.open(encoding=self.encoding, newline="") as file:
            records = _records(file)
            next(records)
            for line, cells, broken in records:
                yield _record(line, cells, self.names, broken)


def read_table(path: str | Path, encoding: str = "auto") -> Table:
    """The table in a CSV file; the whole file is checked before this returns.

    `encoding`: `utf-8` (with or without byte order mark), `gb18030`, or `auto`, which takes UTF-8 where every
    byte fits it.

    Raises:
        TableError: no file, another format or encoding, no header, a column twice, a quote that never closes.
    """
    path = Path(path)
    try:
        chosen = _encoding(path, encoding)
        with path.open(encoding=chosen, newline="") as file:
            records = _records(file)
            header = next(records, None)
            names = _names(header[1] if header else [], path)
            for _line in records:
                pass
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror or error}.") from error
    except _NeverCloses as error:
        raise TableError(f"{path}, line {error.args[0]}: a quote opens here that never closes.") from error
    return Table(path, chosen, names)


def _encoding(path: Path, wanted: str) -> str:
    with path.open("rb") as file:
        start = file.read(4)
        for signature, said in _SIGNATURES.items():
            if start.startswith(signature):
                raise TableError(f"{path} is no CSV text. {said}")
    choices = {"auto": ("utf-8-sig", "gb18030"), "utf-8": ("utf-8-sig",)}.get(wanted, (wanted,))
    for choice in choices:
        try:
            with path.open(encoding=choice) as text:
                while text.read(_CHUNK):
                    pass
        except UnicodeDecodeError:
            continue
        return choice
    raise TableError(f"{path} is not {' nor '.join(choices).replace('-sig', '')}; save it as CSV UTF-8.")


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


def _names(header: list[str], path: Path) -> tuple[str, ...]:
    names = tuple(name.strip() for name in header)
    if not any(names):
        raise TableError(f"{path} has no header: the first line must name the columns.")
    for name in names:
        if name and names.count(name) > 1:
            raise TableError(f"{path}: the column “{name}” stands twice in the header; rename one.")
    return names


def _record(line: int, cells: list[str], names: tuple[str, ...], broken: bool) -> Record:
    found = dict(zip(names, cells, strict=False))
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
