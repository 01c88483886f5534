"""The log: one line for each thing of interest, without personal data.

A line is a JSON object (`time level logger message`, and what is known of the circumstances: `request method
route status ms user order verb`), or the same in words where somebody reads it at a terminal.

    with journal.circumstances(request="3f…", method="GET"):
        journal.note(order="R26112500012")      # whatever is logged from here on says so

What people typed never gets in: addresses are told by their route, exceptions by their type, their place and
their message with everything hidden that could be a value.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_around: ContextVar[dict[str, Any] | None] = ContextVar("circumstances", default=None)

HIDDEN = "…"
_MOST_FRAMES = 30
_MOST_CAUSES = 3
#: In a message of our own: tracking tokens in addresses, what follows a question mark, long runs of digits.
_OURS = (
    (re.compile(r"(/t/|/track/)[^/?\s]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\?\S+"), f"?{HIDDEN}"),
    (re.compile(r"(?<![\w-])\+?\d[\d -]{5,}\d(?![\w-])"), HIDDEN),
)
_QUOTED = re.compile(r"""(?<!\w)'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|“[^”]*”|«[^»]*»""")
_NAME_OF_OURS = re.compile(r"""['"][a-z]+(?:_[a-z0-9]+)+['"]""")
_DIGITS = re.compile(r"\d{4,}")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_WHERE = re.compile(r"^.*(?:site-packages|/src|/lib/python[\d.]+)/")


@contextmanager
def circumstances(**known: Any) -> Iterator[dict[str, Any]]:
    """What is logged inside says `known`, and whatever `note` adds; yields the dictionary that grows."""
    token = _around.set(dict(known))
    try:
        yield _around.get() or {}
    finally:
        _around.reset(token)


def note(**known: Any) -> None:
    """Add to the present circumstances; nothing where there are none."""
    around = _around.get()
    if around is not None:
        around.update(known)


def discreet(message: str) -> str:
    """A message of our own without tokens, queries and telephone numbers.

    >>> discreet("GET /t/0a1b2c3d4e5f failed")
    'GET /t/… failed'
    >>> discreet("from 138 1234 5678, /desk?q=王")
    'from …, /desk?…'
    """
    for pattern, instead in _OURS:
        message = pattern.sub(instead, message)
    return message


def without_values(message: str) -> str:
    """The first line of an exception's message, with everything hidden that could be somebody's words.

    >>> without_values("invalid literal for int() with base 10: '13812345678'")
    "invalid literal for int() with base 10: '…'"
    >>> without_values('duplicate key value violates unique constraint "event_order_version"')
    'duplicate key value violates unique constraint "event_order_version"'
    """
    first = message.strip().partition("\n")[0][:500]
    first = _QUOTED.sub(lambda found: found[0] if _NAME_OF_OURS.fullmatch(found[0]) else f"'{HIDDEN}'", first)
    return discreet(_DIGITS.sub(HIDDEN, _BEYOND_ASCII.sub(HIDDEN, first)))


def told(error: BaseException) -> dict[str, Any]:
    """An exception as the log tells it: type, message without values, places from the outermost in; no locals."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    out: dict[str, Any] = {
        "type": type(error).__name__,
        "message": without_values(str(error)),
        "trace": [f"{_WHERE.sub('', frame.filename)}:{frame.lineno} {frame.name}" for frame in frames],
    }
    cause, depth, inner = error.__cause__ or error.__context__, 0, out
    while cause is not None and depth < _MOST_CAUSES:
        inner["cause"] = {"type": type(cause).__name__, "message": without_values(str(cause))}
        inner, cause, depth = inner["cause"], cause.__cause__ or cause.__context__, depth + 1
    return out


def line_of(record: logging.LogRecord) -> dict[str, Any]:
    """A log record as the members of its line."""
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        # Django's own words about a request hold its address: here the route says which it was.
        "message": "failed" if hasattr(record, "request") else discreet(record.getMessage()),
    }
    line |= _around.get() or {}
    line |= getattr(record, "facts", {})
    if record.exc_info and record.exc_info[1] is not None:
        line["error"] = told(record.exc_info[1])
    return line


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(line_of(record), ensure_ascii=False, default=str)


class Words(logging.Formatter):
    """The same for somebody at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        line = line_of(record)
        error = line.pop("error", None)
        head = [str(line.pop(name)) for name in ("time", "level", "logger", "message")]
        head[0] = datetime.fromisoformat(head[0]).astimezone().strftime("%H:%M:%S")
        said = " ".join([*head, *(f"{name}={value}" for name, value in line.items())])
        if error is None:
            return said
        return "\n".join(
            [said, *(f"    {place}" for place in error["trace"]), f"  {error['type']}: {error['message']}"]
        )


class Refusals(logging.Filter):
    """What Django refuses (a foreign host name, too many fields) is no fault of ours: the request's one line
    says why, and no traceback does."""

    _FAMILY = "django.security."

    def filter(self, record: logging.LogRecord) -> bool:
        """False for refusals, whose reason is noted in the circumstances."""
        if not record.name.startswith(self._FAMILY):
            return True
        note(why=record.name.removeprefix(self._FAMILY))
        return False
