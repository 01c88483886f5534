"""Idempotency keys: a request that comes again does nothing again.

Keys are scoped to their caller, kept for 24 hours, and written in the same transaction as what they guard.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from jiying.core.crypto import sm3_hex
from jiying.core.errors import BadInput, KeyReused
from jiying.orders.models import IdempotencyKey, Order

KEPT = timedelta(hours=24)


def fingerprint(body: Any) -> str:
    """What tells two request bodies apart: their canonical JSON's SM3."""
    return sm3_hex(json.dumps(body, sort_keys=True, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass"))


def checked(key: str) -> str:
    """A usable key (BadInput `bad_key`)."""
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise BadInput.of("Idempotency-Key", "bad_key", _("Idempotency-Key 应为 1 到 200 个可见字符。"))
    return key


def earlier(caller: str, key: str, body: Any, now: datetime) -> Order | None:
    """The order an earlier request with this key made; None when the key is new or has expired.

    Raises:
        KeyReused: the key came with another body.
    """
    row = IdempotencyKey.objects.filter(caller=caller, key=checked(key)).select_related("order").first()
    if row is None:
        return None
    if row.created_at < now - KEPT:
        row.delete()
        return None
    if row.fingerprint != fingerprint(body):
        raise reused()
    return row.order


def reused() -> KeyReused:
    """The refusal of a key that came with another body."""
    return KeyReused(_("这个 Idempotency-Key 已用于另一个请求，请换一个新的。"))


def bind(caller: str, key: str, body: Any, order: Order, now: datetime) -> IdempotencyKey:
    """The unsaved row that binds a key to what it made; a twin fails on the unique key (IntegrityError)."""
    return IdempotencyKey(caller=caller, key=checked(key), fingerprint=fingerprint(body), order=order, created_at=now)


def keep(caller: str, key: str, body: Any, order: Order, now: datetime) -> None:
    """Bind a key inside the caller's transaction (KeyReused: another request bound it in this instant)."""
    try:
        with transaction.atomic():
            bind(caller, key, body, order, now).save(force_insert=True)
    except IntegrityError as error:
        raise reused() from error


def forget_old(now: datetime) -> int:
    """Delete keys older than 24 hours; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()[0]
