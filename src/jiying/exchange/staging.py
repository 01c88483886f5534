"""Reading a file and judging every row of it, before anything is written that others can see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.core import bulk
from jiying.core import mapping as maps
from jiying.core.crypto import sm3_hex
from jiying.core.errors import BadInput
from jiying.core.mapping import Mapping, Reject, Row
from jiying.estates.queries import the_district
from jiying.exchange.kinds import KINDS, Kind, Plan, Refused, Task
from jiying.exchange.models import Import, ImportKind, ImportRow, Stage, Verdict
from jiying.exchange.places import Book
from jiying.people.models import User
from jiying.people.scopes import scope_of

CHUNK = 500
KEEP = timedelta(days=90)
"""How long refused rows keep what they said, for their rejects file, and updated ones what stood before."""
_NEEDS = gettext_lazy("缺少“{label}”（{name}）：请对应一列，或给一个默认值。")
Progress = Callable[[str, int, int], None]
"""Told (what is done, how many so far, of how many or 0 where unknown)."""


def silent(_what: str, _done: int, _of: int) -> None:
    """Progress that nobody watches."""


def stage(
    kind: str,
    path: Path,
    mapping: Mapping,
    *,
    by: User | None = None,
    original_name: str = "",
    sheet: str | None = None,
    progress: Progress = silent,
) -> Import:
    """Read `path`, judge every row and keep the verdicts; nothing is applied.

    Args:
        by: whose import it is; None is the command line, which may do everything.
        original_name: what the file was called where it came from.

    Raises:
        TableError, MappingError: the file or the mapping cannot be used; nothing was kept.
        BadInput: `no_district`, `wrong_kind`.  NotYours: `by` may not import.
    """
    check_mapping(kind, mapping)
    forget_old(timezone.now())
    table = maps.read_table(path, mapping.encoding, sheet=sheet, wanted=mapping.wanted)
    rows = maps.rows(mapping, table)
    scope = scope_of(by) if by is not None else None
    book = Book.open(mapping, scope, code=_own_district(by))
    if kind != ImportKind.DIVISIONS:
        book.need_district()
    with transaction.atomic():
        imported = Import.objects.create(
            district=book.district_code,
            kind=kind,
            file=(original_name or path.name)[:200],
            digest=_digest(path),
            sheet=getattr(table, "sheet", ""),
            mapping_name=Path(mapping.name).stem[:200],
            mapping=mapping.raw.decode("utf-8-sig"),
            names=list(table.names),
            by=by,
            began_at=timezone.now(),
        )
        task = Task(import_id=imported.pk, mapping=mapping, book=book, now=imported.began_at, scope=scope)
        _keep(imported, KINDS[kind](task), rows, progress)
        imported.save()
    return imported


def forget_old(now: datetime) -> int:
    """Erase what rows of imports older than `KEEP` said; returns how many imports.  Every new import does it.

    Verdicts and reasons stay.  One that is half-way through keeps what it needs to end.
    """
    old = Import.objects.filter(began_at__lt=now - KEEP, forgotten=False)
    ids = list(old.exclude(stage__in=(Stage.APPLYING, Stage.REVERTING)).values_list("pk", flat=True))
    ImportRow.objects.filter(imported_id__in=ids).update(sealed=b"")
    Import.objects.filter(pk__in=ids, stage=Stage.STAGED).update(stage=Stage.DISCARDED)
    Import.objects.filter(pk__in=ids).update(forgotten=True)
    return len(ids)


def check_mapping(kind: str, mapping: Mapping) -> None:
    """Refuse a mapping made for something else, or one that leaves out what a kind needs.

    Raises:
        BadInput: `wrong_kind`.  MappingError: a required value has neither column nor default.
    """
    if kind not in KINDS:
        raise BadInput.of("kind", "wrong_kind", _("可以导入：%(kinds)s。") % {"kinds": "、".join(KINDS)})
    if mapping.kind and mapping.kind != kind:
        said = _("这个映射是给 %(kind)s 用的，不是 %(wanted)s。") % {"kind": mapping.kind, "wanted": kind}
        raise BadInput.of("map", "wrong_kind", said)
    missing = [field for field in KINDS[kind].fields if field.required and not _gives(mapping, field.name)]
    if missing:
        faults = [(0, maps.said(_NEEDS, label=field.label, name=field.name)) for field in missing]
        raise maps.MappingError(mapping.name, faults)


def _gives(mapping: Mapping, name: str) -> bool:
    """Whether the mapping gives a value: by a column, a default, or an entry of one of its tables."""
    return mapping.has(name) or name in mapping.told


def _own_district(by: User | None) -> str:
    """The code of the district that somebody belongs to; nothing for the command line."""
    if by is None:
        return ""
    scope = scope_of(by)
    if scope.districts:
        return min(scope.districts)
    district = the_district()
    return district.code if district else ""


def _digest(path: Path) -> str:
    return sm3_hex(path.read_bytes())


def _keep(imported: Import, kind: Kind, rows: Iterator[Row | Reject], progress: Progress) -> None:
    """Judge the rows chunk by chunk; sets the counts of `imported`."""
    seen: dict[str, int] = {}
    positions = _Positions()
    while chunk := list(islice(rows, CHUNK)):
        kind.expect([row for row in chunk if isinstance(row, Row)])
        kept: list[ImportRow] = []
        for row in chunk:
            imported.read += 1
            if isinstance(row, Reject):
                kept.append(_rejected(imported, positions.next(), row, row.source))
                continue
            imported.dropped += bool(row.dropped)
            try:
                plan = kind.plan(row)
                if plan.key in seen:
                    raise Refused("", plan.key, "duplicate", _("与第 %(line)d 行重复。") % {"line": seen[plan.key]})
            except Refused as no:
                kept.append(_rejected(imported, positions.next(), _as_reject(kind.task.mapping, row, no), row.source))
                continue
            seen[plan.key] = row.line
            kept.append(_planned(imported, positions.next(), row.line, plan))
        bulk.insert(kept)
        progress("check", imported.read, 0)
    _make_places(imported, kind, positions)


class _Positions:
    """Counts rows up from 1,000, so that what the mapping makes first has room before them."""

    def __init__(self) -> None:
        self.first, self.at = 0, 1_000

    def next(self) -> int:
        self.at += 1
        return self.at


def _make_places(imported: Import, kind: Kind, positions: _Positions) -> None:
    """Put the district and towns that the mapping makes before all other rows, if any row is taken."""
    if not imported.created + imported.updated:
        return
    made = [
        _planned(imported, at, 0, Plan(facts["code"], Verdict.CREATE, facts), what=ImportKind.DIVISIONS)
        for at, facts in enumerate(kind.task.book.to_make())
    ]
    bulk.insert(made)


def _as_reject(mapping: Mapping, row: Row, no: Refused) -> Reject:
    """The refusal in the file's own words: a person looks for what stands there, not for what became of it."""
    value = maps.written(mapping, row, no.field) or no.value
    return Reject(row.line, no.field, value, no.code, str(no.reason), row.source)


