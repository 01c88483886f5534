"""Is a workbook safe to open?  Looked at before any library reads it.

An `.xlsx` is a zip of XML.  A few kilobytes may unfold into gigabytes, and one cell in the last corner of a
sheet makes a reader reserve room for seventeen thousand million: both are refused with a sentence.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from jiying.core.mapping.fault import TableError

MAX_FILE_MB = 100
MAX_UNFOLDED_MB = 700
"""Of all parts together; 50,000 orders of twenty columns are about 60."""

MAX_PARTS = 2_000
MAX_CELLS = 6_000_000
"""Of the used rectangle of a sheet, empty ones too: a reader keeps 24 bytes for each."""

_FAR = _(
    "工作表的内容一直到第 {rows} 行、第 {columns} 列，多得读不了。请删掉表格下方和右侧很远处的单元格"
    "（按 Ctrl+End 可跳到最后一个），再另存。"
)
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
        raise TableError(_("文件有 {size} MB，工作簿最多 {most} MB，请拆成几个。"), size=size >> 20, most=MAX_FILE_MB)
    if not zipfile.is_zipfile(path):
        # An old .xls is no zip and unfolds into nothing.
        return
    try:
        with zipfile.ZipFile(path) as archive:
            _check_parts(archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        # RuntimeError: a part is encrypted, which no spreadsheet program does.
        raise TableError(_("文件已损坏（{why}）。请用 Excel 打开后另存。"), why=error) from error


def _check_parts(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        raise TableError(_("文件里有 {n} 个部件，真正的工作簿不会这样。"), n=len(parts))
    limit = MAX_UNFOLDED_MB << 20
    if sum(part.file_size for part in parts) > limit:
        raise _bomb()
    unfolded = 0
    for part in parts:
        # What the directory declares may be a lie, so what comes out is counted too.
        unfolded += _unfold(archive, part, limit - unfolded)


def _unfold(archive: zipfile.ZipFile, part: zipfile.ZipInfo, limit: int) -> int:
    """How many bytes a part really has; for a sheet, also whether its used rectangle is sane."""
    is_sheet = _SHEET.fullmatch(part.filename) is not None
    unfolded, tail, rows, columns = 0, b"", 0, 0
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            unfolded += len(chunk)
            if unfolded > limit:
                raise _bomb()
            if is_sheet:
                text = tail + chunk
                rows, columns = _extent(text, rows, columns)
                if rows * columns > MAX_CELLS:
                    raise TableError(_FAR, rows=rows, columns=columns)
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


def _bomb() -> TableError:
    return TableError(_("文件解开后超过 {most} MB：不是真正的工作簿，或已损坏。"), most=MAX_UNFOLDED_MB)
