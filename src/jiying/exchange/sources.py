"""What can be exported: each screen says which of its tables, since it knows what is seen there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise as Lazy
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from jiying.core.errors import BadInput

if TYPE_CHECKING:
    from jiying.exchange.spreadsheets import Sheet
    from jiying.people.models import User


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of table, as a screen hands it out.

    Attributes:
        label: what it is called on pages.
        page: the page that shows it; a query behind it shows the same rows.
        roles: who may ask for it.
        count: how many rows a user would get for a page's query, now.
        sheet: the table itself, in the language and time zone that are active; rows may be read as they go.
    """

    kind: str
    label: Lazy | str
    page: str
    roles: frozenset[str]
    count: Callable[[User, str], int]
    sheet: Callable[[User, str], Sheet]


_paths: dict[str, str] = {}


def register(kind: str, path: str) -> None:
    """Make a kind of table known by the dotted path of its `Source`; screens do it when the application starts.

    It is read when it is first asked for: starting must not wait for it.
    """
    _paths[kind] = path


def source_of(kind: str) -> Source:
    """The source of a kind of table.

    Raises:
        BadInput: `unknown_export`.
    """
    if kind not in _paths:
        raise BadInput.of("kind", "unknown_export", _("没有这样的导出。"))
    source: Source = import_string(_paths[kind])
    return source
