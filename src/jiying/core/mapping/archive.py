"""Is a workbook safe to open?  Looked at before any library reads it.

An `.xlsx` is a zip of XML.  A few kilobytes may unfold into gigabytes, and one cell in the last corner of a
sheet makes a reader reserve room for seventeen thousand million: both are refused with a sentence.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from jiying.core.mapping.fault import TableError

MAX_FILE_MB = 100
MAX_UNFOLDED_MB = 700
"""Of all parts together; 50,000 orders of twenty columns are about 60."""

MAX_PARTS = 2_000
MAX_CELLS = 6_000_000
"""Of the used rectangle of a sheet, empty ones too: a reader keeps 24 bytes for each."""

_CHUNK = 1 << 20
_KEEP = 4_096
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
#: A cell that has something in it; one that is only formatted has no content and closes at once.
_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*?(?<!/)>')


def check_workbook(path: Path) -> None:
    """Refuse what would not fit into memory.

    Raises:
        TableError: too large, unfolds too far, or is no zip that can be read.
    """
    size = path.stat().st_size
    if size > MAX_FILE_MB << 20:
        raise TableError(f"{path.name} has {size >> 20} MB; a workbook may have {MAX_FILE_MB}. Split it.")
    if not zipfile.is_zipfile(path):
        # An old .xls is no zip and unfolds into nothing.
        return
    try:
        with zipfile.ZipFile(path) as archive:
            _check_parts(archive, path)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        # RuntimeError: a part is encrypted, which no spreadsheet program does.
        raise TableError(f"{path.name} is damaged: {error}. Open it in Excel and save it again.") from error


def _check_parts(archive: zipfile.ZipFile, path: Path) -> None:
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        raise TableError(f"{path.name} has {len(parts)} parts inside, which no real workbook has.")
    limit = MAX_UNFOLDED_MB << 20
    if sum(part.file_size for part in parts) > limit:
        raise _bomb(path)
    unfolded = 0
    for part in parts:
        # What the directory declares may be a lie, so what comes out is counted too.
        unfolded += _unfold(archive, part, path, limit - unfolded)


def _unfold(archive: zipfile.ZipFile, part: zipfile.ZipInfo, path: Path, limit: int) -> int:
    """How many bytes a part really has; for a sheet, also whether its used rectangle is sane."""
    is_sheet = _SHEET.fullmatch(part.filename) is not None
    unfolded, tail, rows, columns = 0, b"", 0, 0
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            unfolded += len(chunk)
            if unfolded > limit:
                raise _bomb(path)
            if is_sheet:
                text = tail + chunk
                rows, columns = _extent(text, rows, columns)
                if rows * columns > MAX_CELLS:
                    raise TableError(
                        f"{path.name}: a sheet reaches to row {rows} and column {columns}, more than can be read. "
                        "Delete the cells far below and beside the table (Ctrl+End shows the last one) and save it."
                    )
                tail = text[text.rfind(b"<", -_KEEP) :] if b"<" in text[-_KEEP:] else b""
    return unfolded


def _extent(text: bytes, rows: int, columns: int) -> tuple[int, int]:
    """The farthest row and column of the cells in `text` that hold something."""
    found = _CELL.findall(text)
    if not found:
        return rows, columns
    # Rows are in their order, so that the last cell is in the last row; columns are letters.
    letters = {column for column, _row in found}
    return max(rows, int(found[-1][1])), max(columns, *map(_number, letters))


def _number(letters: bytes) -> int:
    """A column's number from its letters.

    >>> _number(b"A"), _number(b"XFD")
    (1, 16384)
    """
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _bomb(path: Path) -> TableError:
    return TableError(
        f"{path.name} unfolds to more than {MAX_UNFOLDED_MB} MB: it is no real workbook, or it is broken."
    )
