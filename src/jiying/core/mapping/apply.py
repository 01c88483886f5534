"""A table and a mapping give rows and rejects: each record becomes exactly one of the two.

Local times: one that the clock skipped (spring) is rejected, since it cannot have happened; one that it
showed twice (autumn) is taken as the first of the two, so that no promise looks better than it was.  A deadline
is reckoned, not lived: one within the skipped hour lies as much later.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.core.crypto import sm3_hex
from jiying.core.errors import BadInput
from jiying.core.geo import from_crs
from jiying.core.mapping.fault import said
from jiying.core.mapping.language import Column, Mapping, MappingError, Within
from jiying.core.mapping.moments import read_moment
from jiying.core.mapping.record import Record
from jiying.core.mapping.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """A record in our words.

    Attributes:
        line: of the file, the header is 1.
        values: text by our names; times are aware, UTC; `lon` and `lat` are degrees in WGS-84.  A name whose
            column is empty and has no default is absent.
        source: the record as it was.
        dropped: the point that was left out since it cannot be right (`within`), else empty.
    """

    line: int
    values: dict[str, str | float | datetime]
    source: dict[str, str]
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be taken: the first thing that is wrong with it.

    Codes: `required rejected bad_time bad_point bad_row`, and `unknown_NAME` where a table has no such entry.
    """

    line: int
    field: str
    value: str
    code: str
    reason: str
    source: dict[str, str]


