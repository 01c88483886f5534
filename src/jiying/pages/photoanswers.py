"""A picture as an answer, after its door has said that the asker may see its order."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from jiying.core.errors import NotFound, StoreDown
from jiying.orders import photofiles
from jiying.orders.models import Attachment


def photo_page(order_id: uuid.UUID, photo_id: uuid.UUID, size: str) -> HttpResponse:
    """`photo_answer` at a page's address: what is not there is a page's 404 (StoreDown: 503, come again)."""
    try:
        return photo_answer(order_id, photo_id, size)
    except NotFound as error:
        raise Http404 from error
    except StoreDown as error:
        return HttpResponse(error.detail, status=error.status, headers={"Retry-After": "5"})


def photo_answer(order_id: uuid.UUID, photo_id: uuid.UUID, size: str) -> HttpResponse:
    """The file of a photo of this order, `full` or `small`; kept by nobody but the asker's own browser, for a while.

    Raises:
        NotFound: no such photo or size, erased, or its file is gone.  StoreDown.
    """
    photo = Attachment.objects.filter(pk=photo_id, order=order_id, erased_at=None).first()
    data = photofiles.read(photo.pk, size) if photo is not None and size in photofiles.SIZES else None
    if data is None:
        raise NotFound(_("没有这张照片，或者它已按规定删除。"))
    response = HttpResponse(data, content_type=photofiles.MEDIA_TYPE)
    response.headers["Content-Disposition"] = f'inline; filename="{photo_id}.jpg"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # The bytes never change; who may see them can, so a browser asks again after an hour.
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response
