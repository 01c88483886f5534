"""Emergencies that a rule has given to somebody are looked at again when somebody became free: whether it, or two of
them together, would be better off with other people (`reassigning`).

Right with several processes and after a kill, as `loop` is: each order is written on the version it was decided on,
what depends on each other in one transaction, and what was done stands in the orders' events.  What is kept in memory
only says when to look.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import OperationalError, close_old_connections, connection, transaction
from django.utils import timezone

from jiying.core.errors import StaleVersion
from jiying.dispatch import actions
from jiying.dispatch.away import LEAVES
from jiying.dispatch.engine.outlook import ROAD
from jiying.dispatch.models import Mode, Policy
from jiying.dispatch.plan import History, Rules, next_step, sent_at
from jiying.dispatch.policies import Policies
from jiying.dispatch.reassigning import Change, gains, held_of, reassign
from jiying.dispatch.service import advise_many, limit_of
from jiying.orders import followers
from jiying.orders.ledger import Ledger
from jiying.orders.models import Order, OrderQuerySet
from jiying.orders.states import OPEN, State
from jiying.orders.store import load_many

log = logging.getLogger("jiying.dispatch")

EVERY = timedelta(seconds=10)
"""As often as a day's run looks at all of them."""

LOOK_EVERY_S = 1.0

ANYHOW = timedelta(minutes=1)
"""So often it is looked whatever the log says: shifts begin and people come on duty without an event of an order."""

FREES = LEAVES | {"assign", "take", "reclassify"}
"""After these somebody may have less in hand than before."""

MOST = 40
"""So many are looked at together, at eleven milliseconds of the processor each (116 candidates; some seventy where all
of 1,500 workers are entitled); in a flood those first that can still be in time, by the time that is left."""

LONGEST = timedelta(hours=3)
"""Who was sent so long ago and is not there is a matter for people, who were told long before."""


class Improver:
    """When each district was looked at last, and how far its log had come then."""

    def __init__(self) -> None:
        self._swept: datetime | None = None
        self._looked: dict[str, tuple[datetime, followers.Position]] = {}

    def sweep(self, now: datetime) -> int:
        """Look where there is reason to, not sooner than `EVERY` after the last time; returns how many orders went to
        somebody else.
        """
        if self._swept is not None and timedelta(0) <= now - self._swept < EVERY:
            return 0
        self._swept = now
        lines = Policy.objects.valid_on(timezone.localdate(now)).filter(mode=Mode.AUTOMATIC)
        sent = 0
        for district in sorted(set(lines.values_list("district", flat=True))):
            try:
                sent += improve(district, now) if self._is_due(district, now) else 0
            except StaleVersion:
                # Somebody was faster: ten seconds later it is decided on what they did.
                del self._looked[district]
            except OperationalError:
                # The database is away for a moment: what freed somebody is not to be forgotten over that.
                self._looked.pop(district, None)
                raise
            except Exception:
                # Everybody keeps who was sent; the other districts wait for nothing.
                log.exception("the emergencies of %s could not be looked at again", district)
        return sent

    def _is_due(self, district: str, now: datetime) -> bool:
        if not _given(district, now).exists():
            return False
        end = followers.end()
        if district in self._looked:
            at, cursor = self._looked[district]
            freed = followers.after(cursor).filter(district=district, verb__in=FREES)
            if timedelta(0) <= now - at < ANYHOW and not freed.exists():
                return False
        self._looked[district] = now, end
        return True


def run(stop: threading.Event) -> None:
    """Look until `stop`: beside the dispatcher, which waits for no look at forty orders."""
    improver = Improver()
    while not stop.wait(LOOK_EVERY_S):
        try:
            close_old_connections()
            improver.sweep(timezone.now())
        except Exception:
            # The database may be away for a moment; everybody keeps who was sent.
            log.exception("what was given out could not be looked at again; trying again")
    connection.close()


def _given(district: str, now: datetime) -> OrderQuerySet:
    """Emergencies that somebody has who is not there yet, whoever sent them."""
    return Order.objects.filter(
        district=district,
        state__in=(State.ASSIGNED, State.EN_ROUTE),
        urgency="emergency",
        worker__isnull=False,
        state_since__gte=now - LONGEST,
    )