class _Refused(Exception):
    """This value refuses the record."""

    def __init__(self, field: str, value: str, code: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.value, self.code, self.reason = field, value, code, reason


def written(mapping: Mapping, row: Row, name: str) -> str:
    """What the file itself says where one of our values comes from; empty where no column gives it."""
    return next((_text(column, row.source) for column in mapping.columns if column.name == name), "")


_DROPPED = "dropped point"
_DEADLINES = frozenset({"due_at"})


def rows(mapping: Mapping, table: Table, *, only: Dict[str, str] | None = None) -> Iterator[Row | Reject]:
    """The records of `table` in order; `only` keeps those whose columns (theirs) have exactly these values.

    Raises:
        MappingError: at once, before any row: the table has not the columns that are read.
    """
    only = only or {}
    _check_columns(mapping, table, only)
    return _each(mapping, table, only)


def _each(mapping: Mapping, records: Iterable[Record], only: Dict[str, str]) -> Iterator[Row | Reject]:
    for record in records:
        if any(record.cells.get(name, wanted) != wanted for name, wanted in only.items()):
            continue
        try:
            values = _values(mapping, record)
            dropped = str(values.pop(_DROPPED, ""))
            yield Row(record.line, values, record.cells, dropped)
        except _Refused as no:
            yield Reject(record.line, no.field, no.value, no.code, no.reason, record.cells)


def _check_columns(mapping: Mapping, table: Table, only: Dict[str, str]) -> None:
    missing = [(column.line, name) for column in mapping.columns for name in column.wanted if name not in table.names]
    faults = [(line, _missing(name, table)) for line, name in missing]
    faults += [(0, _missing(name, table)) for name in only if name not in table.names]
    if faults:
        raise MappingError(mapping.name, faults)


_MISSING = gettext_lazy("表里没有“{name}”这一列。")
_NEARLY = gettext_lazy("表里没有“{name}”这一列，是不是“{near}”？")


def _missing(name: str, table: Table) -> Promise:
    near = difflib.get_close_matches(name, table.names, 1)
    return said(_NEARLY, name=name, near=near[0]) if near else said(_MISSING, name=name)


def _values(mapping: Mapping, record: Record) -> dict[str, str | float | datetime]:
    if record.fault:
        raise _Refused("", "", "bad_row", _row_fault(record.fault))
    values: dict[str, str | float | datetime] = dict(mapping.defaults)
    for column in mapping.columns:
        text = _text(column, record.cells)
        _check_text(column, text)
        if column.split:
            text = ",".join(dict.fromkeys(_parts(mapping, column, text)))
            if text:
                values[column.name] = text
        elif column.table is not None:
            values.update(_looked_up(mapping, column, text))
        elif text:
            values[column.name] = _value(column, text, mapping.timezone)
    _place(mapping, values)
    return values


def _row_fault(fault: str) -> str:
    if fault == "quote":
        return _("这一行的引号位置不对，请核对原文件。")
    if fault == "short":
        return _("这一行的列数比表头少。")
    return _("这一行的列数比表头多。")


def _text(column: Column, cells: Dict[str, str]) -> str:
    """The value from the first source that gives one."""
    for source in column.sources:
        parts = [cells[name].strip() for name in source.columns]
        if column.table is None:
            parts = [part for part in parts if part and not column.empty(part)]
        # For a table the parts keep their places, also where one is empty.
        text = source.join.join(parts).removesuffix(column.trim_end)
        if text and any(parts) and not column.empty(text):
            return text
    return ""


def _check_text(column: Column, text: str) -> None:
    if not text and (column.required or any(pattern == "" for pattern, _test in column.reject)):
        raise _Refused(column.name, text, "required", _("这一列不能空着。"))
    for pattern, matches in column.reject:
        if matches(text):
            reason = _("映射规定不接收“%(pattern)s”这样的值。") % {"pattern": pattern}
            raise _Refused(column.name, text, "rejected", reason)


def _looked_up(mapping: Mapping, column: Column, text: str) -> Dict[str, str]:
    if not text and not column.required:
        return {}
    found = mapping.look_up[column.table or ""](text)
    if found is None:
        reason = _("对照表“%(table)s”里没有这个值。") % {"table": column.table}
        raise _Refused(column.name, text, f"unknown_{column.name}", reason)
    return found


def _parts(mapping: Mapping, column: Column, text: str) -> Iterator[str]:
    """The values in one cell, each looked up where the column has a table."""
    for separator in column.split[1:]:
        text = text.replace(separator, column.split[0])
    for part in text.split(column.split[0]):
        if not (part := part.strip()):
            continue
        yield _looked_up(mapping, column, part).get(column.name, "") if column.table is not None else part


def _value(column: Column, text: str, zone: ZoneInfo) -> str | datetime:
    if column.is_time:
        return _time(column, text, zone)
    return sm3_hex(text.encode())[: column.digest].upper() if column.digest else text


_SHOWN = {"zh": "2026-3-1 9:05", "iso": "2026-03-01T09:05", "excel": "46082.378"}
"""What stands for a form of times that has a name, where people read about it."""


def _time(column: Column, text: str, zone: ZoneInfo) -> datetime:
    try:
        moment = read_moment(text, column.formats)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        at = moment.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        reason = _("时间不符合格式 %(format)s。") % {
            "format": " · ".join(_SHOWN.get(name, name) for name in column.formats)
        }
        raise _Refused(column.name, text, "bad_time", reason) from error
    if at.astimezone(zone).replace(tzinfo=None) != moment and column.name not in _DEADLINES:
        reason = _("当地没有这个时刻（夏令时跳过了它）。")
        raise _Refused(column.name, text, "bad_time", reason)
    return at


def _place(mapping: Mapping, values: dict[str, str | float | datetime]) -> None:
    """Make `lon` and `lat` degrees in WGS-84; one without the other, or one outside, is refused or left out."""
    lon, lat = values.pop("lon", None), values.pop("lat", None)
    if lon is None and lat is None:
        return
    within = mapping.within
    try:
        point = from_crs(lon, lat, mapping.crs)
        if within is not None and not within.holds(point.lon, point.lat):
            raise BadInput.of("point", "bad_point", _outside(within))
    except BadInput as error:
        if within is not None and within.drop:
            values[_DROPPED] = f"{lon},{lat}"
            return
        raise _Refused("lon,lat", f"{lon},{lat}", "bad_point", error.detail) from error
    values["lon"], values["lat"] = point.lon, point.lat


def _outside(within: Within) -> str:
    return _("这个位置在映射规定的范围之外：东经 %(west)s–%(east)s，北纬 %(south)s–%(north)s。") % {
        "west": within.west,
        "east": within.east,
        "south": within.south,
        "north": within.north,
    }
