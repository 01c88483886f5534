"""Rows into tables by the thousand: one statement for all, past `bulk_create`, which resolves every value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models

PLAIN = (models.IntegerField, models.CharField, models.TextField, models.BooleanField)
"""Fields whose values every database takes as they are."""


def upsert(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    unique: Sequence[str] = (),
    update: Sequence[str] = (),
) -> None:
    """Insert `rows` of the fields `names`; where `unique` is there already, set the fields `update` of it.

    With `unique` and nothing to update, what is there stays.
    """
    quoted = connection.ops.quote_name
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    column = {field.name: quoted(field.column) for field in fields}
    plain = [isinstance(field, PLAIN) for field in fields]
    values = [
        [
            value if as_it_is else field.get_db_prep_save(value, connection)
            for field, as_it_is, value in zip(fields, plain, row, strict=True)
        ]
        for row in rows
    ]
    if not values:
        return
    marks = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quoted(model._meta.db_table)} ({', '.join(column.values())}) VALUES ({marks})"
    if unique:
        told = ", ".join(f"{column[name]} = excluded.{column[name]}" for name in update)
        what = f"DO UPDATE SET {told}" if update else "DO NOTHING"
        sql += f" ON CONFLICT ({', '.join(column[name] for name in unique)}) {what}"
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)
