"""Times: always aware, RFC 3339 at the doors, UTC inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from django.utils.translation import gettext as _

from jiying.core.errors import BadInput

#: RFC 3339, and what browsers send without seconds; `fromisoformat` alone would also take week dates.
_WRITTEN = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)


def parse_rfc3339(text: Any, field: str) -> datetime:
    """An aware UTC time from `2026-11-24T14:05:00+08:00`; what is finer than a microsecond is cut.

    Raises:
        BadInput: `bad_time`: no time, or one without its offset.
    """
    written = text.strip().upper() if isinstance(text, str) and len(text) <= 60 else ""
    try:
        at = datetime.fromisoformat(written) if _WRITTEN.fullmatch(written) else None
    except ValueError:
        at = None
    if at is None:
        raise BadInput.of(field, "bad_time", _("时间应写成 2026-11-24T14:05:00+08:00 这样的形式。"))
    if at.tzinfo is None:
        raise BadInput.of(field, "bad_time", _("时间缺少时区，例如 +08:00。"))
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise BadInput.of(field, "bad_time", _("时间超出了范围。")) from error


def rfc3339(at: datetime, zone: tzinfo | None = None) -> str:
    """`at` with offset, in `zone` if given; microseconds only where there are any.

    Raises:
        ValueError: `at` is naive, which is a mistake of the caller.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return (at.astimezone(zone) if zone else at).isoformat()


def floor_day(at: datetime, zone: tzinfo) -> datetime:
    """Midnight of the day that `at` falls on in `zone`."""
    return at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def minutes_between(start: datetime, end: datetime) -> float:
    """Minutes from `start` to `end`; negative when `end` is earlier."""
    return (end - start) / timedelta(minutes=1)
