"""Many rows at once, without asking of each value whether it is an expression.

`bulk_create` and `bulk_update` resolve every value, which in bulk work costs more than making and hashing the
rows.  The values are prepared by the fields themselves, so that both databases get what they get otherwise.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from django.db import connection, connections
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    TextField,
    UUIDField,
)

_PLAIN = ((CharField, str), (TextField, str), (IntegerField, int), (BooleanField, bool))
"""Fields, and the exact type whose values every database takes as they are (a member of an enumeration is a
string, too, but not to every driver)."""


Statement = tuple[str, list[list[Any]]]
"""What the database is told, and the values of each row, ready for it."""


def insert(rows: Sequence[Model]) -> None:
    """Insert rows of one model.  Keys that the database gives are not read back."""
    if not rows:
        return
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if not _counted(field)]
    tell((_insertion(model, fields), _values(rows, fields)))


def update(rows: Sequence[Model], names: Sequence[str]) -> None:
    """Write the fields `names` of rows of one model, each found by its key."""
    if rows:
        tell(updating(rows, names))


def updating(rows: Sequence[Model], names: Sequence[str]) -> Statement:
    """What `update` tells: worked out beforehand, it takes no time of the transaction."""
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if field.name in names]
    key = model._meta.pk
    assert key is not None, "a table has its key"
    sets = ", ".join(f"{_quoted(field)} = %s" for field in fields)
    return f"UPDATE {_table(model)} SET {sets} WHERE {_quoted(key)} = %s", _values(rows, [*fields, key])


def upsert(
    model: type[Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    unique: Sequence[str] = (),
    update: Sequence[str] = (),
) -> None:
    """Insert `rows` of the fields `names`; where `unique` is there already, set the fields `update` of it.

    With `unique` and nothing to update, what is there stays.
    """
    tell(upserting(model, names, rows, unique, update))


def upserting(
    model: type[Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    unique: Sequence[str] = (),
    update: Sequence[str] = (),
) -> Statement:
    """What `upsert` tells."""
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    return _insertion(model, fields, unique, update), _prepared(fields, rows)


def tell(statement: Statement) -> None:
    """Tell the database; nothing where there are no rows."""
    words, values = statement
    if values:
        with connection.cursor() as cursor:
            cursor.executemany(words, values)


def _insertion(
    model: type[Model], fields: Sequence[Field[Any, Any]], unique: Sequence[str] = (), update: Sequence[str] = ()
) -> str:
    column = {field.name: _quoted(field) for field in fields}
    marks = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {_table(model)} ({', '.join(column.values())}) VALUES ({marks})"
    if unique:
        told = ", ".join(f"{column[name]} = excluded.{column[name]}" for name in update)
        what = f"DO UPDATE SET {told}" if update else "DO NOTHING"
        statement += f" ON CONFLICT ({', '.join(column[name] for name in unique)}) {what}"
    return statement


def _counted(field: Field[Any, Any]) -> bool:
    """Whether the database counts the key up itself."""
    return field.primary_key and field.get_internal_type() in ("AutoField", "BigAutoField")


def _quoted(field: Field[Any, Any]) -> str:
    return connection.ops.quote_name(str(field.column))


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _values(rows: Iterable[Model], fields: Sequence[Field[Any, Any]]) -> list[list[Any]]:
    names = [field.attname for field in fields]
    return _prepared(fields, ([getattr(row, name) for name in names] for row in rows))


def _prepared(fields: Sequence[Field[Any, Any]], rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """The rows' values as the database takes them."""
    # Looked up once: the proxy asks for the thread's connection at every attribute.
    here = connections[connection.alias]
    preparing = [(*_shortcut(field, here), field.get_db_prep_save) for field in fields]
    return [
        [
            value
            if value is None or type(value) is plain
            else written(value)
            if type(value) is known
            else prepare(value, here)
            for (plain, known, written, prepare), value in zip(preparing, row, strict=True)
        ]
        for row in rows
    ]


def _shortcut(field: Field[Any, Any], here: Any) -> tuple[type | None, type | None, Callable[[Any], Any]]:
    """The type of values that go as they are, and one that SQLite gets as text, with how it is written there."""
    plain = next((plain for kind, plain in _PLAIN if isinstance(field, kind)), None)
    kept = field.target_field if isinstance(field, ForeignKey) else field
    if here.vendor != "sqlite":
        return plain, None, str
    if isinstance(kept, DateTimeField):
        return plain, datetime, _utc
    return (plain, uuid.UUID, _hex) if isinstance(kept, UUIDField) else (plain, None, str)


_hex = attrgetter("hex")


def _utc(at: datetime) -> str:
    """A time as Django writes it into SQLite.

    Raises:
        ValueError: it is not aware.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return str(at.astimezone(UTC).replace(tzinfo=None))
