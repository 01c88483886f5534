"""What SQLite and PostgreSQL say differently: minutes between times, texts as an array, a field of an event's data."""

from __future__ import annotations

from typing import Any

from django.db.models import Aggregate, CharField, Func, IntegerField, TextField
from django.db.models.expressions import Combinable


class Minutes(Func):
    """Whole minutes from the first time to the second."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """By milliseconds, since a difference of Julian days is not exact."""
        later_first = "CAST(ROUND((julianday(%(second)s) - julianday(%(first)s)) * 86400000) AS INTEGER) / 60000"
        return self._said(compiler, later_first)

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self._said(compiler, "FLOOR(EXTRACT(EPOCH FROM (%(second)s - %(first)s)) / 60)::integer")

    def _said(self, compiler: Any, template: str) -> tuple[str, list[Any]]:
        (first, with_first), (second, with_second) = (compiler.compile(part) for part in self.source_expressions)
        return template % {"first": first, "second": second}, [*with_second, *with_first]


class Bare(Func):
    """A key as the database gives it, which is quick to compare: text in SQLite, a UUID in PostgreSQL."""

    template = "%(expressions)s"
    output_field = CharField()


class Gathered(Aggregate):
    """The JSON texts of a group as one JSON array."""

    output_field = TextField()
    allow_distinct = False

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="'[' || group_concat(%(expressions)s, ',') || ']'", **more)

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="'[' || string_agg(%(expressions)s, ',') || ']'", **more)


class FromData(Func):
    """A field of `data` in an event's canonical bytes, as text; NULL where it is absent.

    Booleans read `true` and `false` on both databases.
    """

    output_field = CharField()

    def __init__(self, canonical: Combinable | str, name: str) -> None:
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no name of a field")
        super().__init__(canonical)
        self.field_name = name

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        inner, params = compiler.compile(self.source_expressions[0])
        path = f"'$.data.{self.field_name}'"
        flags = f"CASE json_type({inner}, {path}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
        return f"{flags} ELSE json_extract({inner}, {path}) END", [*params, *params]

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        inner, params = compiler.compile(self.source_expressions[0])
        return f"(({inner})::json -> 'data' ->> '{self.field_name}')", params
