"""Many rows at once, without asking of each value whether it is an expression.

`bulk_create` and `bulk_update` resolve every value, which in bulk work costs more than making and hashing the
rows.  The values are prepared by the fields themselves, so that both databases get what they get otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model


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
