"""Group commit: orders that arrive at the same time are written, and made durable, together.

Each request checks its own order, then waits for one lock.  Whoever gets it writes everything that waits by
then in one transaction; the others find theirs written.  Nobody is answered before the commit.  One order
that cannot be written (a key bound twice) sends the group to be written one by one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from django.db import DataError, IntegrityError, connection, transaction

from jiying.orders.drafts import Draft, Numbers, write_drafts
from jiying.orders.models import IdempotencyKey

LARGEST = 64


@dataclass(slots=True, eq=False)
class _Waiting:
    draft: Draft
    key: IdempotencyKey | None
    done: bool = False
    error: Exception | None = None


_lock = threading.Lock()
_queue_lock = threading.Lock()
_queue: list[_Waiting] = []


def write(draft: Draft, key: IdempotencyKey | None) -> None:
    """Write one draft with its idempotency key, durably, perhaps together with others'.

    Raises:
        IntegrityError: the key, or the drawn number, is taken; nothing of this draft was written.
    """
    mine = _Waiting(draft, key)
    if connection.in_atomic_block:
        # Inside somebody's transaction only its own may be written: it may yet be rolled back.
        _commit([mine])
        return
    with _queue_lock:
        _queue.append(mine)
    with _lock:
        while not mine.done:
            _write_waiting()
    if mine.error is not None:
        raise mine.error


def _write_waiting() -> None:
    with _queue_lock:
        together = _queue[:LARGEST]
        del _queue[:LARGEST]
    try:
        _commit(together)
    except (IntegrityError, DataError):
        for each in together:
            _write_alone(each)
    except Exception as error:
        # Nobody's order was written: each of them has to hear it.
        for each in together:
            each.error = error
    except BaseException:
        # The thread that writes for all is being ended: nobody may take their order for written, or wait for ever.
        for each in together:
            each.error = RuntimeError("the order was not written")
        raise
    finally:
        for each in together:
            each.done = True


def _write_alone(waiting: _Waiting) -> None:
    try:
        _commit([waiting])
    except Exception as error:
        # It is raised where the order came from; the others go on.
        waiting.error = error


def _commit(together: list[_Waiting]) -> None:
    with transaction.atomic():
        write_drafts([each.draft for each in together], Numbers(look_first=False))
        IdempotencyKey.objects.bulk_create([each.key for each in together if each.key is not None])
