"""The watcher: writes what falls due on orders without anybody doing anything.

No job per order: one loop over the index of `next_at`.  A due row is locked, its truth derived again from
its events, and what fell due is written in one transaction, so that many watchers, a crash between any two
lines, or a late start neither lose a step nor fire it twice.  A row that cannot be handled is set aside for
a while and the rest goes on.
"""

from __future__ import annotations

import logging
import threading
import uuid
from datetime import datetime, timedelta

from django.db import OperationalError, close_old_connections, connection, transaction
from django.db.models import Q
from django.utils import timezone

from jiying.core import journal
from jiying.core.errors import StaleVersion
from jiying.orders import attachments, heads, idempotency, store
from jiying.orders.models import Order

log = logging.getLogger("jiying.watcher")

BATCH = 200
POISON_REST = timedelta(minutes=5)
LOOK_EVERY_S = 0.5
TIDY_EVERY = timedelta(hours=1)


def due(now: datetime, limit: int = BATCH) -> list[uuid.UUID]:
    """Orders with a step due by `now`, most overdue first."""
    rows = Order.objects.filter(Q(poisoned_until=None) | Q(poisoned_until__lte=now), next_at__lte=now)
    return list(rows.order_by("next_at").values_list("pk", flat=True)[:limit])


def fire(order_id: uuid.UUID, now: datetime) -> int:
    """Write the steps of one order that are due by `now`; returns how many.  Another watcher's order: 0."""
    with transaction.atomic():
        rows = Order.objects.filter(pk=order_id, next_at__lte=now)
        rows = rows.select_for_update(no_key=True, skip_locked=connection.features.has_select_for_update_skip_locked)
        order = rows.first()
        if order is None:
            return 0
        journal.note(order=order.number)
        ledger = store.load(order)
        change = store.Change(order=order, ledger=ledger, before=store.clocks_before(ledger))
        change.moments = ledger.fire(now)
        store.write(change)
        return len(change.moments)


def sweep(now: datetime | None = None) -> int:
    """Fire everything due by `now` (default: the present); returns how many steps."""
    fixed, fired = now, 0
    while orders := due(fixed or timezone.now()):
        busy = False
        for order_id in orders:
            with journal.circumstances(order=str(order_id)):
                try:
                    fired += _fire_or_set_aside(order_id, fixed or timezone.now())
                except OperationalError:
                    # The database is busy or away for a moment, which is not this order's fault.
                    log.warning("the order waits for the database", exc_info=True)
                    busy = True
        if len(orders) < BATCH or busy:
            break
    return fired


def _fire_or_set_aside(order_id: uuid.UUID, now: datetime) -> int:
    try:
        return fire(order_id, now)
    except StaleVersion:
        return 0
    except OperationalError:
        raise
    except Exception:
        # One order that cannot be judged must not stop the clocks of all others.
        log.exception("the order is set aside for %s", POISON_REST)
        Order.objects.filter(pk=order_id).update(poisoned_until=now + POISON_REST)
        return 0


def tidy(now: datetime) -> None:
    """What is done once in a while: forget old idempotency keys, export the day's head, clear up after photos."""
    idempotency.forget_old(now)
    heads.export(timezone.localdate(now))
    attachments.sweep(now)


def run(stop: threading.Event) -> None:
    """Sweep every half second until `stop`."""
    tidied = timezone.now() - TIDY_EVERY
    while not stop.is_set():
        try:
            close_old_connections()
            sweep()
            if timezone.now() - tidied >= TIDY_EVERY:
                tidied = timezone.now()
                tidy(tidied)
        except Exception:
            # The database may be away for a moment; the clocks go on when it is back.
            log.exception("sweep failed; trying again")
        stop.wait(LOOK_EVERY_S)
    connection.close()
