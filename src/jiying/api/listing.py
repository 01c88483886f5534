"""Lists by pages: `{"items": […], "next": cursor}`.

A cursor holds the sort keys of the last item, so that a page costs the same wherever it begins and nothing is
shown twice when rows arrive meanwhile.  It is opaque to callers and no secret.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from jiying.core.errors import BadInput
from jiying.core.text import clean
from jiying.core.times import parse_rfc3339

LIMIT, MOST = 50, 200
_FIRST = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
_LAST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
Row = TypeVar("Row")


def text_of(request: HttpRequest, name: str, *, max_chars: int = 100) -> str:
    """A query parameter as clean text; empty when absent (BadInput `too_long`)."""
    return clean(request.GET.get(name), field=name, max_chars=max_chars, required=False, single_line=True)


def limit_of(request: HttpRequest) -> int:
    """How many items a page shall have: 1 to 200, 50 unless said (BadInput `invalid`)."""
    given = text_of(request, "limit")
    if not given:
        return LIMIT
    if not (given.isascii() and given.isdigit() and len(given) <= 4 and 1 <= int(given) <= MOST):
        raise BadInput.of("limit", "invalid", _("limit 应为 1 到 %(most)d 的整数。") % {"most": MOST})
    return int(given)


def moment_of(request: HttpRequest, name: str, zone: ZoneInfo) -> datetime | None:
    """A time in the query, RFC 3339 or a plain day (its midnight in `zone`); None when absent.

    Raises:
        BadInput: `bad_time`.
    """
    given = text_of(request, name)
    if not given:
        return None
    if len(given) == 10:
        try:
            return datetime.combine(date.fromisoformat(given), time(), zone).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise BadInput.of(name, "bad_time", _("日期应写成 2026-11-24 这样的形式。")) from error
    if given[-6:-5] == " ":
        # A plus sign that was not escaped arrives as a space.
        given = f"{given[:-6]}+{given[-5:]}"
    at = parse_rfc3339(given, name)
    if not _FIRST < at < _LAST:
        # So near the calendar's ends, other zones have no such time.
        raise BadInput.of(name, "bad_time", _("时间超出了范围。"))
    return at


def write_cursor(keys: Sequence[str]) -> str:
    """Sort keys as an opaque text.

    >>> read_cursor(write_cursor(["2026-11-24T06:05:00+00:00", "x"]), 2)
    ['2026-11-24T06:05:00+00:00', 'x']
    """
    return base64.urlsafe_b64encode(json.dumps(list(keys)).encode()).decode().rstrip("=")


def read_cursor(cursor: str, count: int) -> list[str]:
    """The `count` keys of a cursor (BadInput `bad_cursor`)."""
    try:
        keys: list[str] = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        good = isinstance(keys, list) and len(keys) == count and all(isinstance(key, str) for key in keys)
        # What the database cannot hold was never in a cursor of ours.
        if not good or b"\0" in "".join(keys).encode():
            raise bad_cursor()
    except (ValueError, RecursionError) as error:
        raise bad_cursor() from error
    return keys


def bad_cursor() -> BadInput:
    """The refusal of a cursor that this interface did not write."""
    return BadInput.of("cursor", "bad_cursor", _("cursor 无效，请从第一页重新开始。"))


def by_name(rows: QuerySet[Any], request: HttpRequest) -> tuple[list[Any], str | None]:
    """A page of `rows` sorted by name and id, and the cursor of the next."""
    cursor = text_of(request, "cursor", max_chars=1000)
    if cursor:
        name, last = read_cursor(cursor, 2)
        rows = rows.filter(Q(name__gt=name) | Q(name=name, pk__gt=uuid_in(last)))
    return cut(list(rows.order_by("name", "pk")[: limit_of(request) + 1]), limit_of(request), _name_keys)


def _name_keys(row: Any) -> list[str]:
    return [row.name, str(row.pk)]


def uuid_in(text: str) -> uuid.UUID:
    """An id within a cursor (BadInput `bad_cursor`)."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise bad_cursor() from error


def cut(rows: list[Row], limit: int, keys: Callable[[Row], Sequence[str]]) -> tuple[list[Row], str | None]:
    """The first `limit` of `rows`, of which one more was asked for, and the cursor behind them."""
    shown = rows[:limit]
    return shown, write_cursor(keys(shown[-1])) if len(rows) > limit else None
