"""A mapping clicked together: which column of a file is which of our values, and what holds where none is."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core.errors import JiyingError
from jiying.core.mapping import Mapping, MappingError, TableError
from jiying.exchange import queries
from jiying.exchange.queries import Sample
from jiying.exchange.uploads import Upload
from jiying.rules import packs

OPEN_TO_DEFAULTS = frozenset({"category", "kind", "urgency", "town", "company", "skills", "shifts", "level", "parent"})
"""Values that may be one for the whole file: those that people know by heart."""
SYSTEMS = ("WGS-84", "GCJ-02", "CGCS2000")
SHOWN = 3
"""How many values of a column stand beside it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for an upload: by our names their column (`columns`) and a value for all rows (`defaults`)."""

    upload: Upload
    sample: Sample
    columns: dict[str, str]
    defaults: dict[str, str]
    crs: str

    def rows(self) -> list[dict[str, Any]]:
        """The lines of the form: one of our values each."""
        return [
            {
                "name": field.name,
                "label": field.label,
                "required": field.required,
                "column": self.columns.get(field.name, ""),
                "default": self.defaults.get(field.name, ""),
                "may_default": field.name in OPEN_TO_DEFAULTS,
                "values": self._values(self.columns.get(field.name, "")),
            }
            for field in queries.fields(self.upload.kind)
        ]

    def columns_shown(self) -> list[tuple[str, str]]:
        """Each column of the file with some of its values."""
        return [(column, self._values(column)) for column in self.sample.columns]

    def _values(self, column: str) -> str:
        values = [row.get(column, "").replace("\n", " ").strip()[:24] for row in self.sample.rows]
        return " · ".join(list(dict.fromkeys(filter(None, values)))[:SHOWN])

    def mapping(self) -> Mapping:
        """The mapping (MappingError: something is missing or does not fit)."""
        columns: dict[str, Any] = dict(self.columns)
        tables: dict[str, Any] = {}
        if self.upload.kind == "orders" and columns.get("category"):
            tables["categories"] = _categories(self.defaults.get("category", ""))
            columns["category"] = {"from": columns["category"], "table": "categories"}
        choices = {"columns": columns, "defaults": self.defaults, "tables": tables, "crs": self.crs}
        return queries.clicked(self.upload.kind, choices, name=_("点选的对照"))


def choice_of(upload: Upload, sent: Dict[str, str]) -> Choice:
    """What the form says; for a file that was just sent, what its heads suggest.

    Raises:
        TableError: the file cannot be read.
    """
    sample = queries.sample(upload.path, sheet=sent.get("sheet") or None)
    known = [field.name for field in queries.fields(upload.kind)]
    if "step" in sent and sent["step"] != "sheet":
        columns = {name: sent[f"col_{name}"] for name in known if sent.get(f"col_{name}") in sample.columns}
    else:
        columns = queries.suggest(upload.kind, sample.columns)
    defaults = {name: value for name in known if (value := sent.get(f"all_{name}", "").strip()[:80])}
    crs = sent.get("crs", "")
    return Choice(upload, sample, columns, defaults, crs if crs in SYSTEMS else SYSTEMS[0])


def _categories(otherwise: str) -> dict[str, str]:
    """A category by its code or by either of its names; anything else is `otherwise`, or rejects the row."""
    found: dict[str, str] = {}
    for one in packs.in_force(timezone.localdate()).categories.values():
        for name in (one.code, one.names.zh, one.names.en):
            found.setdefault(name.replace("*", ""), one.code)
    return found | ({"*": otherwise} if otherwise else {})


def sentences(error: MappingError | TableError | JiyingError) -> list[str]:
    """What is wrong, as people read it."""
    if isinstance(error, MappingError):
        return [str(said) for _line, said in error.errors]
    if isinstance(error, JiyingError):
        return [fault.message for fault in error.errors] or [error.detail]
    return [str(error)]
