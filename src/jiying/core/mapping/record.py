"""One record of a table, and the header that names its cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from jiying.core.mapping.fault import TableError

LOOK_FOR_HEADER = 30
"""Rows at the top that are searched for the header: titles and notes may stand above it."""

_SPACES = re.compile(r"\s+")


class Record(NamedTuple):
    """One record: the line it begins on, its cells by column, and what is wrong with its form, if anything."""

    line: int
    cells: dict[str, str]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, and the line they stand on (the first line of a file is 1)."""

    line: int
    names: tuple[str, ...]

    def record(self, cells: Sequence[str]) -> dict[str, str]:
        """The cells by name; what is missing at the end is empty."""
        found = dict(zip(self.names, cells, strict=False))
        for name in self.names[len(cells) :]:
            found[name] = ""
        return found


def find_header(rows: Iterable[tuple[int, Sequence[str]]], wanted: frozenset[str]) -> Header:
    """The header among the first rows: the first that has every `wanted` name, else the one that has most of them.

    Without wanted names it is the first row with anything in it.

    Raises:
        TableError: there is no row, or a name stands twice in it.
    """
    best: tuple[int, tuple[int, Sequence[str]]] | None = None
    for looked, (line, cells) in enumerate(row for row in rows if any(cell.strip() for cell in row[1])):
        hits = len(wanted & {_tidy(cell) for cell in cells})
        if best is None or hits > best[0]:
            best = hits, (line, cells)
        if hits == len(wanted) or looked + 1 == LOOK_FOR_HEADER:
            break
    if best is None:
        raise TableError(_("没有表头：第一行应写各列的名称。"))
    line, cells = best[1]
    names = tuple(_tidy(cell) for cell in cells)
    for name in names:
        if name and names.count(name) > 1:
            raise TableError(_("表头里有两列都叫“{name}”，请改掉一个。"), name=name)
    return Header(line, names)


def _tidy(name: str) -> str:
    """A column's name; headers are broken into lines to make them narrow."""
    return _SPACES.sub(" ", name).strip()
