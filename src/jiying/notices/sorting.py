"""What of a parcel is still worth sending, and whether now is the hour for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from jiying.estates.queries import zone_of
from jiying.notices.models import Message, Notice
from jiying.notices.outbox import RESIDENT
from jiying.notices.outgoing import quiet_until
from jiying.notices.wishes import wishes_of
from jiying.orders.states import BEFORE_ARRIVAL, State

STALE = timedelta(hours=2)
"""After which a resident is no longer told that somebody has set off."""

EXCUSES = frozenset({"breach", "explain", "note"})
"""What a resident is told because nobody has arrived."""


def sort_out(held: list[Message], *, asks: bool, now: datetime) -> list[Message]:
    """Of messages that wait, those to send now: first what went out before, then what is due first.

    The others are marked: what was answered meanwhile, or is too late, is spared.  A call to somebody who has read
    it in their inbox is acknowledged.  What is not urgent waits for the end of quiet hours, which may have been
    chosen since; who is on duty has none.
    """
    notices = _notices_of(held)
    rows = [one for one in held if not _is_settled(one, notices, asks=asks, now=now)]
    if rows and not rows[0].urgent and rows[0].user_id is not None:
        wish = wishes_of([rows[0].user_id])[rows[0].user_id]
        until = quiet_until(wish, now, zone_of(rows[0].district))
        if until is not None:
            awake = [one for one in rows if (told := notices.get((one.user_id, one.event))) and told.on_duty]
            Message.objects.filter(pk__in={one.pk for one in rows} - {one.pk for one in awake}).update(due_at=until)
            rows = awake
    return sorted(rows, key=lambda one: (-one.calls, -one.attempts, one.due_at or now, one.pk))


def _notices_of(messages: Iterable[Message]) -> dict[tuple[object, object], Notice]:
    events = {one.event for one in messages if one.user_id is not None}
    rows = Notice.objects.filter(event__in=events) if events else []
    return {(row.user_id, row.event): row for row in rows}


def _is_over(message: Message) -> bool:
    """Whether it excuses that nobody is there to who has somebody at the door by now."""
    if message.recipient != RESIDENT or message.kind not in EXCUSES:
        return False
    return message.order.state not in BEFORE_ARRIVAL | {State.PAUSED}


def _is_settled(message: Message, notices: dict[tuple[object, object], Notice], *, asks: bool, now: datetime) -> bool:
    notice = notices.get((message.user_id, message.event))
    late = message.recipient == RESIDENT and now - message.created_at > STALE
    if late or _is_over(message) or (notice is not None and notice.done_at is not None):
        message.state, message.reason = Message.SPARED, "too late" if late else "answered"
    elif asks and notice is not None and notice.read_at is not None:
        message.state, message.acknowledged_at = Message.ACKNOWLEDGED, notice.read_at
    else:
        return False
    message.due_at = None
    message.save(update_fields=["state", "reason", "acknowledged_at", "due_at"])
    return True
