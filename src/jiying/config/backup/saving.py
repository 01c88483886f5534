"""`jiying backup`: everything but the keys into one file, which appears under its name only when it is whole."""

from __future__ import annotations

import fcntl
import io
import os
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection

from jiying.config.backup.archive import FORMAT, Writer
from jiying.config.backup.copying import NAMES, copy_database
from jiying.config.home import NOT_FINISHED
from jiying.core.crypto import sm3_hex
from jiying.orders import photofiles

PART = ".part"
DATABASE_TAILS = ("", "-wal", "-shm", "-journal", ".restoring")
LEFT_OUT = frozenset({"secrets", NOT_FINISHED})


class Refused(Exception):
    """Nothing was written; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved; `missing` are photos that the database knows and whose files are not there."""

    path: Path
    size: int
    manifest: dict[str, Any]
    missing: list[str]
    seconds: float


def save(target: Path) -> Saved:
    """Write a backup to `target`, a new file or a folder.

    Raises:
        Refused, CannotCopy, OSError: nothing is left under its name.
    """
    began = time.monotonic()
    target = _named(target.absolute())
    with _part(target) as (part, stage):
        copied = copy_database(stage)
        facts, writer = copied.facts, Writer(part)
        with stage.open("rb") as database:
            writer.add(NAMES[connection.vendor], database, stage.stat().st_size)
        files, there = 0, set()
        for name, source, size in (*_home_files(), *_stored(facts.photos)):
            with source:
                writer.add(name, source, size)
            files += 1
            there.add(name.partition("/")[2].removeprefix("uploads/"))
        missing = [name for photo in facts.photos for name in _names(photo) if name not in there]
        manifest = {
            "format": FORMAT,
            "program": version("jiying"),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "database": connection.vendor,
            "server": copied.server,
            "tool": copied.tool,
            "counts": {
                "orders": facts.orders,
                "events": facts.events,
                "attachments": facts.attachments,
                "files": files,
            },
            "head": facts.head,
            "last_event": facts.last_event,
            "migrations": facts.migrations,
            "data_key": key_mark(),
            "store": "home" if _in_home() else "s3",
            "missing": missing,
        }
        writer.finish(manifest)
    return Saved(target, target.stat().st_size, manifest, missing, time.monotonic() - began)


def key_mark() -> str:
    """What tells whether a data key is the one a backup was made under, and nothing about the key itself."""
    return sm3_hex(b"backup" + settings.DATA_KEY)[:16]


def _named(target: Path) -> Path:
    if target.is_dir():
        target = target / f"jiying-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar"
    if target.exists():
        raise Refused(f"{target} is there already: name a new file")
    if not target.parent.is_dir():
        raise Refused(f"{target.parent} is no folder")
    if target.is_relative_to(settings.HOME):
        raise Refused(f"{target} lies in {settings.HOME}, which it is to save: name a place elsewhere, on another disk")
    return target


@contextmanager
def _part(target: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """The file to write, which becomes `target` when all went well, and where to put the copied database meanwhile.

    What a killed backup left under these names is overwritten by the next one to the same target.
    """
    path, stage = target.with_name(target.name + PART), target.with_name(f"{target.name}.database{PART}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb") as part:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"another backup is writing {target}") from None
        try:
            part.truncate()
            os.close(os.open(stage, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            yield part, stage
            part.flush()
            os.fsync(part.fileno())
            path.rename(target)
            _sync(target.parent)
        finally:
            stage.unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


Source = tuple[str, IO[bytes], int]


def _home_files() -> Iterator[Source]:
    """The home's files but keys, database, and what is half written; those that vanish meanwhile are left out."""
    home = Path(settings.HOME)
    database = str(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else ""
    own = {Path(f"{database}{tail}") for tail in DATABASE_TAILS} if database else set()
    for folder, folders, names in os.walk(home):
        here = Path(folder)
        folders[:] = sorted(
            name for name in folders if not ((here == home and name in LEFT_OUT) or name.endswith(PART))
        )
        for path in (here / name for name in sorted(names)):
            if path in own or path.suffix in (PART, ".new") or (here == home and path.name in LEFT_OUT):
                continue
            try:
                opened = _regular(path)
            except FileNotFoundError:
                continue
            if opened is not None:
                yield f"home/{path.relative_to(home)}", *opened


def _regular(path: Path) -> tuple[IO[bytes], int] | None:
    """A plain file, opened, with its size; None for links, sockets and the like."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return None
    file = path.open("rb")
    return file, os.fstat(file.fileno()).st_size


def _in_home() -> bool:
    return isinstance(default_storage, FileSystemStorage)


def _names(photo: uuid.UUID) -> list[str]:
    return [photofiles.name_of(photo, size) for size in photofiles.SIZES]


def _stored(photos: list[uuid.UUID]) -> Iterator[Source]:
    """Photos that lie in a store of their own, fetched one by one."""
    if _in_home():
        return
    for photo in photos:
        for size in photofiles.SIZES:
            data = photofiles.read(photo, size)
            if data is not None:
                yield f"store/{photofiles.name_of(photo, size)}", io.BytesIO(data), len(data)
