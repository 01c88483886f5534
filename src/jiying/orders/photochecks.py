"""Are the photos those of the log?  Part of `verify-chain`.

Every photo came with an `attach` event that holds the SM3 of its file, and goes with an `erase` event that names it.
Found are a file that is missing or was changed, a row that is gone or that no event speaks of, and a photo that was
taken away without a word.  Files are read one by one, so that checking a district is limited by its store.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from jiying.core.crypto import sm3_hex
from jiying.orders import photofiles
from jiying.orders.models import Attachment, Event

if TYPE_CHECKING:
    from django.db.models import QuerySet

CHUNK = 200
#: Order, version of the event (0: there is none), what is wrong.
Fault = tuple[uuid.UUID, int, str]


def faults(order_id: uuid.UUID | None = None, *, files: bool = True) -> Iterator[Fault]:
    """What is wrong with the photos of one order, or of all; `files` False leaves the store alone (StoreDown)."""
    said, rows = Event.objects.filter(verb="attach"), Attachment.objects.all()
    if order_id is not None:
        said, rows = said.filter(order=order_id), rows.filter(order=order_id)
    for events in _chunks(said.order_by("seq").iterator(chunk_size=CHUNK)):
        yield from _without_row(events)
    for photos in _chunks(rows.order_by("id").iterator(chunk_size=CHUNK)):
        yield from _otherwise(photos, files=files)


Item = TypeVar("Item")


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    left = iter(items)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


def _without_row(events: list[Event]) -> Iterator[Fault]:
    known = set(Attachment.objects.filter(pk__in=[e.data["attachment"] for e in events]).values_list("pk", flat=True))
    for event in events:
        if uuid.UUID(event.data["attachment"]) not in known:
            yield event.order_id, event.version, f"photo {event.data['attachment']} is gone"


def _otherwise(photos: list[Attachment], *, files: bool) -> Iterator[Fault]:
    # The rows were read before the events: a photo that comes or goes meanwhile has its event by now.
    attached, erased = _said({photo.order_id for photo in photos})
    for photo in photos:
        event = attached.get(str(photo.pk))
        if event is None or event.order_id != photo.order_id:
            yield photo.order_id, 0, f"no event speaks of photo {photo.pk}"
        elif (event.data["sm3"], event.data["purpose"]) != (photo.sm3, photo.purpose):
            yield photo.order_id, event.version, f"the record of photo {photo.pk} was changed"
        elif str(photo.pk) in erased:
            continue
        elif photo.erased_at is not None:
            yield photo.order_id, event.version, f"photo {photo.pk} was erased without an event"
        elif files and (wrong := _file_fault(photo)):
            yield photo.order_id, event.version, wrong


def _said(orders: set[uuid.UUID]) -> tuple[dict[str, Event], set[str]]:
    events = _events(orders)
    attached = {str(event.data["attachment"]): event for event in events if event.verb == "attach"}
    return attached, {one for event in events if event.verb == "erase" for one in event.data.get("attachments", ())}


def _events(orders: set[uuid.UUID]) -> QuerySet[Event]:
    return Event.objects.filter(order__in=orders, verb__in=("attach", "erase"))


def _file_fault(photo: Attachment) -> str:
    data = photofiles.read(photo.pk, photofiles.FULL)
    if data is not None and sm3_hex(data) == photo.sm3:
        return ""
    if Attachment.objects.filter(pk=photo.pk, erased_at__isnull=False).exists():
        return ""  # Erased since its row was read.
    return f"the file of photo {photo.pk} {'is missing' if data is None else 'was changed'}"
