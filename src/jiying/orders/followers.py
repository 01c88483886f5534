"""Following the event log: each follower keeps a cursor, reads what was committed since, and is idempotent.

On PostgreSQL a row's number becomes visible out of order, so a follower reads by (`xid`, `seq`) and only
below the oldest transaction still running: what commits late is never skipped.  SQLite has one writer at a
time, for which the same query is right with `xid` = 0.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import close_old_connections, connection, transaction
from django.db.models import Q, QuerySet

from jiying.core import wake
from jiying.orders.models import Cursor, Event

log = logging.getLogger("jiying.followers")

BATCH = 100
"""Events in one transaction: who reports or acts waits behind it, some hundredths of a second."""
LOOK_EVERY_S = 0.5
BREATH_S = 0.2
REST = 0.5
"""How long a follower that is far behind rests after a batch, as a share of what that took: others want to write."""
Position = tuple[int, int]
Write = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Follower:
    """`prepare` takes events in cursor order, reads what it needs and returns what writes.

    Only the writing is in the transaction that moves the cursor, so that others write meanwhile; nobody else has then
    taken the same events, or held and saved the cursor, which is how others say that they changed what was read.
    `history`: it wants to read what happened before it was there, too (an index, a table of sums).
    """

    name: str
    prepare: Callable[[Sequence[Event]], Write]
    history: bool = False


_registry: dict[str, Follower] = {}


def register(name: str, handle: Callable[[Sequence[Event]], object], *, history: bool = False) -> None:
    """Make a follower known that handles its events inside the transaction; rooms do it when the application starts."""
    register_prepared(name, lambda events: lambda: handle(events), history=history)


def register_prepared(name: str, prepare: Callable[[Sequence[Event]], Write], *, history: bool = False) -> None:
    """Make a follower known that has much to work out before it writes (`Follower`)."""
    _registry[name] = Follower(name, prepare, history)


def settled() -> QuerySet[Event]:
    """Events that no running transaction can still slip in front of."""
    events = Event.objects.order_by("xid", "seq")
    if connection.vendor != "postgresql":
        return events
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        oldest = cursor.fetchone()[0]
    return events.filter(xid__lt=oldest)


def after(position: Position) -> QuerySet[Event]:
    """Settled events after a cursor."""
    xid, seq = position
    return settled().filter(Q(xid__gt=xid) | Q(xid=xid, seq__gt=seq))


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
        self._batches: OrderedDict[Position, list[Event]] = OrderedDict()

    def after(self, position: Position) -> list[Event]:
        """Up to `BATCH` events with their orders, after a cursor."""
        events = self._batches.get(position)
        if events is None:
            events = list(after(position).select_related("order")[:BATCH])
            if len(events) == BATCH:
                self._batches[position] = events
                if len(self._batches) > self.KEPT:
                    self._batches.popitem(last=False)
        return events

    def forget(self) -> None:
        """Read anew: somebody may have taken events back."""
        self._batches.clear()


def advance(follower: Follower, reader: Reader | None = None) -> int:
    """Let a follower take the next events; returns how many.  A crash repeats the batch, and loses nothing."""
    row, _new = Cursor.objects.get_or_create(follower=follower.name)
    events = (reader or Reader()).after((row.xid, row.seq))
    if not events:
        return 0
    write = follower.prepare(events)
    with transaction.atomic():
        cursor = Cursor.objects.select_for_update().get(follower=follower.name)
        if (cursor.xid, cursor.seq, cursor.updated_at) != (row.xid, row.seq, row.updated_at):
            # Another process took them meanwhile, or changed what was read to prepare (an import taken back).
            return len(events)
        write()
        cursor.xid, cursor.seq = events[-1].xid, events[-1].seq
        cursor.save(update_fields=["xid", "seq", "updated_at"])
    return len(events)


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
    """How many events each follower is behind."""
    kept = {row.follower: (row.xid, row.seq) for row in Cursor.objects.all()}
    return {name: after(kept.get(name, (0, 0))).count() for name in _registry}


def _round(reader: Reader, stop: threading.Event) -> bool:
    """Let each follower take a batch; whether one of them has more to read."""
    more = False
    for follower in list(_registry.values()):
        began = time.monotonic()
        try:
            whole = advance(follower, reader) == BATCH
        except Exception:
            # One follower's failure must not stop the others; its cursor stays where it was.
            log.exception("follower %s failed; trying again", follower.name)
            reader.forget()
            continue
        if whole:
            more = True
            stop.wait(min(BREATH_S, REST * (time.monotonic() - began)))
        if stop.is_set():
            break
    return more


def run_all(stop: threading.Event) -> None:
    """Let all followers read on until `stop`: at every signal, and every half second."""
    seen, reader = wake.seen(), Reader()
    while not stop.is_set():
        close_old_connections()
        if _round(reader, stop):
            continue
        reader.forget()
        # A breath between rounds: under load one round takes what many commits wrote, and leaves them the processor.
        stop.wait(BREATH_S)
        seen = wake.wait(seen, LOOK_EVERY_S - BREATH_S)
    connection.close()
