"""Reads about files and imports: what is in a file, what was found in it, what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from django.db.models import Count, QuerySet

from jiying.core import mapping as maps
from jiying.core.mapping import Mapping
from jiying.exchange.kinds import KINDS, Field
from jiying.exchange.models import Import, ImportRow, Verdict
from jiying.people.models import User


@dataclass(frozen=True, slots=True)
class Sample:
    """What a file holds: its sheets (none for CSV), the columns of one, and its first rows by column."""

    sheets: list[str]
    sheet: str
    columns: list[str]
    rows: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Shown:
    """One judged row as a preview shows it; `values` are what would be written, `changes` old and new."""

    line: int
    key: str
    verdict: str
    values: dict[str, Any]
    changes: dict[str, list[Any]]
    field: str
    value: str
    code: str
    reason: str
    source: dict[str, str]


def sample(path: Path, *, sheet: str | None = None, encoding: str = "auto", rows: int = 8) -> Sample:
    """The sheets, columns and first rows of a file (TableError: it cannot be read)."""
    table = maps.read_table(path, encoding, sheet=sheet)
    first = [record.cells for record in islice((record for record in table if record.fault is None), rows)]
    return Sample(maps.sheets(path), getattr(table, "sheet", ""), [name for name in table.names if name], first)


def fields(kind: str) -> tuple[Field, ...]:
    """What a mapping may give for a kind, in the order in which a page asks for it."""
    return KINDS[kind].fields


def suggest(kind: str, columns: list[str]) -> dict[str, str]:
    """Which column probably is which of our values: by our label, our name, or a word people use for it.

    >>> suggest("estates", ["小区名称", "详细地址", "户数"])
    {'name': '小区名称', 'address': '详细地址', 'households': '户数'}
    """
    found: dict[str, str] = {}
    for field in KINDS[kind].fields:
        words = {str(field.label), field.name, *_WORDS.get(field.name, ())}
        for column in columns:
            if column in words and column not in found.values():
                found[field.name] = column
                break
    return found


#: What ledgers call our values beside their labels.
_WORDS: dict[str, tuple[str, ...]] = {
    "name": ("小区名称", "名称", "姓名", "企业名称", "单位名称", "联系人", "报修人"),
    "address": ("地址", "详细地址", "小区地址", "坐落"),
    "code": ("代码", "编码", "编号", "小区编号", "区划代码", "小区代码"),
    "town": ("街镇", "所属街镇", "街道", "街道（镇）", "街道乡镇"),
    "committee": ("居委", "居委会", "所属居委", "居村委", "社区"),
    "company": ("物业企业", "物业公司", "物业服务企业", "所属公司", "公司"),
    "households": ("户数", "总户数", "住户数"),
    "uscc": ("统一社会信用代码", "信用代码"),
    "phone": ("手机", "电话", "联系电话", "手机号", "报修电话"),
    "skills": ("技能", "工种"),
    "shifts": ("班次", "班时"),
    "external_id": ("编号", "工单号", "工号", "工单编号", "单号", "序号"),
    "reported_at": ("报修时间", "报修日期", "登记时间", "受理时间", "创建时间", "留言时间"),
    "done_at": ("完工时间", "完成时间", "答复时间"),
    "closed_at": ("结案时间", "办结时间", "关闭时间"),
    "due_at": ("期限", "截止时间", "办结期限", "要求完成时间"),
    "category": ("类别", "报修类别", "维修项目", "事项"),
    "description": ("内容", "报修内容", "问题描述", "描述", "留言详情"),
    "estate": ("小区", "小区名称", "所属小区", "项目名称"),
    "lon": ("经度", "lng", "longitude"),
    "lat": ("纬度", "latitude"),
}


def clicked(kind: str, choices: dict[str, Any], *, name: str = "clicked") -> Mapping:
    """A checked mapping from what somebody clicked together on a page.

    `choices`: `columns` {ours: theirs or the options of a column}, and where wanted `defaults`, `tables`,
    `timezone` (default Asia/Shanghai), `crs`, `source`, `within`, `create`, `nearest_town_km`.

    Raises:
        MappingError: what does not fit together.
    """
    columns: dict[str, dict[str, Any]] = {
        ours: {"from": theirs} if isinstance(theirs, str) else dict(theirs)
        for ours, theirs in choices.get("columns", {}).items()
        if theirs
    }
    known = {field.name: field for field in KINDS[kind].fields}
    for ours, spec in columns.items():
        if ours in known and known[ours].required:
            spec.setdefault("required", True)
        if ours in known and known[ours].time:
            spec.setdefault("format", ["zh"])
    document: dict[str, Any] = {"version": 1, "kind": kind, "timezone": "Asia/Shanghai", "columns": columns}
    optional = ("timezone", "crs", "source", "encoding", "within", "create", "nearest_town_km", "defaults", "tables")
    document |= {part: choices[part] for part in optional if choices.get(part)}
    return maps.parse(yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode(), name)


def imports(user: User) -> QuerySet[Import]:
    """The imports somebody may see, newest first."""
    return Import.objects.visible_to(user).select_related("by").order_by("-began_at")


def preview(imported: Import, *, verdict: str = "", first: int = 50) -> list[Shown]:
    """The first judged rows, in the order of the file; of one verdict if it is given."""
    rows = imported.rows.filter(line__gt=0).order_by("line")
    return [_shown(row) for row in (rows.filter(verdict=verdict) if verdict else rows)[:first]]


def made(imported: Import) -> list[dict[str, Any]]:
    """What the mapping makes beside the rows: the district, towns."""
    rows = imported.rows.filter(line=0).order_by("position")
    return [{"code": row.key, **row.content.get("values", {})} for row in rows]


def codes(imported: Import) -> dict[str, int]:
    """How many rows were refused for which reason, most first."""
    rows = imported.rows.filter(verdict=Verdict.REJECT).values_list("code").annotate(n=Count("pk"))
    return dict(rows.order_by("-n", "code"))


def kept(imported: Import) -> dict[str, int]:
    """Why rows of a reverted import could not be taken back, and how many."""
    rows = imported.rows.filter(outcome="kept").values_list("reason").annotate(n=Count("pk"))
    return dict(rows.order_by("-n"))


def progress(imported: Import) -> tuple[int, int]:
    """How many of the rows to be written are written (or taken back), and how many there are."""
    rows = imported.rows.filter(verdict__in=(Verdict.CREATE, Verdict.UPDATE))
    return rows.exclude(outcome="").count(), rows.count()


def write_rejects(imported: Import, path: Path) -> int:
    """The rejects file of an import; returns how many rows are in it."""
    return maps.write_rejects(path, _rejects(imported), imported.names)


def _rejects(imported: Import) -> Iterator[Shown]:
    rows = imported.rows.filter(verdict=Verdict.REJECT, line__gt=0).order_by("line")
    return (_shown(row) for row in rows.iterator(chunk_size=500))


def _shown(row: ImportRow) -> Shown:
    content = row.content
    return Shown(
        line=row.line,
        key=row.key,
        verdict=row.verdict,
        values=content.get("values", {}),
        changes=content.get("changes", {}),
        field=row.field,
        value=str(content.get("value", "")),
        code=row.code,
        reason=row.reason,
        source=content.get("source", {}),
    )
