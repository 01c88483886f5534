"""Photos of orders: adding them, what verbs may name, erasing them, and clearing up after a crash.

The order of things when a photo comes: it is made anew in memory, its files are written and on the disk, then row
and event are written in one transaction.  A crash before the last step leaves files that no row names, and the
sweep deletes them; no row ever names files that were not there.  When a photo is erased it is the other way round:
first row and event, then the files, and the sweep deletes what a crash left.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core import pictures
from jiying.core.crypto import seal, sm3_hex, unseal
from jiying.core.errors import BadInput, NotYours
from jiying.core.geo import Point, distance_m
from jiying.core.ids import uuid7
from jiying.estates.queries import zone_of
from jiying.orders import idempotency, photofiles, store
from jiying.orders.actions import locked, within_reach
from jiying.orders.actors import Actor, roles_towards, speaking_as
from jiying.orders.models import Attachment, Event, Order
from jiying.orders.states import PEOPLE, RULE

log = logging.getLogger("jiying.photos")

_WORKING = frozenset({"worker", "manager", "company", "operator"})
PURPOSES: dict[str, frozenset[str]] = {
    "report": PEOPLE - {"worker"},
    "before": _WORKING,
    "after": _WORKING,
    "evidence": PEOPLE - {"resident"},
    "other": PEOPLE,
}
"""What a photo is for, and who may say so: what was found, what was mended and why it waits is the workers' word."""

MOST = 60
MOST_OF_REPORTER = 12
"""Photos of one order in all, and of those who hold its link."""

ORPHAN_AFTER = timedelta(hours=1)
SWEPT_DAYS = 7

#: Which photos go with a verb, where a page says it.
WITH_VERB = {"done": ("before", "after"), "pause": ("evidence",)}


def add(
    order_id: uuid.UUID, data: bytes, *, purpose: str, by: Actor, key: str = "", now: datetime | None = None
) -> tuple[Attachment, bool]:
    """Keep a photo with an order; returns it and whether it is new.

    The same bytes for the same purpose from the same person are the same photo, with or without a `key`, so that
    an upload that broke off may come again as often as it takes.  Whoever holds a tracking link (`by.track`) has
    been asked for the digits before.

    Raises:
        NotFound: no such order in their reach.  NotYours: this purpose is for others.
        BadInput: `unknown_purpose`, `too_many_photos`, `too_many_pixels`, `broken_picture`.
        TooLarge, NotAPicture, StoreDown, KeyReused.
    """
    now = now or timezone.now()
    order = within_reach(order_id, by)
    role = _role(order, purpose, by)
    source = sm3_hex(data)
    caller, body = by.code or f"track:{order_id}", ["attach", str(order_id), purpose, source]
    if key:
        idempotency.earlier(caller, key, body, now)
    again = _same(order_id, purpose, by, source)
    if again is not None:
        return again, False
    _check_room(order_id, by)
    picture = pictures.read(data)
    photo = Attachment(
        id=uuid7(),
        district=order.district,
        order=order,
        purpose=purpose,
        by=by.code,
        role=role,
        at=now,
        size=len(picture.full),
        width=picture.width,
        height=picture.height,
        sm3=sm3_hex(picture.full),
        source=source,
        **_noted(picture, order),
    )
    photo.point = sealed_point(photo.pk, picture.point)
    photofiles.put(photo.pk, picture)
    try:
        kept, is_new = _record(photo, by, caller, key, body, now)
    except BaseException:
        photofiles.delete(photo.pk)
        raise
    if not is_new:
        photofiles.delete(photo.pk)
    return kept, is_new


def _record(photo: Attachment, by: Actor, caller: str, key: str, body: Any, now: datetime) -> tuple[Attachment, bool]:
    """Row, event and key in one transaction; a twin that was faster is found under the order's lock."""
    with transaction.atomic():
        order = locked(photo.order_id, "note", by)
        again = _same(order.pk, photo.purpose, by, photo.source)
        if again is not None:
            return again, False
        _check_room(order.pk, by)
        photo.save(force_insert=True)
        data = {"attachment": str(photo.pk), "purpose": photo.purpose, "sm3": photo.sm3}
        _observe(order, "attach", by=by.code, role=photo.role, data=data, now=now)
        if key:
            idempotency.keep(caller, key, body, order, now)
    return photo, True


def _observe(order: Order, verb: str, *, by: str, role: str, data: dict[str, Any], now: datetime) -> None:
    """Append an event beside the verbs to an order that is locked."""
    ledger = store.load(order)
    change = store.Change(order=order, ledger=ledger, before=store.clocks_before(ledger))
    at = max(now, ledger.last_at)
    change.moments.append(ledger.append(verb, milestone=None, by=by, role=role, at=at, received_at=at, data=data))
    store.write(change)


def _role(order: Order, purpose: str, by: Actor) -> str:
    """The role that the event names (BadInput `unknown_purpose`; NotYours)."""
    allowed = PURPOSES.get(purpose)
    if allowed is None:
        known = "、".join(PURPOSES)
        raise BadInput.of("purpose", "unknown_purpose", _("照片用途应为其中之一：%(known)s") % {"known": known})
    roles = roles_towards(order, by)
    if not roles & allowed:
        raise NotYours(_("这种照片由处理这张工单的人来拍。"))
    return speaking_as(allowed, roles)


