"""Writing what was staged, and taking it back: batch by batch, each in a transaction of its own.

Which rows are written stands in the rows themselves, in the same transaction as what they made: after a
crash the work goes on where it stopped, and two who apply the same import do each row once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from itertools import groupby

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core import bulk
from jiying.core.crypto import sm3_hex
from jiying.core.errors import BadInput, NotFound
from jiying.exchange.kinds import KINDS, Item, Kind, Task
from jiying.exchange.models import Import, ImportRow, Outcome, Stage, Verdict
from jiying.exchange.places import Book
from jiying.exchange.staging import Progress, mapping_of, silent
from jiying.orders import heads
from jiying.orders.places import forget as forget_places
from jiying.people.scopes import scope_of

BATCH = 500
TO_WRITE = (Verdict.CREATE, Verdict.UPDATE)


def apply(import_id: uuid.UUID, *, progress: Progress = silent) -> Import:
    """Write everything that waits; safe to call again after a crash, and when all is done.

    Raises:
        NotFound: no such import.  BadInput: `wrong_stage`: it was reverted or discarded.
    """
    imported = _enter(import_id, {Stage.STAGED, Stage.APPLYING, Stage.APPLIED}, Stage.APPLYING)
    total = imported.waiting
    batches = _Batches(imported, reverse=False)
    done = total - _waiting(imported).count()
    while count := batches.next(_write):
        done += count
        progress("apply", done, total)
    return _finish(import_id, Stage.APPLYING, Stage.APPLIED)


def revert(import_id: uuid.UUID, *, progress: Progress = silent) -> Import:
    """Take back what an import wrote, where nothing has been built on it; safe to call again after a crash.

    Rows that could not be taken back say why (`ImportRow.reason`, outcome `kept`).

    Raises:
        NotFound, BadInput: as `apply`; an import that was only staged is discarded instead.
    """
    wanted = {Stage.APPLYING, Stage.APPLIED, Stage.REVERTING, Stage.REVERTED}
    imported = _enter(import_id, wanted, Stage.REVERTING)
    batches = _Batches(imported, reverse=True)
    total, done = imported.rows.filter(outcome=Outcome.DONE).count(), 0
    while count := batches.next(_take_back):
        done += count
        progress("revert", done, total)
    imported = _finish(import_id, Stage.REVERTING, Stage.REVERTED)
    if imported.removed:
        heads.tell_withdrawn(imported.pk, imported.removed, imported.removed_head)
    return imported


def discard(import_id: uuid.UUID) -> Import:
    """Give up an import that was only staged; what its rows said is forgotten."""
    imported = _enter(import_id, {Stage.STAGED}, Stage.DISCARDED)
    imported.rows.update(sealed=b"")
    return imported


def _enter(import_id: uuid.UUID, allowed: set[Stage], stage: Stage) -> Import:
    with transaction.atomic():
        imported = Import.objects.select_for_update().filter(pk=import_id).first()
        if imported is None:
            raise NotFound(_("没有这次导入。"))
        if imported.stage not in allowed:
            said = _("这次导入的状态是“%(stage)s”，现在不能这样做。") % {"stage": imported.get_stage_display()}
            raise BadInput.of("import", "wrong_stage", said)
        imported.stage = stage
        imported.save(update_fields=["stage"])
        return imported


def _finish(import_id: uuid.UUID, before: Stage, stage: Stage) -> Import:
    with transaction.atomic():
        imported = Import.objects.select_for_update().get(pk=import_id)
        if imported.stage == before:
            imported.stage = stage
            if stage == Stage.APPLIED:
                imported.applied_at = imported.applied_at or timezone.now()
            else:
                imported.reverted_at = timezone.now()
            imported.save(update_fields=["stage", "applied_at", "reverted_at"])
    forget_places()
    return imported


def _waiting(imported: Import) -> QuerySet[ImportRow]:
    return imported.rows.filter(verdict__in=TO_WRITE, outcome=Outcome.WAITING)


class _Batches:
    """The rows of an import in batches of one kind, forwards to write and backwards to take back."""

    def __init__(self, imported: Import, *, reverse: bool) -> None:
        self.imported = imported
        self.reverse = reverse
        self._kinds: dict[str, Kind] = {}

    def next(self, work: Callable[[Kind, list[ImportRow]], None]) -> int:
        """Do the next batch in one transaction; returns how many rows, 0 at the end."""
        with transaction.atomic():
            # Whoever holds the import's row does this batch; the other finds it done.
            Import.objects.select_for_update().get(pk=self.imported.pk)
            rows = self._rows()
            if rows:
                work(self._kind(rows[0].what), rows)
        return len(rows)

    def _rows(self) -> list[ImportRow]:
        if self.reverse:
            found = self.imported.rows.filter(verdict__in=TO_WRITE, outcome=Outcome.DONE).order_by("-position")
        else:
            found = _waiting(self.imported).order_by("position")
        rows = list(found[:BATCH])
        return next((list(group) for _what, group in groupby(rows, key=lambda row: row.what)), [])

    def _kind(self, what: str) -> Kind:
        if what not in self._kinds:
            imported = self.imported
            mapping = mapping_of(imported)
            scope = scope_of(imported.by) if imported.by is not None else None
            book = Book.open(mapping, None, code=imported.district)
            task = Task(import_id=imported.pk, mapping=mapping, book=book, now=timezone.now(), scope=scope)
            self._kinds[what] = KINDS[what](task)
        return self._kinds[what]


def _items(rows: Iterable[ImportRow]) -> list[Item]:
    items = []
    for row in rows:
        content = row.content
        before = content.get("before")
        items.append(Item(row.key, row.verdict, content.get("values", {}), target=row.target, before=before))
    return items


def _write(kind: Kind, rows: list[ImportRow]) -> None:
    items = _items(rows)
    kind.write(items)
    refused = {"created": 0, "updated": 0}
    for row, item in zip(rows, items, strict=True):
        if item.refused is not None:
            if row.line:
                refused["created" if row.verdict == Verdict.CREATE else "updated"] += 1
            row.verdict, row.field, row.code = Verdict.REJECT, item.refused.field[:60], item.refused.code[:40]
            row.reason = str(item.refused.reason)[:400]
            row.keep({"value": item.refused.value, "source": item.values})
            continue
        row.outcome, row.target = Outcome.DONE, item.target
        # What was written stands in its own table now; only what is needed to take it back is kept here.
        if item.before is not None:
            row.keep({"before": item.before, "values": item.values})
        else:
            row.sealed = b""
    bulk.update(rows, ["verdict", "outcome", "field", "code", "reason", "target", "sealed"])
    if any(refused.values()):
        Import.objects.filter(pk=rows[0].imported_id).update(
            created=F("created") - refused["created"],
            updated=F("updated") - refused["updated"],
            rejected=F("rejected") + refused["created"] + refused["updated"],
        )


def _take_back(kind: Kind, rows: list[ImportRow]) -> None:
    items = _items(rows)
    kind.undo(items)
    for row, item in zip(rows, items, strict=True):
        row.outcome = Outcome.KEPT if item.kept else Outcome.REVERTED
        row.reason = str(item.kept)[:400]
        row.sealed = b""
    bulk.update(rows, ["outcome", "reason", "sealed"])
    removed, kind.task.removed = kind.task.removed, []
    if removed:
        imported = Import.objects.get(pk=rows[0].imported_id)
        imported.removed += len(removed)
        imported.removed_head = sm3_hex("\n".join([imported.removed_head, *removed]).encode())
        imported.save(update_fields=["removed", "removed_head"])
