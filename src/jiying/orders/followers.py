"""Following the event log: each follower keeps a cursor, reads what was committed since, and is idempotent.

On PostgreSQL a row's number becomes visible out of order, so a follower reads by (`xid`, `seq`) and only
below the oldest transaction still running: what commits late is never skipped.  SQLite has one writer at a
time: there `xid` is 0, and rows are read by their number alone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import close_old_connections, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from jiying.core import wake
from jiying.orders.models import Cursor, Event

log = logging.getLogger("jiying.followers")

BATCH = 100
"""Events in one transaction: who reports or acts waits behind it, some hundredths of a second."""
LOOK_EVERY_S = 0.5
BREATH_S = 0.2
REST = 0.5
"""How long a follower that is far behind rests after a batch, as a share of what that took: others want to write."""
LEISURE, FEW = 4.0, 20
"""The same of one that nobody waits for, and how many events that takes at a time."""
WORTH_SKIPPING = 1000
"""Over so many events that it does not want a follower moves its cursor though it had nothing to do."""
REPACK = frozenset({"repack"})
"""What a move to another rule pack says, of every open order in a district: it sends nobody and tells nobody."""
Position = tuple[int, int]
Write = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Follower:
    """`prepare` takes events in cursor order, reads what it needs and returns what writes.

    Only the writing is in the transaction that moves the cursor, so that others write meanwhile; nobody else has then
    taken the same events, or held and saved the cursor, which is how others say that they changed what was read.
    `history`: it wants to read what happened before it was there, too (an index, a table of sums).

    A hundred thousand events of one kind do not come before the next report: one follower `skips` these verbs, another
    one may take `only` them, at `leisure`.
    """

    name: str
    prepare: Callable[[Sequence[Event]], Write]
    history: bool = False
    skips: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    leisure: bool = False

    @property
    def batch(self) -> int:
        """How many events it takes at most in one transaction."""
        return FEW if self.leisure else BATCH

    def after(self, position: Position) -> QuerySet[Event]:
        """The settled events after a cursor that it wants."""
        events = after(position)
        events = events.exclude(verb__in=self.skips) if self.skips else events
        # Not by the index of verbs: it would sort all that ever were, for each batch.
        return events.alias(said=Lower("verb")).filter(said__in=self.only) if self.only else events


class OvertakenError(Exception):
    """Said while writing: what was worked out is no longer so.  Nothing is written, and the batch comes again."""


_registry: dict[str, Follower] = {}


def register(
    name: str,
    handle: Callable[[Sequence[Event]], object],
    *,
    history: bool = False,
    skips: frozenset[str] = frozenset(),
) -> None:
    """Make a follower known that handles its events inside the transaction; rooms do it when the application starts."""
    add(Follower(name, lambda events: lambda: handle(events), history, skips))


def add(follower: Follower) -> None:
    """Make a follower known, such as one that has much to work out before it writes."""
    _registry[follower.name] = follower


def settled() -> QuerySet[Event]:
    """Events that no running transaction can still slip in front of."""
    if connection.vendor != "postgresql":
        # By the key alone: by (0, `seq`) SQLite would begin at the beginning of the log each time.
        return Event.objects.order_by("seq")
    events = Event.objects.order_by("xid", "seq")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        oldest = cursor.fetchone()[0]
    return events.filter(xid__lt=oldest)


def after(position: Position) -> QuerySet[Event]:
    """Settled events after a cursor."""
    xid, seq = position
    if connection.vendor != "postgresql":
        return settled().filter(seq__gt=seq)
    # `xid >= …` says nothing new to us, and to the index where to begin.
    return settled().filter(Q(xid__gt=xid) | Q(seq__gt=seq), xid__gte=xid)


def end() -> Position:
    """The cursor of the newest settled event."""
    row = settled().reverse().values_list("xid", "seq").first()
    return row if row is not None else (0, 0)


class Reader:
    """Reads batches of events, each once for all followers that come to it.

    Followers are mostly about as far, and making rows of events costs as much as following them.  Only whole batches
    are kept: what is settled stays as it is, while a shorter one grows.
    """

    KEPT = 4

    def __init__(self) -> None:
        self._batches: OrderedDict[tuple[Any, ...], list[Event]] = OrderedDict()

    def after(self, position: Position, follower: Follower) -> list[Event]:
        """A batch of events after a cursor that the follower wants, with their orders."""
        key = (position, follower.skips, follower.only, follower.batch)
        events = self._batches.get(key)
        if events is None:
            events = list(follower.after(position).select_related("order")[: follower.batch])
            if len(events) == follower.batch:
                self._batches[key] = events
                if len(self._batches) > self.KEPT:
                    self._batches.popitem(last=False)
        return events

    def forget(self) -> None:
        """Read anew: somebody may have taken events back."""
        self._batches.clear()


def advance(follower: Follower, reader: Reader | None = None) -> int:
    """Let a follower take the next events; returns how many.  A crash repeats the batch, and loses nothing."""
    row, _new = Cursor.objects.get_or_create(follower=follower.name)
    position = (row.xid, row.seq)
    # Asked before the events are: what lies up to here and is not among them is what the follower does not want.
    last = end() if follower.skips or follower.only else position
    events = (reader or Reader()).after(position, follower)
    if len(events) == follower.batch or last < position:
        last = position
    if events:
        last = max(last, (events[-1].xid, events[-1].seq))
    elif last[1] - row.seq < WORTH_SKIPPING:
        return 0
    write = follower.prepare(events) if events else _nothing
    with suppress(OvertakenError), transaction.atomic():
        cursor = Cursor.objects.select_for_update().get(follower=follower.name)
        if (cursor.xid, cursor.seq, cursor.updated_at) != (row.xid, row.seq, row.updated_at):
            # Another process took them meanwhile, or changed what was read to prepare (an import taken back).
            return len(events)
        write()
        cursor.xid, cursor.seq = last
        cursor.save(update_fields=["xid", "seq", "updated_at"])
    return len(events)


def _nothing() -> None:
    """Only the cursor moves."""


def catch_up() -> None:
    """Let every follower read to the end, now, in this thread."""
    for follower in list(_registry.values()):
        while advance(follower):
            pass


def skip_to_end(*names: str) -> None:
    """Set the named followers, or those that want no history, to the newest event: a demo's history told nobody.

    Settled or not: a transaction that runs elsewhere on the server must not leave the history's end to be told.
    """
    xid, seq = Event.objects.order_by("-xid", "-seq").values_list("xid", "seq").first() or (0, 0)
    for name in names or [follower.name for follower in _registry.values() if not follower.history]:
        Cursor.objects.update_or_create(follower=name, defaults={"xid": xid, "seq": seq})


def lags() -> dict[str, int]:
    """How many events each follower is behind, of those that it wants."""
    kept = {row.follower: (row.xid, row.seq) for row in Cursor.objects.all()}
    return {name: one.after(kept.get(name, (0, 0))).count() for name, one in _registry.items()}


def _round(reader: Reader, resting: dict[str, float], stop: threading.Event) -> bool:
    """Let each follower take a batch; whether one of them has more to read.  `resting`: until when who is at leisure
    takes nothing (monotonic seconds).
    """
    more = False
    for follower in list(_registry.values()):
        began = time.monotonic()
        if began < resting.get(follower.name, 0.0):
            continue
        try:
            whole = advance(follower, reader) == follower.batch
        except Exception:
            # One follower's failure must not stop the others; its cursor stays where it was.
            log.exception("follower %s failed; trying again", follower.name)
            reader.forget()
            continue
        took = time.monotonic() - began
        if whole and follower.leisure:
            resting[follower.name] = time.monotonic() + LEISURE * took
        elif whole:
            more = True
            stop.wait(min(BREATH_S, REST * took))
        if stop.is_set():
            break
    return more


def run_all(stop: threading.Event) -> None:
    """Let all followers read on until `stop`: at every signal, and every half second."""
    seen, reader = wake.seen(), Reader()
    resting: dict[str, float] = {}
    while not stop.is_set():
        close_old_connections()
        if _round(reader, resting, stop):
            continue
        reader.forget()
        # A breath between rounds: under load one round takes what many commits wrote, and leaves them the processor.
        stop.wait(BREATH_S)
        seen = wake.wait(seen, LOOK_EVERY_S - BREATH_S)
    connection.close()
