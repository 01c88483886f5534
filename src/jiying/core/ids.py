"""Identifiers: UUIDv7, whose order is roughly that of time, so that indexes stay dense."""

from __future__ import annotations

import uuid

import uuid_utils.compat


def uuid7() -> uuid.UUID:
    """A new UUIDv7 as a plain `uuid.UUID`.  Not a commit order: use an event's cursor for that."""
    return uuid_utils.compat.uuid7()
