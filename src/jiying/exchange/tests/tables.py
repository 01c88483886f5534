"""Made-up tables and mappings for the tests of imports."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from jiying.core import mapping as maps
from jiying.core.mapping import Mapping
from jiying.exchange import actions
from jiying.exchange.models import Import

ORDERS = """
version: 1
kind: orders
source: other
timezone: Asia/Shanghai
columns:
  external_id: {from: 编号, required: true}
  reported_at: {from: 报修时间, format: [zh, excel], required: true}
  due_at: {from: 期限, format: [zh, excel]}
  done_at: {from: 完工, format: [zh, excel]}
  state: {from: 状态, table: states}
  description: {from: 内容, required: true}
  estate: {from: 小区}
  answer: {from: 答复}
defaults: {kind: complaint, category: complaint, urgency: ordinary, address: 未写明}
tables:
  states: {已办结: closed, 已完工: done, 重复: merged, 不受理: {state: refused, rule: 其他部门}, "*": open}
"""
ORDER_HEAD = ("编号", "报修时间", "期限", "完工", "状态", "内容", "小区", "答复")

ESTATES = """
version: 1
kind: estates
source: other
timezone: Asia/Shanghai
crs: GCJ-02
within: {box: [121.0, 30.8, 122.0, 31.6]}
columns:
  code: {from: 编号, required: true}
  name: {from: 小区名称, required: true}
  town: {from: 街镇}
  address: {from: 地址}
  households: {from: 户数}
  company: {from: 物业企业}
  lon: {from: 经度}
  lat: {from: 纬度}
"""
ESTATE_HEAD = ("编号", "小区名称", "街镇", "地址", "户数", "物业企业", "经度", "纬度")


def mapping(text: str, **replace: str) -> Mapping:
    """A mapping from its text, with words replaced."""
    for old, new in replace.items():
        text = text.replace(old, new)
    return maps.parse(text.encode(), "test")


def write_csv(path: Path, head: Sequence[str], *rows: Sequence[object]) -> Path:
    """A CSV file as spreadsheets write it; short rows are filled up."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows([*row, *[""] * (len(head) - len(row))] for row in rows)
    return path


def brought_in(kind: str, path: Path, text: str, **more: object) -> Import:
    """Stage and apply."""
    imported = actions.stage(kind, path, mapping(text), **more)  # type: ignore[arg-type]
    return actions.apply(imported.pk)


def counts(imported: Import) -> tuple[int, int, int, int, int]:
    """read, created, updated, unchanged, rejected."""
    return imported.read, imported.created, imported.updated, imported.unchanged, imported.rejected
