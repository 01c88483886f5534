"""The event log's chain: canonical bytes and their SM3.

    hash = SM3( hash of the order's event before  ||  canonical bytes )

Canonical bytes are the event's members as JSON: keys sorted, no spaces, UTF-8, times in UTC with
microseconds.  They are stored as they were hashed and never made again from columns.  Personal text is not
in them: a member `NAME_sm3` holds the salted commitment of a text kept elsewhere, so that erasing the text
does not break the chain.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jiying.core.crypto import sm3_hex

GENESIS = "0" * 64


@dataclass(slots=True)
class Moment:
    """One event of one order, as the pure modules see it.

    `at` is when it happened, `received_at` when the system learnt of it; both aware, UTC.
    """

    order: uuid.UUID
    version: int
    verb: str
    milestone: str | None
    by: str
    role: str
    at: datetime
    received_at: datetime
    claimed: bool
    data: dict[str, Any]
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    prev_hash: str = GENESIS
    hash: str = ""
    canonical: str = ""


def utc(moment: datetime) -> str:
    """A time as it stands in canonical bytes: `2026-11-24T06:05:00.000000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(moment: Moment) -> str:
    """The members of an event that are hashed, as canonical JSON."""
    return json.dumps(
        {
            "at": utc(moment.at),
            "by": moment.by,
            "claimed": moment.claimed,
            "data": moment.data,
            "id": str(moment.id),
            "milestone": moment.milestone,
            "order": str(moment.order),
            "received_at": utc(moment.received_at),
            "role": moment.role,
            "verb": moment.verb,
            "version": moment.version,
        },
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )


def digest(prev_hash: str, text: str) -> str:
    """SM3 over the previous hash (32 bytes) and the canonical text (UTF-8), in hex."""
    return sm3_hex(bytes.fromhex(prev_hash) + text.encode())


def link(moment: Moment, prev_hash: str) -> Moment:
    """Seal `moment` behind the event whose hash is `prev_hash`."""
    moment.prev_hash = prev_hash
    moment.canonical = canonical(moment)
    moment.hash = digest(prev_hash, moment.canonical)
    return moment
