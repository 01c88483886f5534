"""Many rows at once, without asking of each value whether it is an expression.

`bulk_create` and `bulk_update` resolve every value, which in bulk work costs more than making and hashing the
rows.  The values are prepared by the fields themselves, so that both databases get what they get otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import BooleanField, CharField, Field, IntegerField, Model, TextField

_PLAIN = (IntegerField, CharField, TextField, BooleanField)
"""Fields whose values every database takes as they are."""


def insert(rows: Sequence[Model], *, without: Collection[str] = ()) -> None:
    """Insert rows of one model.  Keys and `without`, which the database gives, are not read back."""
    if not rows:
        return
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if field.name not in without and not _counted(field)]
    columns = ", ".join(_quoted(field) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    _many(f"INSERT INTO {_table(model)} ({columns}) VALUES ({marks})", _values(rows, fields))


def update(rows: Sequence[Model], names: Sequence[str]) -> None:
    """Write the fields `names` of rows of one model, each found by its key."""
    if not rows:
        return
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if field.name in names]
    key = model._meta.pk
    assert key is not None, "a table has its key"
    sets = ", ".join(f"{_quoted(field)} = %s" for field in fields)
    _many(f"UPDATE {_table(model)} SET {sets} WHERE {_quoted(key)} = %s", _values(rows, [*fields, key]))


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
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    plain = [isinstance(field, _PLAIN) for field in fields]
    values = [
        [
            value if as_it_is else field.get_db_prep_save(value, connection)
            for field, as_it_is, value in zip(fields, plain, row, strict=True)
        ]
        for row in rows
    ]
    if not values:
        return
    column = {field.name: _quoted(field) for field in fields}
    marks = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {_table(model)} ({', '.join(column.values())}) VALUES ({marks})"
    if unique:
        told = ", ".join(f"{column[name]} = excluded.{column[name]}" for name in update)
        what = f"DO UPDATE SET {told}" if update else "DO NOTHING"
        statement += f" ON CONFLICT ({', '.join(column[name] for name in unique)}) {what}"
    _many(statement, values)


def _counted(field: Field[Any, Any]) -> bool:
    """Whether the database counts the key up itself."""
    return field.primary_key and field.get_internal_type() in ("AutoField", "BigAutoField")


def _quoted(field: Field[Any, Any]) -> str:
    return connection.ops.quote_name(str(field.column))


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _values(rows: Iterable[Model], fields: Sequence[Field[Any, Any]]) -> list[list[Any]]:
    pairs = [(field.attname, field.get_db_prep_save) for field in fields]
    return [[prepare(getattr(row, name), connection) for name, prepare in pairs] for row in rows]


def _many(statement: str, values: list[list[Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)
