"""The watcher: writes what falls due on orders without anybody doing anything.

No job per order: one loop over the index of `next_at`.  A due row is locked, its truth derived again from
its events, and what fell due is written in one transaction, so that many watchers, a crash between any two
lines, or a late start neither lose a step nor fire it twice.  Some orders share a transaction; where one of them
cannot be handled, each gets its own, that one is set aside for a while and the rest goes on.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import OperationalError, close_old_connections, connection, transaction
from django.db.models import Q
from django.utils import timezone

from jiying.core import dbstats, journal
from jiying.orders import attachments, heads, idempotency, store
from jiying.orders.models import Order

log = logging.getLogger("jiying.watcher")

BATCH = 200
TOGETHER = 50
"""Orders in one transaction: reports and actions wait their turn behind it, a tenth of a second at most."""
POISON_REST = timedelta(minutes=5)
LOOK_EVERY_S = 0.5
TIDY_EVERY = timedelta(hours=1)


def due(now: datetime, limit: int = BATCH) -> list[uuid.UUID]:
    """Orders with a step due by `now`, most overdue first."""
    rows = Order.objects.filter(Q(poisoned_until=None) | Q(poisoned_until__lte=now), next_at__lte=now)
    return list(rows.order_by("next_at").values_list("pk", flat=True)[:limit])


def fire(order_id: uuid.UUID, now: datetime) -> int:
    """Write the steps of one order that are due by `now`; returns how many.  Another watcher's order: 0."""
    return fire_together([order_id], now)


def fire_together(order_ids: Sequence[uuid.UUID], now: datetime) -> int:
    """Write the steps of some orders that are due by `now`, in one transaction; returns how many.

    Whom another watcher has is passed over.  A fault in one order undoes all of them.
    """
    with transaction.atomic():
        rows = Order.objects.filter(pk__in=order_ids, next_at__lte=now)
        # Whoever holds the lock is the only one who writes these orders: no version has to be compared.
        rows = rows.select_for_update(no_key=True, skip_locked=connection.features.has_select_for_update_skip_locked)
        orders = list(rows)
        if not orders:
            return 0
        if len(orders) == 1:
            journal.note(order=orders[0].number)
        ledgers, changes = store.load_many(orders), []
        for order in orders:
            ledger = ledgers[order.pk]
            before = store.clocks_before(ledger)
            changes.append(store.Change(order=order, ledger=ledger, moments=ledger.fire(now), before=before))
        store.write_together(changes)
        return sum(len(change.moments) for change in changes)


def sweep(now: datetime | None = None) -> int:
    """Fire everything due by `now` (default: the present); returns how many steps."""
    fixed, fired = now, 0
    while orders := due(fixed or timezone.now()):
        busy = False
        for first in range(0, len(orders), TOGETHER):
            try:
                fired += _fire_or_split(orders[first : first + TOGETHER], fixed or timezone.now())
            except OperationalError:
                # The database is busy or away for a moment, which is no order's fault.
                log.warning("orders wait for the database", exc_info=True)
                busy = True
        if len(orders) < BATCH or busy:
            break
    return fired


def _fire_or_split(order_ids: Sequence[uuid.UUID], now: datetime) -> int:
    """Together if possible, else one by one, since one that cannot be judged must not stop the clocks of others."""
    if len(order_ids) > 1:
        try:
            return fire_together(order_ids, now)
        except OperationalError:
            raise
        except Exception as error:
            why = {"why": type(error).__name__}
            log.info("one of %s orders fails: each by itself", len(order_ids), extra={"facts": why})
    return sum(_fire_or_set_aside(order_id, now) for order_id in order_ids)


def _fire_or_set_aside(order_id: uuid.UUID, now: datetime) -> int:
    with journal.circumstances(order=str(order_id)):
        try:
            return fire(order_id, now)
        except OperationalError:
            raise
        except Exception:
            log.exception("the order is set aside for %s", POISON_REST)
            Order.objects.filter(pk=order_id).update(poisoned_until=now + POISON_REST)
            return 0


def tidy(now: datetime) -> None:
    """What is done once in a while: old idempotency keys are forgotten, the day's head is exported, photos are cleared
    up after, and the database looks at how its tables are filled."""
    idempotency.forget_old(now)
    heads.export(timezone.localdate(now))
    attachments.sweep(now)
    dbstats.refresh()


def run(stop: threading.Event) -> None:
    """Sweep every half second until `stop`."""
    while not stop.is_set():
        try:
            close_old_connections()
            sweep()
        except Exception:
            # The database may be away for a moment; the clocks go on when it is back.
            log.exception("sweep failed; trying again")
        stop.wait(LOOK_EVERY_S)
    connection.close()


def keep_tidy(stop: threading.Event) -> None:
    """Tidy every hour until `stop`, beside the sweeps: a head over millions of orders takes a while."""
    tidied = timezone.now() - TIDY_EVERY
    while not stop.is_set():
        if timezone.now() - tidied >= TIDY_EVERY:
            tidied = timezone.now()
            try:
                close_old_connections()
                tidy(tidied)
            except Exception:
                # The database may be away for a moment; the next hour comes.
                log.exception("tidying failed")
            connection.close()
        stop.wait(LOOK_EVERY_S)
