"""The stream's form: positions as ids, events as frames.  Pure.

An id is `XID-SEQ`, the followers' cursor, so that a client that comes back goes on exactly where it was, on
any process.
"""

from __future__ import annotations

import json
import re
from typing import Any

from jiying.orders.followers import Position

_ID = re.compile(r"([0-9]{1,19})-([0-9]{1,19})")
_LARGEST = 2**63 - 1

RETRY = b"retry: 2000\n\n"


def event_id(position: Position) -> str:
    """A cursor as the stream writes it.

    >>> event_id((7, 42))
    '7-42'
    """
    return f"{position[0]}-{position[1]}"


def position_of(text: str) -> Position | None:
    """The cursor in a `Last-Event-ID`; None where it is none.

    >>> position_of("7-42"), position_of("42"), position_of("-1-2")
    ((7, 42), None, None)
    """
    found = _ID.fullmatch(text.strip())
    if found is None:
        return None
    xid, seq = int(found[1]), int(found[2])
    return (xid, seq) if max(xid, seq) <= _LARGEST else None


def frame(kind: str, data: dict[str, Any], position: Position | None = None) -> bytes:
    """One event of the stream.  JSON holds no line break, so one `data` line is enough.

    >>> frame("reset", {"reason": "slow"}, (0, 9))
    b'id: 0-9\\nevent: reset\\ndata: {"reason":"slow"}\\n\\n'
    """
    head = f"id: {event_id(position)}\n" if position is not None else ""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str)
    return f"{head}event: {kind}\ndata: {body}\n\n".encode()


def heartbeat(position: Position) -> bytes:
    """A sign of life with the present position: nothing happens in the page, but who comes back after an hour in
    which nothing concerned them need not be told that hour again.

    >>> heartbeat((7, 42))
    b': still here\\nid: 7-42\\n\\n'
    """
    return f": still here\nid: {event_id(position)}\n\n".encode()
