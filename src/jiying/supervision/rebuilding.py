"""Making all counts anew from the log, beside those that are read, and then changing over.

The new edition is built order by order while the old one is read and followed.  Then, in one transaction that
holds the follower's cursor, the orders that something happened to meanwhile are counted again, the new edition is
served, and the cursor stands where the log ended.  An interrupted building goes on where it was.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction

from jiying.orders import followers
from jiying.orders.models import Order
from jiying.supervision.actions import apply, take_turn
from jiying.supervision.models import Counted, Edition, Rollup, Waiting
from jiying.supervision.reading import count_orders

CHUNK = 500
"""Orders a transaction: other writers wait as long as one takes."""

FEW = 200
"""So few changed orders are left to the transaction that changes over."""


def rebuild(progress: Callable[[str], None] = lambda _text: None) -> dict[str, int | float]:
    """Count every order again; returns `orders`, `rows` and `seconds`."""
    began = time.monotonic()
    edition = _begin()
    done = 0
    while taken := _next(edition):
        done += taken
        progress(f"{done} orders")
    while len(changed := _changed(edition)) > FEW:
        _again(edition, changed)
    _change_over(edition)
    _clear_away()
    return {
        "orders": Counted.objects.filter(edition=edition.pk).count(),
        "rows": Rollup.objects.filter(edition=edition.pk).count(),
        "seconds": round(time.monotonic() - began, 1),
    }


def _begin() -> Edition:
    """The edition to build: one that was interrupted, or a new one.  It notes where the log ends now."""
    with transaction.atomic():
        take_turn()
        edition = Edition.objects.filter(state=Edition.State.BUILDING).first()
        if edition is None:
            xid, seq = followers.end()
            edition = Edition.objects.create(state=Edition.State.BUILDING, xid=xid, seq=seq)
    return edition


def _next(edition: Edition) -> int:
    """Count the next orders; returns how many."""
    with transaction.atomic():
        take_turn()
        rows = Order.objects.order_by("pk")
        orders = list((rows.filter(pk__gt=edition.upto) if edition.upto else rows)[:CHUNK])
        if not orders:
            return 0
        apply(edition.pk, count_orders(orders))
        edition.upto = orders[-1].pk
        edition.save(update_fields=["upto"])
    return len(orders)


def _changed(edition: Edition) -> list[uuid.UUID]:
    """Orders with events behind the noted end of the log."""
    return list(followers.after((edition.xid, edition.seq)).order_by().values_list("order_id", flat=True).distinct())


def _again(edition: Edition, changed: Iterable[uuid.UUID]) -> None:
    """Count changed orders, and note how far the log has been taken."""
    ids = list(changed)
    with transaction.atomic():
        take_turn()
        xid, seq = followers.end()
        ids = sorted({*ids, *_changed(edition)})
        for start in range(0, len(ids), CHUNK):
            apply(edition.pk, count_orders(Order.objects.filter(pk__in=ids[start : start + CHUNK])))
        edition.xid, edition.seq = xid, seq
        edition.save(update_fields=["xid", "seq"])


def _change_over(edition: Edition) -> None:
    with transaction.atomic():
        cursor = take_turn()
        end = followers.end()
        _again(edition, ())
        Edition.objects.filter(state=Edition.State.SERVING).update(state=Edition.State.OLD)
        edition.state = Edition.State.SERVING
        edition.save(update_fields=["state"])
        cursor.xid, cursor.seq = end
        cursor.save(update_fields=["xid", "seq", "updated_at"])


def _clear_away() -> None:
    """Delete the editions that are read no more; who began to read one reads the new one instead."""
    for edition in Edition.objects.filter(state=Edition.State.OLD):
        for model in (Rollup, Counted, Waiting):
            rows: Any = model._default_manager.filter(edition=edition.pk)
            while ids := list(rows.values_list("pk", flat=True)[:CHUNK]):
                rows.filter(pk__in=ids).delete()
        edition.delete()