def _rejected(imported: Import, position: int, reject: Reject, source: dict[str, str]) -> ImportRow:
    imported.rejected += 1
    row = ImportRow(
        imported=imported,
        position=position,
        line=reject.line,
        what=imported.kind,
        verdict=Verdict.REJECT,
        field=reject.field[:60],
        code=reject.code[:40],
        reason=reject.reason[:400],
    )
    row.keep({"value": reject.value, "source": source})
    return row


def _planned(imported: Import, position: int, line: int, plan: Plan, *, what: str = "") -> ImportRow:
    if line:
        name = {Verdict.CREATE: "created", Verdict.UPDATE: "updated", Verdict.UNCHANGED: "unchanged"}[plan.verdict]
        setattr(imported, name, getattr(imported, name) + 1)
    row = ImportRow(
        imported=imported,
        position=position,
        line=line,
        what=what or imported.kind,
        key=plan.key[:120],
        verdict=plan.verdict,
    )
    if plan.verdict != Verdict.UNCHANGED:
        imported.waiting += 1
        content: dict[str, Any] = {"values": plan.values}
        if plan.changes:
            content["changes"] = plan.changes
        row.keep(content)
    return row


def mapping_of(imported: Import) -> Mapping:
    """The mapping as it was used."""
    return maps.parse(imported.mapping.encode(), imported.mapping_name)