def _same(order_id: uuid.UUID, purpose: str, by: Actor, source: str) -> Attachment | None:
    return Attachment.objects.filter(order=order_id, purpose=purpose, by=by.code, source=source).first()


def _check_room(order_id: uuid.UUID, by: Actor) -> None:
    photos = Attachment.objects.filter(order=order_id, erased_at=None)
    most = MOST
    if by.track:
        photos, most = photos.filter(role="resident"), MOST_OF_REPORTER
    if photos.count() >= most:
        text = _("这张工单已有 %(n)d 张照片，不能再加。已有的都还在。")
        raise BadInput.of("file", "too_many_photos", text % {"n": most})


def _noted(picture: pictures.Picture, order: Order) -> dict[str, Any]:
    """When the camera says it was taken, and how far from the order's place, metres."""
    taken, point = picture.taken, picture.point
    if taken is not None and taken.tzinfo is None:
        taken = taken.replace(tzinfo=zone_of(order.district))
    place = Point(order.lon, order.lat) if order.lon is not None and order.lat is not None else None
    return {
        "taken_at": taken.astimezone(UTC) if taken is not None else None,
        "distance_m": round(distance_m(point, place)) if point is not None and place is not None else None,
    }


def sealed_point(photo: uuid.UUID, point: Point | None) -> bytes:
    """A position as it is stored: `lon,lat`, bound to its photo."""
    return seal(f"{point.lon:.6f},{point.lat:.6f}", context=f"attachment:{photo}:point") if point else b""


def point_of(photo: Attachment) -> Point | None:
    """Where the camera said it stood, for an audit; None where it said nothing, or it was erased."""
    if not photo.point:
        return None
    lon, lat = unseal(photo.point, context=f"attachment:{photo.pk}:point").split(",")
    return Point(float(lon), float(lat))


def to_say_with(order_id: uuid.UUID, verb: str) -> list[str]:
    """The ids of the photos that go with `verb`, the newest first, at most twenty: those of this round.

    What was named before the order came back is not named again; a second press of the same button names the same.
    """
    wanted = Attachment.objects.filter(order=order_id, erased_at=None, purpose__in=WITH_VERB.get(verb, ()))
    events = Event.objects.filter(order=order_id)
    reopened = events.filter(verb="reopen").aggregate(last=Max("version"))["last"] or 0
    said = events.filter(verb=verb, version__lt=reopened)
    named = {one for event in said for one in event.data.get("attachments", ())}
    return [pk for pk in (str(photo.pk) for photo in wanted.order_by("-id")) if pk not in named][:20]


def erase(order: Order, *, by: Actor | None = None, now: datetime | None = None) -> int:
    """Erase all photos of an order; returns how many.  The chain holds afterwards: an event says which are gone.

    In a transaction of the caller's, the files go when it commits.  `by` None: a rule of keeping, without a person.
    """
    now = now or timezone.now()
    with transaction.atomic():
        fresh = Order.objects.select_for_update(of=("self",), no_key=True).get(pk=order.pk)
        photos = list(Attachment.objects.filter(order=fresh, erased_at=None).order_by("id"))
        if not photos:
            return 0
        Attachment.objects.filter(pk__in=[photo.pk for photo in photos]).update(
            erased_at=now, point=b"", taken_at=None, distance_m=None, source=""
        )
        roles = roles_towards(fresh, by) if by is not None else frozenset()
        role = speaking_as(PEOPLE, roles) if roles else RULE
        code = by.code if by is not None else "rule:privacy"
        data = {"attachments": [str(photo.pk) for photo in photos]}
        _observe(fresh, "erase", by=code, role=role, data=data, now=now)
        transaction.on_commit(lambda: _delete(photos), robust=True)
    order.refresh_from_db(fields=["version", "acted_version", "head"])
    return len(photos)


def _delete(photos: Iterable[Attachment]) -> None:
    gone = [photo.pk for photo in photos if photofiles.delete(photo.pk)]
    Attachment.objects.filter(pk__in=gone).update(kept=False)


def sweep(now: datetime) -> int:
    """Delete files that a crash left: of erased photos, and of the last week's photos that have no row.

    Returns how many photos' files were deleted.  A folder younger than an hour may be in the middle of something.
    """
    waiting = list(Attachment.objects.filter(erased_at__isnull=False, kept=True)[:1000])
    _delete(waiting)
    orphans: list[uuid.UUID] = []
    for days in range(SWEPT_DAYS + 1):
        there = [
            photo
            for photo in photofiles.on_day((now - timedelta(days=days)).astimezone(UTC).date())
            if photofiles.made_at(photo) < now - ORPHAN_AFTER
        ]
        known = set(Attachment.objects.filter(pk__in=there).values_list("pk", flat=True))
        orphans += [photo for photo in there if photo not in known]
    for orphan in orphans:
        photofiles.delete(orphan)
    if waiting or orphans:
        log.info("photos cleared up: %d erased, %d without a row", len(waiting), len(orphans))
    return len(waiting) + len(orphans)
