"""Photos of an order: sending one, listing them, and the pictures themselves.

A picture has no public address: each is asked for by somebody who has the order in scope, and is read from the store
for this one answer.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router

from jiying.api import schemas
from jiying.api.answers import json_answer
from jiying.api.asking import SignedIn, asker
from jiying.api.bodies import key_of
from jiying.core.errors import BadInput, NotFound
from jiying.core.pictures import MAX_BYTES
from jiying.core.times import rfc3339
from jiying.estates.queries import zone_of
from jiying.orders import attachments, photofiles, queries
from jiying.orders.actors import Actor
from jiying.orders.models import Attachment, Order
from jiying.pages.photoanswers import photo_answer

router = Router(tags=["attachments"])


@router.post(
    "/{order_id}/attachments",
    auth=SignedIn(),
    response={201: schemas.Attachment, 200: schemas.Attachment},
    openapi_extra=schemas.takes_file(),
    summary="Send a photo",
)
def attach(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """JPEG, PNG or WebP, told by content; kept as a JPEG without what the camera wrote beside it.  201 with the new
    photo; 200 when it came before: the same bytes for the same purpose from the same sender are one photo.
    """
    order, by, key = _visible(request, order_id), Actor.of(asker(request)), key_of(request)
    photo, is_new = attachments.add(order.pk, file_of(request), purpose=purpose_of(request), by=by, key=key)
    return json_answer(attachment_json(photo), status=201 if is_new else 200)


@router.get("/{order_id}/attachments", auth=SignedIn(), response=schemas.Attachments, summary="List an order's photos")
def attached(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """All photos of an order that were not erased, the first one first."""
    order = _visible(request, order_id)
    photos = queries.photos_of([order.pk])[order.pk]
    return json_answer({"items": [attachment_json(photo) for photo in photos], "next": None})


@router.get(
    "/{order_id}/attachments/{attachment_id}",
    auth=SignedIn(),
    openapi_extra=schemas.answers_picture(),
    summary="See a photo",
)
def picture(request: HttpRequest, order_id: uuid.UUID, attachment_id: uuid.UUID) -> HttpResponse:
    """A JPEG, at most 2560 pixels long, or 320 with `?size=small`."""
    order = _visible(request, order_id)
    return photo_answer(order.pk, attachment_id, request.GET.get("size", photofiles.FULL))


def _visible(request: HttpRequest, order_id: uuid.UUID) -> Order:
    order = Order.objects.visible_to(asker(request)).filter(pk=order_id).only("pk").first()
    if order is None:
        raise NotFound(_("没有找到这张工单。"))
    return order


def file_of(request: HttpRequest) -> bytes:
    """The bytes of the field `file` of a multipart body (BadInput `required`)."""
    file = request.FILES.get("file")
    if file is None:
        raise BadInput.of("file", "required", _("请用 multipart/form-data 的 file 字段附上照片。"))
    # One byte more tells what is too large from what just fits.
    data: bytes = file.read(MAX_BYTES + 1)
    return data


def purpose_of(request: HttpRequest) -> str:
    """What the photo is for; `other` unless said."""
    return str(request.POST.get("purpose") or "other")[:20]


def attachment_json(photo: Attachment) -> dict[str, Any]:
    """A photo as everybody sees it who may see its order: nothing of what the camera noted."""
    return {
        "id": str(photo.pk),
        "url": f"/api/v1/orders/{photo.order_id}/attachments/{photo.pk}",
        "purpose": photo.purpose,
        "width": photo.width,
        "height": photo.height,
        "role": photo.role,
        "at": rfc3339(photo.at, zone_of(photo.district)),
    }
