"""The dispatcher at work: takes what is due, derives from the order's events what is to be done, does it.

Right with several processes and after a kill between any two lines: a decision is made on one version of the order
and written only if that is still the last (compare-and-swap), and what was done stands in the order's own events, so
that nothing is remembered beside them.
"""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from django.db import OperationalError, close_old_connections, connection
from django.utils import timezone

from jiying.core.errors import StaleVersion
from jiying.dispatch import actions, away
from jiying.dispatch.models import Task
from jiying.dispatch.plan import CALLED_AWAY, Away, Step, next_step, sent_at
from jiying.dispatch.policies import Policies
from jiying.dispatch.service import Advice, advise_many
from jiying.dispatch.together import together
from jiying.orders.ledger import Ledger
from jiying.orders.models import Order, OrderQuerySet
from jiying.orders.states import State
from jiying.orders.store import load, load_many

log = logging.getLogger("jiying.dispatch")

BATCH = 10
SENDS = frozenset({"assign", "replace"})
LOOK_EVERY_S = 0.5
AGAIN = timedelta(minutes=1)
LONGEST_REST = timedelta(minutes=10)
HELD_AT_MOST = timedelta(minutes=5)
"""An ordinary order that is held back is looked at again after so long: prices change."""


def sweep(now: datetime | None = None) -> int:
    """Do what is due by `now` (default: the present), at most `BATCH` orders; returns how often somebody was sent."""
    at = now or timezone.now()
    due = Task.objects.filter(due_at__lte=at).order_by("due_at").values_list("order_id", flat=True)
    ids = list(due[:BATCH])
    sent = _together(ids, at) if len(ids) > 1 else set()
    return len(sent) + sum(_look_or_rest(order_id, at) for order_id in ids if order_id not in sent)


def _together(ids: list[uuid.UUID], now: datetime) -> set[uuid.UUID]:
    """Give out at once the emergencies of `ids` that want somebody; returns which were.  The others are looked at one
    by one, and so are all if this fails.
    """
    try:
        orders = list(_joined().filter(pk__in=ids, urgency="emergency").order_by("pk"))
        ledgers = load_many(orders)
        steps = {order.pk: _step(order, ledgers[order.pk], now) for order in orders}
        due = [o for o in orders if (s := steps[o.pk]) is not None and s.due_at <= now and s.what in SENDS]
        if len(due) < 2:
            return set()
        given = together(advise_many(due, now=now, everybody=False, ledgers=ledgers))
    except OperationalError:
        raise
    except Exception:
        # One order that cannot be read must not keep the others waiting: each is looked at by itself.
        log.exception("orders that are due together are looked at one by one")
        return set()
    sent = set()
    for advice in given:
        order_id, step = advice.order.pk, steps[advice.order.pk]
        try:
            if step is not None and _send(advice, ledgers[order_id].version, step, now):
                sent.add(order_id)
        except OperationalError:
            raise
        except Exception:
            log.exception("order %s could not be given out with others", order_id)
    return sent


def _joined() -> OrderQuerySet:
    return Order.objects.select_related("estate", "town", "company", "worker")


def _step(order: Order, ledger: Ledger, now: datetime) -> Step | None:
    has_it = ledger.worker and ledger.state in (State.ASSIGNED, State.EN_ROUTE)
    elsewhere = away.of(order, sent_at(ledger)) if has_it else Away()
    return next_step(ledger, Policies.on(timezone.localdate(now), {order.district}).of(order), elsewhere)


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
    order = _joined().get(pk=order_id)
    ledger = load(order)
    step = _step(order, ledger, now)
    if step is None:
        Task.objects.filter(pk=order_id).delete()
        return False
    if step.due_at > now:
        Task.objects.filter(pk=order_id).update(due_at=step.due_at)
        return False
    if step.what == "tell":
        actions.ask_centre(order_id, step.why, now=now)
        Task.objects.filter(pk=order_id).update(why=step.why, due_at=None)
        return False
    if step.what == "stay":
        Task.objects.filter(pk=order_id).update(due_at=now + HELD_AT_MOST)
        return False
    advice = advise_many([order], now=now, everybody=False, ledgers={order.pk: ledger})[0]
    if step.why == CALLED_AWAY:
        # Whoever has as much to do themselves would come no sooner.
        advice = replace(advice, ranking=advice.ranking.unburdened())
    return _send(advice, ledger.version, step, now)


def _send(advice: Advice, version: int, step: Step, now: datetime) -> bool:
    order_id, best = advice.order.pk, advice.ranking.best
    called_away = step.why == CALLED_AWAY
    if best is None and called_away:
        # They come, if later.
        Task.objects.filter(pk=order_id).update(due_at=now + AGAIN)
        return False
    if best is None:
        # Of somebody who has not set off the centre hears as such, whoever else is missing.
        wider = {"outside": asdict(advice.outside)} if advice.outside is not None and advice.outside.n else {}
        actions.ask_centre(order_id, step.why, {"left_out": advice.ranking.why_not, **wider}, now=now)
        _rest(order_id, now, step.why)
        return False
    if (step.what == "assign" or called_away) and (held := advice.held_min) > 0:
        # Whoever would go is worth more where they are: looked at again when that has changed, or prices have.
        Task.objects.filter(pk=order_id).update(due_at=now + min(timedelta(minutes=held), HELD_AT_MOST), tries=0)
        return False
    actions.send(advice, version, now=now, because=CALLED_AWAY if called_away else "")
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
