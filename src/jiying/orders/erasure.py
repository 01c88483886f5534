"""Erasing what an order holds of people, by law or by age: what they said, who they are, where they are.

Every order is one transaction, so that whatever ends the command half-way, a repeat finishes it.  The event log
stays whole: it holds commitments, and the audit row written with the erasure tells `verify-chain` that the texts
behind them are gone lawfully.  A text that is gone without such a row is found there as broken.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from jiying.orders import attachments, search
from jiying.orders.contacts import phone_key
from jiying.orders.models import Attachment, EventText, IdempotencyKey, Order, OrderText
from jiying.orders.states import ENDED, OPEN
from jiying.people import audit
from jiying.people.models import AuditAction

AT_ONCE = 500
COARSE_POINT = 2
"""Decimals that are left of the position of a report outside estates: about a kilometre, for statistics."""


@dataclass(slots=True)
class Tally:
    """What an erasure did, or would do: `orders` that had something to erase, of these still `open`; `already` had
    nothing left; `texts` are descriptions, contacts and remarks; `photos` go with what their cameras noted."""

    orders: int = 0
    texts: int = 0
    photos: int = 0
    already: int = 0
    open: int = 0
    dry_run: bool = False

    def as_json(self) -> dict[str, int | bool]:
        return asdict(self)


def of_phone(phone: str) -> list[uuid.UUID]:
    """The orders reported from a telephone (E.164)."""
    return list(OrderText.objects.filter(phone_hash=phone_key(phone)).values_list("pk", flat=True))


def older_than(days: int, now: datetime | None = None) -> Iterator[uuid.UUID]:
    """The orders that ended more than `days` days ago and still hold something."""
    before = (now or timezone.now()) - timedelta(days=days)
    holding = Q(text__erased_at=None) | Q(event_texts__isnull=False)
    holding |= Q(pk__in=Attachment.objects.filter(erased_at=None).values("order"))
    rows = Order.objects.filter(holding, state__in=sorted(ENDED), state_since__lt=before, text__isnull=False)
    rows, last = rows.order_by("pk").distinct(), uuid.UUID(int=0)
    while some := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
        yield from some
        last = some[-1]


def erase(
    orders: Iterable[uuid.UUID],
    *,
    why: str,
    reason: str,
    dry_run: bool = False,
    now: datetime | None = None,
    told: Callable[[int], None] = lambda _done: None,
) -> Tally:
    """Erase the personal data of `orders`.

    Args:
        why: phone, order or age: goes on the audit.
        reason: in words, for the audit; no personal data.
        told: called with the number of orders looked at, after each.
    """
    now, tally = now or timezone.now(), Tally(dry_run=dry_run)
    with _cleanly():
        for done, order_id in enumerate(orders, start=1):
            with transaction.atomic():
                _erase_one(order_id, tally, why=why, reason=reason, now=now)
            told(done)
        if tally.orders and not dry_run:
            search.scrub()
    return tally


class _cleanly:
    """SQLite overwrites what it deletes, and leaves none of it in its journal.

    PostgreSQL keeps dead rows until its next vacuum.
    """

    def __enter__(self) -> None:
        self._pragma("secure_delete=ON")

    def __exit__(self, *_error: object) -> None:
        self._pragma("secure_delete=OFF")
        self._pragma("wal_checkpoint(TRUNCATE)")

    def _pragma(self, what: str) -> None:
        # Inside somebody's transaction (a test's) the journal is not ours to empty.
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA {what}")


def _erase_one(order_id: uuid.UUID, tally: Tally, *, why: str, reason: str, now: datetime) -> None:
    order = Order.objects.select_for_update(of=("self",), no_key=True).select_related("estate").get(pk=order_id)
    text = OrderText.objects.select_for_update().filter(pk=order_id).first()
    later = EventText.objects.filter(order=order_id)
    said = int(text is not None and text.erased_at is None)
    remarks = later.count()
    photos = Attachment.objects.filter(order=order_id, erased_at=None).count()
    if not said and not remarks and not photos:
        tally.already += 1
        return
    tally.orders += 1
    tally.texts += said + remarks
    tally.photos += photos
    tally.open += order.state in OPEN
    if tally.dry_run:
        return
    if said:
        OrderText.objects.filter(pk=order_id).update(
            description="", unit="", address="", name=b"", phone=b"", phone_hash="", salt="",
            last4_failures=0, last4_locked_until=None, erased_at=now,
        )  # fmt: skip
    later.delete()
    attachments.erase(order, now=now)
    Order.objects.filter(pk=order_id).update(reporter=None, **_place_left(order))
    IdempotencyKey.objects.filter(order=order_id).delete()
    search.forget(order)
    audit.record(
        AuditAction.ERASE,
        by=None,
        district=order.district,
        origin=audit.COMMAND,
        subject=order_id,
        about=order.number,
        reason=reason,
        data={"why": why, "texts": said + remarks, "photos": photos, "version": order.version},
        at=now,
    )


def _place_left(order: Order) -> dict[str, float | None]:
    """The estate's point in place of the reporter's; outside estates a coarse one."""
    if order.estate is not None:
        return {"lon": order.estate.lon, "lat": order.estate.lat}
    if order.lon is None or order.lat is None:
        return {}
    return {"lon": round(order.lon, COARSE_POINT), "lat": round(order.lat, COARSE_POINT)}


def erased_up_to(order_id: uuid.UUID) -> int:
    """Up to which of an order's versions texts were erased lawfully: by a genuine row of the audit; 0 for none."""
    rows = audit.rows_of(AuditAction.ERASE, order_id)
    return max((int(row.data.get("version", 0)) for row in rows), default=0)
