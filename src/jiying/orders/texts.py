"""Personal text beside the event log: what is said is kept apart, the event holds its commitment.

A text `NAME` of an event's data is stored as an `EventText` row; the data keeps `NAME_sm3`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jiying.core.crypto import commit

#: Members of an event's data that are, or may hold, personal information.
PERSONAL = ("text", "note", "comment", "reason_text", "rule", "point", "answer_text")


def withhold(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, tuple[str, str]]]:
    """Split data into what the chain may hold and `{field: (text, salt)}` for the rows beside it."""
    public: dict[str, Any] = {}
    kept: dict[str, tuple[str, str]] = {}
    for name, value in data.items():
        if name in PERSONAL and value:
            salt, commitment = commit(value)
            public[f"{name}_sm3"] = commitment
            kept[name] = (value, salt)
        else:
            public[name] = value
    return public, kept
