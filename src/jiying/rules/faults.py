"""What is wrong with a rule pack, line by line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict


class Fault(TypedDict):
    """One thing wrong: its line (the first is 1), a stable code, and a sentence that says what to do."""

    line: int
    code: str
    message: str


class PackError(Exception):
    """A pack that cannot be used.

    Attributes:
        errors: every fault found, by line.
        file: the pack's file name, empty where it came from no file.
    """

    def __init__(self, errors: Iterable[Fault], file: str = "") -> None:
        self.errors = sorted(errors, key=lambda fault: (fault["line"], fault["code"]))
        self.file = file
        super().__init__("\n".join(f"{file}:{e['line']}: {e['code']}: {e['message']}" for e in self.errors))


class NoPack(LookupError):
    """No pack is in force at the time asked for, or none has the name asked for."""
