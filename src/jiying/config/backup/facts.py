"""What a snapshot of the database holds, asked of the snapshot itself and not of the database that went on."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes

from jiying.orders.models import Attachment, Event, Order

Ask = Callable[[str], Iterable[tuple[Any, ...]]]
"""Runs a query on the snapshot and gives its rows."""


@dataclass(frozen=True, slots=True)
class Facts:
    """`head` is that of `verify-chain`; `photos` are those whose files must be there."""

    orders: int
    events: int
    attachments: int
    last_event: int
    head: str
    migrations: list[tuple[str, str]]
    photos: list[uuid.UUID]


def facts_of(ask: Ask) -> Facts:
    """Everything a backup tells of its database."""
    orders, head = _head(ask)
    ((events, last),) = ask(f"SELECT count(*), max(seq) FROM {Event._meta.db_table}")
    ((attachments,),) = ask(f"SELECT count(*) FROM {Attachment._meta.db_table}")
    photos = ask(f"SELECT id FROM {Attachment._meta.db_table} WHERE kept AND erased_at IS NULL ORDER BY id")
    migrations = ask("SELECT app, name FROM django_migrations ORDER BY app, name")
    return Facts(
        orders=orders,
        events=events,
        attachments=attachments,
        last_event=last or 0,
        head=head,
        migrations=[(app, name) for app, name in migrations],
        photos=[_uuid(row[0]) for row in photos],
    )


def _head(ask: Ask) -> tuple[int, str]:
    """As `orders.heads.head`, but one row at a time."""
    digest, count = hashes.Hash(hashes.SM3()), 0
    for order, version, head in ask(f"SELECT id, version, head FROM {Order._meta.db_table} ORDER BY id"):
        digest.update(f"{chr(10) if count else ''}{_uuid(order)}:{version}:{head}".encode())
        count += 1
    return count, digest.finalize().hex()


def _uuid(value: Any) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)
