"""A consistent copy of the database while others write: SQLite by its online backup, PostgreSQL by pg_dump."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.db import connection

from jiying.config.backup.facts import Facts, facts_of

NAMES = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}


class CannotCopy(Exception):
    """The database could not be copied or put back; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied; `server` is the database's name and version, `tool` the major version of what copied it."""

    facts: Facts
    server: str
    tool: int


def copy_database(target: Path) -> Copied:
    """Write a copy into the file `target`.

    Raises:
        CannotCopy, OSError.
    """
    return _sqlite(target) if connection.vendor == "sqlite" else _postgresql(target)


def _sqlite(target: Path) -> Copied:
    name = str(connection.settings_dict["NAME"])
    if not Path(name).exists():
        raise CannotCopy(f"there is no database at {name}")
    target.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(name, timeout=20)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            # In one step: writers go on beside a reader, while a copy page by page begins anew at each of their writes.
            source.backup(copy)
            # The log beside the file stays behind here; in service it is switched on again.
            copy.execute("PRAGMA journal_mode=DELETE")
            return Copied(facts_of(copy.execute), f"SQLite {sqlite3.sqlite_version}", 0)
    except sqlite3.Error as error:
        raise CannotCopy(f"SQLite: {error}") from error


def _postgresql(target: Path) -> Copied:
    program, tool = tool_of("pg_dump")
    mine = connection.copy()
    try:
        mine.ensure_connection()
        raw: Any = mine.connection
        server = int(raw.info.server_version) // 10_000
        if tool < server:
            raise CannotCopy(f"pg_dump is {tool}, the server is {server}: install postgresql-client-{server}")
        raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        ((snapshot,),) = raw.execute("SELECT pg_export_snapshot()").fetchall()
        _run([program, "--format=custom", *_PLAIN, f"--snapshot={snapshot}", f"--file={target}", f"--dbname={dsn()}"])
        numbers = iter(range(1_000_000))

        def ask(query: str) -> Iterator[tuple[Any, ...]]:
            with raw.cursor(f"backup_{next(numbers)}") as cursor:
                yield from cursor.execute(query)

        return Copied(facts_of(ask), f"PostgreSQL {server}", tool)
    finally:
        mine.close()


_PLAIN = ("--no-owner", "--no-privileges")


def tool_of(name: str) -> tuple[str, int]:
    """Where one of PostgreSQL's programs is, and its major version (CannotCopy: it is not there)."""
    program = shutil.which(name)
    if program is None:
        raise CannotCopy(f"{name} is not installed: apt-get install postgresql-client")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    number = next((word for word in said.split() if word[0].isdigit()), "0")
    return program, int(number.partition(".")[0])


def restore_dump(dump: Path) -> None:
    """Put a dump into the empty database, whole or not at all."""
    program, _tool = tool_of("pg_restore")
    whole = ("--single-transaction", "--exit-on-error")
    _run([program, *_PLAIN, *whole, f"--dbname={dsn()}", str(dump)])


def dsn() -> str:
    """The database's address for PostgreSQL's programs; the password goes by the environment, where nobody reads it."""
    said = connection.settings_dict
    options = {name: value for name, value in said["OPTIONS"].items() if isinstance(value, str)}
    where = f"{said['HOST']}:{said['PORT']}" if said["PORT"] else said["HOST"]
    user = f"{quote(said['USER'], safe='')}@" if said["USER"] else ""
    return f"postgresql://{user}{where}/{quote(str(said['NAME']), safe='')}?{urlencode(options)}".rstrip("?")


def _run(command: list[str]) -> None:
    password = connection.settings_dict["PASSWORD"]
    env = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        told = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise CannotCopy(f"{Path(command[0]).name}: {told[0]}")