def improve(district: str, now: datetime) -> int:
    """Look at the emergencies of a district all together; returns how many went to somebody else.

    Raises:
        StaleVersion: something happened to one of them, or to who was to go, meanwhile; all others are written.
    """
    rows = _given(district, now).select_related("estate", "town", "company", "worker").order_by("pk")
    ledgers = _ledgers(list(rows))
    orders = [one for one in rows if one.pk in ledgers]
    policies = Policies.on(timezone.localdate(now), {district})
    before = _before(ledgers)
    ours = [one for one in orders if _may_change(ledgers[one.pk], policies.of(one), now)]
    hopes = {one.pk for one in ours if _has_room(ledgers[one.pk], before[one.pk], now)}
    if not hopes:
        return 0
    limits = {one.pk: limit_of(ledgers[one.pk]) for one in ours}
    late = now + timedelta(minutes=ROAD.access_min)
    ours.sort(key=lambda one: (one.pk not in hopes, limits[one.pk] < late, limits[one.pk], one.pk))
    advices = advise_many(ours[:MOST], now=now, everybody=False, ledgers=ledgers)
    sent, stale = 0, None
    for chain in reassign(held_of(advices, before, now)):
        try:
            sent += _write(chain, ledgers, now)
        except StaleVersion as error:
            stale = error
    if stale is not None:
        raise stale
    return sent


def _ledgers(orders: list[Order]) -> dict[uuid.UUID, Ledger]:
    """Those that can be read: one that cannot must not keep the others with who is farther away."""
    try:
        return load_many(orders)
    except OperationalError:
        raise
    except Exception:
        log.exception("emergencies are read one by one")
    found: dict[uuid.UUID, Ledger] = {}
    for order in orders:
        try:
            found |= load_many([order])
        except OperationalError:
            raise
        except Exception:
            log.exception("order %s is left with who has it", order.pk)
    return found


def _before(ledgers: Mapping[uuid.UUID, Ledger]) -> dict[uuid.UUID, int]:
    """For each emergency, how many others its worker goes to first: those they have set off to, then in the order in
    which they were sent.
    """
    theirs: dict[str, list[tuple[bool, datetime, uuid.UUID]]] = defaultdict(list)
    for order, ledger in ledgers.items():
        theirs[ledger.worker].append((ledger.state is not State.EN_ROUTE, sent_at(ledger), order))
    return {order: place for rows in theirs.values() for place, (*_row, order) in enumerate(sorted(rows))}


def _may_change(ledger: Ledger, rules: Rules, now: datetime) -> bool:
    """Whether it was given by a rule, and may be handed on: not what is due to be replaced, or told to the centre."""
    step, history = next_step(ledger, rules), History.of(ledger.moments)
    waits = step is not None and step.due_at > now
    return waits and history.by_rule and history.reassigned < rules.most_replaced


def _has_room(ledger: Ledger, before: int, now: datetime) -> bool:
    """Whether somebody at the gate would be enough sooner than who was sent, by what was expected then."""
    history = History.of(ledger.moments)
    left = (limit_of(ledger) - now).total_seconds() / 60
    if history.left is not None:
        coming = (history.left - now).total_seconds() / 60 + history.expected
    else:
        coming = float("inf") if before or history.leave_by is not None else history.expected
    return gains(coming, ROAD.access_min, left, departed=history.left is not None)


def _write(chain: Sequence[Change], ledgers: Mapping[uuid.UUID, Ledger], now: datetime) -> int:
    """All of a chain or nothing: half of it would leave an emergency with somebody who was sent elsewhere."""
    ids = [change.advice.order.pk for change in chain]
    try:
        with transaction.atomic():
            # All are locked in one order, or two processes that change places would wait for each other.
            list(Order.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
            _as_they_were(chain)
            for change in chain:
                actions.send(change.advice, ledgers[change.advice.order.pk].version, now=now, because=change.why)
    except (OperationalError, StaleVersion):
        raise
    except Exception:
        log.exception("orders %s could not be handed on", ids)
        return 0
    return len(chain)


def _as_they_were(chain: Sequence[Change]) -> None:
    """A look at forty orders takes a second, or several: who was given something else meanwhile is not sent.

    Raises:
        StaleVersion: somebody of `chain` has other orders in hand than it was decided on.
    """
    hands = [change.advice.person(best) for change in chain if (best := change.advice.ranking.best) is not None]
    rows = Order.objects.filter(worker__in=[hand.id for hand in hands], state__in=sorted(OPEN)).order_by()
    theirs: dict[str, list[tuple[uuid.UUID, str]]] = defaultdict(list)
    for worker, order, state in rows.values_list("worker_id", "pk", "state"):
        theirs[str(worker)].append((order, state))
    if any(sorted(theirs[hand.id]) != sorted(hand.orders.items()) for hand in hands):
        raise StaleVersion
