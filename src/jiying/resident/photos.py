"""Photos on the tracking page: its reporter adds some and sees them; a link alone shows neither."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jiying.core import limits
from jiying.core.errors import BadCode, JiyingError, RateLimited
from jiying.orders.actors import TRACKER, Actor
from jiying.orders.models import Attachment, Order
from jiying.orders.photofiles import FULL
from jiying.orders.queries import by_track
from jiying.pages import photoforms
from jiying.pages.albums import for_reporter
from jiying.pages.photoanswers import photo_page
from jiying.resident import mine


@require_POST
def add(request: HttpRequest, token: str) -> HttpResponse:
    """Keep the photos of a form, or the one of a script, with the order."""
    order = by_track(token)
    if order is None:
        raise Http404
    try:
        _prove(request, order)
        _count(request)
    except JiyingError as error:
        if photoforms.asks_json(request):
            return photoforms.refusal(error)
        photoforms.tell(request, photoforms.Taken([], [error]))
        return redirect(f"/t/{token}")
    taken = photoforms.take(request, order.pk, "report", speaker(request, order))
    return photoforms.answer(request, taken, f"/t/{token}")


@require_safe
def see(request: HttpRequest, token: str, photo_id: uuid.UUID) -> HttpResponse:
    """One photo, for whoever reported the order."""
    order = by_track(token)
    photo = Attachment.objects.filter(pk=photo_id, order=order.pk).first() if order is not None else None
    if order is None or photo is None or not mine.is_proven(request, order) or not for_reporter(photo):
        raise Http404
    return photo_page(order.pk, photo_id, request.GET.get("size", FULL))


def speaker(request: HttpRequest, order: Order) -> Actor:
    """Who adds a photo: the account that reported the order, or the holder of its link."""
    return Actor.of(request.user) if order.reporter_id and order.reporter_id == request.user.pk else TRACKER


def _prove(request: HttpRequest, order: Order) -> None:
    """Refuse who holds the link alone (BadCode)."""
    if not mine.is_proven(request, order):
        raise BadCode(_("照片只给报修人看。请先在这一页输入报修电话的后四位。"))


def _count(request: HttpRequest) -> None:
    seconds = limits.allow(request.META["REMOTE_ADDR"])
    if seconds is not None:
        text = _("短时间内提交太多，照片过 %(n)d 秒再传。报修已经收到。")
        raise RateLimited(text % {"n": seconds}, retry_after=seconds)
