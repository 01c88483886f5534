"""The transaction that wrote an event, so that followers can read in an order that is safe to resume.

PostgreSQL: the 64-bit id of the current transaction.  SQLite has one writer at a time, whose ids become
visible in order, so zero serves.
"""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, Func


class CurrentTransaction(Func):
    """A column default: `pg_current_xact_id()` on PostgreSQL, 0 elsewhere."""

    output_field = BigIntegerField()
    arity = 0

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> tuple[str, tuple[Any, ...]]:
        return "0", ()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, tuple[Any, ...]]:
        return "(pg_current_xact_id()::text::bigint)", ()
