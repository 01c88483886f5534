"""The error of every reader of tables, and how its sentences are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import translation
from django.utils.functional import Promise
from django.utils.text import format_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class TableError(Exception):
    """A file that cannot be read as a table: a command ends with 2, nothing is written.

    `str` gives the sentence in the language that is active when it is read: a command speaks English, a page its
    reader's language.  The file's name is not in it: whoever reports it knows by which name people know the file.
    """

    def __init__(self, sentence: str | _StrPromise, **values: object) -> None:
        super().__init__(said(sentence, **values))


def in_english(error: Exception, file: object) -> str:
    """The sentence of an error as a command says it, about the table `file`; a mapping's errors name their own."""
    with translation.override("en"):
        return f"{file}: {error}" if isinstance(error, TableError) else str(error)


def said(sentence: str | _StrPromise, **values: object) -> Promise:
    """A sentence with its `{values}` put in, in the language of whoever reads it."""
    return format_lazy(sentence, **values)
