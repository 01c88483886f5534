"""Exports: a table that somebody sees, as a file.

A screen registers what it can hand out as a `Source`.  A small table is written at once; a large one by a job.
Either way the rows are read with the rights that the asker has at that moment, every export is put down with
who asked, for what and how many rows, and the file is for its asker alone, for a day.
"""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django_tasks import task

from jiying.core.crypto import sm3_hex
from jiying.core.errors import BadInput, JiyingError, NotYours
from jiying.estates.queries import the_district, zone_of
from jiying.exchange import jobs
from jiying.exchange.models import Export
from jiying.exchange.sources import Source, source_of
from jiying.exchange.spreadsheets import write
from jiying.people import audit
from jiying.people.models import User
from jiying.people.scopes import Scope, scope_of

FORMATS = ("xlsx", "csv")
AT_ONCE = 2_000
"""So many rows are written while their asker waits, about half a second; more go to a job."""
MOST = 300_000
"""Answers are held in memory whole, and a spreadsheet ends at a million rows: ask for a shorter period."""
KEPT = timedelta(hours=24)


def ask(user: User, kind: str, query: str, format: str, *, language: str, origin: str = "") -> Export:
    """Export a table: at once where it is small, else by a job.  The same wish while its job waits or runs is one.

    Raises:
        BadInput: `unknown_export`, `unknown_format`, `too_many` rows.
        NotYours: this kind is for other roles.
    """
    source = _allowed(user, kind)
    if format not in FORMATS:
        raise BadInput.of("format", "unknown_format", _("可以导出为 Excel（xlsx）或 CSV。"))
    scope = scope_of(user)
    count = source.count(user, query)
    if count > MOST:
        said = _("共 %(n)d 行，一次最多导出 %(most)d 行：请缩短期间或加上筛选条件。")
        raise BadInput.of("query", "too_many", said % {"n": count, "most": MOST})
    wish = Export(by=user, kind=kind, query=query[:1000], format=format, language=language, origin=origin)
    wish.district = min(scope.districts, default="") or getattr(the_district(), "code", "")
    if count <= AT_ONCE:
        wish.save()
        _write(wish, source)
        return wish
    with transaction.atomic():
        # The asker's row is the lock: two clicks at once are one after the other.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        same = Export.objects.filter(
            by=user, kind=kind, query=wish.query, format=format, language=language, finished_at=None, problem=""
        )
        for other in same:
            if jobs.standing(other.job).state in ("waiting", "running"):
                return other
        wish.save()
        wish.job = jobs.enqueue(write_export, str(wish.pk))
        wish.save(update_fields=["job"])
    return wish


@task()
def write_export(export_id: str) -> None:
    """The job of a large export.  Run again, it writes the same file anew."""
    export = Export.objects.select_related("by").get(pk=export_id)
    if export.finished_at is not None:
        return
    with translation.override(export.language):
        try:
            _write(export, _allowed(export.by, export.kind))
        except JiyingError as error:
            export.problem = error.detail[:300]
            export.save(update_fields=["problem"])


def path_of(export: Export) -> Path:
    """Where the file of an export lies."""
    return folder() / f"{export.pk}.{export.format}"


def folder() -> Path:
    """The folder of exports, for this program's eyes only."""
    path = Path(settings.HOME) / "exports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def file_for(user: User, export: Export) -> Path:
    """The file, for its asker.

    Raises:
        BadInput: `expired`: it is gone, or its asker may see less or other things by now.
    """
    path = path_of(export)
    if not export.is_there or not path.exists():
        raise BadInput.of("file", "expired", _("文件已过保留期，请重新导出。"))
    if export.reach != reach_digest(scope_of(user)):
        raise BadInput.of("file", "expired", _("您的权限在导出之后有变化，请重新导出。"))
    return path


def reach_digest(scope: Scope) -> str:
    """A digest of what somebody can see, to tell whether it changed."""
    sets = (scope.roles, scope.districts, scope.towns, scope.committees, scope.owned, scope.companies, scope.works_for)
    parts = [sorted(map(str, each)) for each in sets]
    managed = sorted((str(key), sorted(places)) for key, places in scope.managed.items())
    return sm3_hex(repr((parts, managed)).encode())


def tidy(now: datetime) -> None:
    """Remove files past their time, and what crashes left half written."""
    for export in Export.objects.filter(expires_at__lt=now).exclude(size=None):
        path_of(export).unlink(missing_ok=True)
        export.size = None
        export.save(update_fields=["size"])
    limit = (now - KEPT).timestamp()
    for path in folder().glob("*.part"):
        if path.stat().st_mtime < limit:
            shutil.rmtree(path, ignore_errors=True)


def _allowed(user: User, kind: str) -> Source:
    source = source_of(kind)
    if not user.is_active or not source.roles & scope_of(user).roles:
        raise NotYours(_("这项导出由其他岗位使用。"))
    return source


def _write(export: Export, source: Source) -> None:
    """Write the file beside its place, then put it there whole."""
    scope = scope_of(export.by)
    part = folder() / f"{export.pk}-{jobs.worker_name()}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    try:
        with timezone.override(zone_of(export.district)):
            sheet = source.sheet(export.by, export.query)
            total = source.count(export.by, export.query)
            export.rows = write(part / "table", sheet, export.format, partial(jobs.progress, total=total))
        export.size = (part / "table").stat().st_size
        (part / "table").replace(path_of(export))
    finally:
        shutil.rmtree(part, ignore_errors=True)
    export.reach = reach_digest(scope)
    export.finished_at = timezone.now()
    export.expires_at = export.finished_at + KEPT
    with transaction.atomic():
        export.save(update_fields=["rows", "size", "reach", "finished_at", "expires_at"])
        audit.record(
            "export",
            by=export.by,
            district=export.district,
            origin=export.origin,
            subject=export.pk,
            about=str(source.label),
            data={"kind": export.kind, "rows": export.rows, "format": export.format},
        )
