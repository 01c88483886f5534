"""What every kind of import does: say which fields it has, judge a row, write rows, take them back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.utils.functional import Promise

from jiying.core.errors import JiyingError
from jiying.core.mapping import Mapping, Row
from jiying.exchange.models import Verdict
from jiying.exchange.places import Book
from jiying.people.scopes import Scope


@dataclass(frozen=True, slots=True)
class Field:
    """A value that a mapping may give: our name for it, and what it is called on pages."""

    name: str
    label: str | Promise
    required: bool = False
    time: bool = False


class Refused(Exception):
    """A row cannot be taken; the first thing that is wrong with it."""

    def __init__(self, field: str, value: str, code: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.value, self.code, self.reason = field, value, code, reason

    @classmethod
    def of(cls, error: JiyingError, values: dict[str, Any]) -> Refused:
        """The same from an error of the rooms below."""
        fault = error.errors[0] if error.errors else None
        if fault is None:
            return cls("", "", error.code, error.detail)
        return cls(fault.field, str(values.get(fault.field, "") or ""), fault.code, fault.message)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a row comes to: its `key`, a verdict, and the plain `values` to write later."""

    key: str
    verdict: Verdict
    values: dict[str, Any]
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Item:
    """A planned row on its way into the database, or back out.

    Writing sets `target` and `before`, or `refused`; taking back sets `kept`, the reason why it could not be.
    """

    key: str
    verdict: str
    values: dict[str, Any]
    target: uuid.UUID | None = None
    before: dict[str, Any] | None = None
    refused: Refused | None = None
    kept: str = ""


@dataclass(slots=True)
class Task:
    """What an import knows about itself: where, by which mapping, in whose name, as of when.

    `scope` None is the command line, which may do everything.  `removed` collects the heads of orders that a
    revert has deleted.
    """

    import_id: uuid.UUID
    mapping: Mapping
    book: Book
    now: datetime
    scope: Scope | None = None
    removed: list[str] = field(default_factory=list)

    @property
    def district(self) -> str:
        return self.book.district_code


class Kind:
    """One kind of import.  `plan` reads, `write` and `undo` write inside the caller's transaction."""

    name: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]

    def __init__(self, task: Task) -> None:
        self.task = task

    def expect(self, rows: list[Row]) -> None:
        """Look up what the next rows will ask for, in a number of queries that does not grow with them."""

    def plan(self, row: Row) -> Plan:
        """Judge a row (Refused: it cannot be taken)."""
        raise NotImplementedError

    def write(self, items: list[Item]) -> None:
        """Write planned rows, each or not."""
        raise NotImplementedError

    def undo(self, items: list[Item]) -> None:
        """Take back what was written, where nothing has been built on it; what was written last comes first."""
        raise NotImplementedError


def text(values: dict[str, Any], name: str) -> str:
    """A value as trimmed text; absent is empty."""
    return str(values.get(name) or "").strip()
