"""The dispatcher at work: takes what is due, derives from the order's events what is to be done, does it.

Right with several processes and after a kill between any two lines: a decision is made on one version of the order
and written only if that is still the last (compare-and-swap), and what was done stands in the order's own events, so
that nothing is remembered beside them.
"""

from __future__ import annotations

import logging
import threading
import uuid
from datetime import datetime, timedelta

from django.db import OperationalError, close_old_connections, connection, transaction
from django.utils import timezone

from jiying.core.errors import StaleVersion
from jiying.dispatch import actions
from jiying.dispatch.models import Task
from jiying.dispatch.plan import next_step
from jiying.dispatch.policies import Policies
from jiying.dispatch.service import Advice, advise_many
from jiying.orders.models import Order
from jiying.orders.store import load

log = logging.getLogger("jiying.dispatch")

BATCH = 10
LOOK_EVERY_S = 0.5
AGAIN = timedelta(minutes=1)
LONGEST_REST = timedelta(minutes=10)


def sweep(now: datetime | None = None) -> int:
    """Do what is due by `now` (default: the present), at most `BATCH` orders; returns how often somebody was sent."""
    at = now or timezone.now()
    due = Task.objects.filter(due_at__lte=at).order_by("due_at").values_list("order_id", flat=True)
    return sum(_look_or_rest(order_id, at) for order_id in list(due[:BATCH]))


def _look_or_rest(order_id: uuid.UUID, now: datetime) -> bool:
    try:
        return look(order_id, now)
    except StaleVersion:
        # Somebody was faster: the next look, in a moment, sees what they did.
        return False
    except OperationalError:
        raise
    except Exception:
        # One order that cannot be handled must not keep the others waiting.
        log.exception("order %s is set aside by the dispatcher", order_id)
        _rest(order_id, now)
        return False


def look(order_id: uuid.UUID, now: datetime) -> bool:
    """Do what is due about one order; whether somebody was sent.

    Raises:
        StaleVersion: something happened to the order in between; nothing was written.
    """
    order = Order.objects.select_related("estate", "town", "company", "worker").get(pk=order_id)
    ledger = load(order)
    rules = Policies.on(timezone.localdate(now), {order.district}).of(order)
    step = next_step(ledger, rules)
    if step is None:
        Task.objects.filter(pk=order_id).delete()
        return False
    if step.due_at > now:
        Task.objects.filter(pk=order_id).update(due_at=step.due_at)
        return False
    if step.what == "tell":
        actions.ask_centre(order_id, actions.NOT_DEPARTED, now=now)
        Task.objects.filter(pk=order_id).update(why=actions.NOT_DEPARTED, due_at=None)
        return False
    advice = advise_many([order], now=now, everybody=False, ledgers={order.pk: ledger})[0]
    return _send(advice, ledger.version, step.what, now)


def _send(advice: Advice, version: int, what: str, now: datetime) -> bool:
    order_id, best = advice.order.pk, advice.ranking.best
    if best is None:
        # Of somebody who has not set off the centre hears as such, whoever else is missing.
        why = actions.NOBODY_FITS if what == "assign" else actions.NOT_DEPARTED
        actions.ask_centre(order_id, why, {"left_out": advice.ranking.why_not}, now=now)
        _rest(order_id, now, why)
        return False
    with transaction.atomic():
        actions.send(advice, version, now=now)
        if advice.failed:
            actions.ask_centre(order_id, actions.ENGINE, now=now)
        due = now + timedelta(minutes=advice.rules.depart_min)
        Task.objects.filter(pk=order_id).update(due_at=due, tries=0, why=actions.ENGINE if advice.failed else "")
    return True


def _rest(order_id: uuid.UUID, now: datetime, why: str | None = None) -> None:
    """Look again later, each time after twice as long."""
    task = Task.objects.filter(pk=order_id).first()
    if task is None:
        return
    task.due_at = now + min(AGAIN * 2 ** min(task.tries, 8), LONGEST_REST)
    task.tries = min(task.tries + 1, 100)
    task.why = task.why if why is None else why
    task.save(update_fields=["due_at", "tries", "why"])


def run(stop: threading.Event) -> None:
    """Sweep every half second until `stop`."""
    while not stop.is_set():
        try:
            close_old_connections()
            sweep()
        except Exception:
            # The database may be away for a moment; the orders are still due when it is back.
            log.exception("the dispatcher failed; trying again")
        stop.wait(LOOK_EVERY_S)
    connection.close()
