"""`jiying restore`: a backup back into an empty place, after every byte of it was found whole.

While it runs, a file in the home says so: nothing serves from there, and a restore that was killed begins anew.
The database comes last.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max, Min, Q

from jiying.config.backup.archive import Reader
from jiying.config.backup.copying import NAMES, restore_dump, tool_of
from jiying.config.backup.saving import Refused, key_mark
from jiying.config.home import NOT_FINISHED
from jiying.orders.models import Cursor, Event
from jiying.orders.verify import Report, verify
from jiying.supervision.models import Edition

MARGIN = 64 * 1024 * 1024
"""Bytes to be left free on the disk."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back.  `keys`: `same`, or `other` than those the backup was made under; `migrated`: how many steps
    brought the database to this program's form."""

    report: Report
    keys: str
    migrated: int
    seconds: float


def restore(archive: Reader) -> Restored:
    """Bring `archive` back into this home and database.

    Raises:
        Refused: nothing was written.  That the home is empty was seen before.
        CannotCopy, BadArchive, OSError: it broke off; the same command begins anew.
    """
    began = time.monotonic()
    home = Path(settings.HOME)
    _check_database(archive)
    _check_room(archive, home)
    _begin(home)
    for name in archive.names("home/"):
        path = home / name.removeprefix("home/")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        archive.extract(name, path)
    for name in archive.names("store/"):
        _put_back(name.removeprefix("store/"), b"".join(archive.chunks(name)))
    _put_database(archive, home)
    os.sync()
    migrated = len(_missing_migrations())
    if migrated:
        call_command("migrate", verbosity=0, interactive=False)
    (home / NOT_FINISHED).unlink()
    keys = "same" if archive.manifest["data_key"] == key_mark() else "other"
    return Restored(verify(), keys, migrated, time.monotonic() - began)


def _check_database(archive: Reader) -> None:
    saved = archive.manifest["database"]
    if saved != connection.vendor:
        raise Refused(f"the backup is of {saved}, JIYING_DATABASE_URL is {connection.vendor}: they cannot be exchanged")
    known = MigrationExecutor(None).loader.disk_migrations  # type: ignore[arg-type]
    ahead = [f"{app}.{name}" for app, name in archive.manifest["migrations"] if (app, name) not in known]
    if ahead:
        raise Refused(f"the backup is of a newer program, which has {ahead[0]}: install that one")
    if saved == "sqlite":
        if _file().exists():
            raise Refused(f"there is a database at {_file()} already: set JIYING_HOME to a new folder")
        return
    _program, tool = tool_of("pg_restore")
    if tool < archive.manifest["tool"]:
        wanted = archive.manifest["tool"]
        raise Refused(f"pg_restore is {tool}, the backup was made by {wanted}: install postgresql-client-{wanted}")
    if tables := connection.introspection.table_names():
        raise Refused(f"the database is not empty (it has {tables[0]} …): make a new one")


def _file() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


def _check_room(archive: Reader, home: Path) -> None:
    free = shutil.disk_usage(home).free
    if free < archive.size + MARGIN:
        wanted = (archive.size + MARGIN) // 1024**2
        raise Refused(f"{home} has {free // 1024**2} MiB free and needs {wanted}: make room")


def _begin(home: Path) -> None:
    """Say that it has begun, and clear away what an earlier one left: before it there was nothing here."""
    mark = home / NOT_FINISHED
    if mark.exists():
        for path in home.iterdir():
            if path.name in ("secrets", "lost+found", NOT_FINISHED):
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    mark.write_text("jiying restore has begun here and not ended: run it again\n")


def _put_back(name: str, data: bytes) -> None:
    """A photo into a store of its own; one that is there already is the same, since its name is its id."""
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(data))


def _put_database(archive: Reader, home: Path) -> None:
    name = NAMES[connection.vendor]
    if connection.vendor == "sqlite":
        beside = _file().with_name(f"{_file().name}.{NOT_FINISHED}")
        archive.extract(name, beside)
        os.sync()
        beside.rename(_file())
        return
    dump = home / f"{NOT_FINISHED}.pgdump"
    try:
        archive.extract(name, dump)
        restore_dump(dump)
    finally:
        dump.unlink(missing_ok=True)
    settle()


def settle() -> None:
    """Make the log readable on another server, whose transaction ids are others.

    Followers read below the oldest transaction that runs, and new events must come behind old ones: restored events
    all belong to a time before any transaction of this server.  In that time their order is that of `seq`; where that
    differs from the order of commit, a follower reads a few events again, which it is made to bear.
    """
    with transaction.atomic():
        last = Event.objects.aggregate(last=Max("seq"))["last"] or 0
        for model in (Cursor, Edition):
            for row in model.objects.all():
                unread = Event.objects.filter(Q(xid__gt=row.xid) | Q(xid=row.xid, seq__gt=row.seq))
                first = unread.aggregate(first=Min("seq"))["first"]
                model.objects.filter(pk=row.pk).update(xid=0, seq=last if first is None else first - 1)
        Event.objects.exclude(xid=0).update(xid=0)


def _missing_migrations() -> list[Any]:
    executor = MigrationExecutor(connection)
    return executor.migration_plan(executor.loader.graph.leaf_nodes())
