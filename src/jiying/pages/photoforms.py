"""Photos that a page sends: several with a plain form, or one by one by its script.

A script asks for JSON and gets `{id}`, or `{detail, code}` with the refusal's status; a plain form is sent on to its
page, with what could not be kept as messages.  One photo that is refused stops none of the others.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from jiying.core.errors import BadInput, JiyingError
from jiying.core.pictures import MAX_BYTES
from jiying.orders import attachments
from jiying.orders.actors import Actor
from jiying.orders.models import Attachment

FIELD = "photos"
MOST_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of the photos in a request."""

    photos: list[Attachment]
    errors: list[JiyingError]


def asks_json(request: HttpRequest) -> bool:
    """Whether a script asks."""
    return "application/json" in request.headers.get("Accept", "")


def take(request: HttpRequest, order_id: uuid.UUID, purpose: str, by: Actor) -> Taken:
    """Keep the photos of a request with an order, each for itself."""
    files = request.FILES.getlist(FIELD)
    key = request.headers.get("Idempotency-Key", "") if len(files) == 1 else ""
    taken = Taken([], [])
    for file in files[:MOST_AT_ONCE]:
        try:
            data = file.read(MAX_BYTES + 1)
            taken.photos.append(attachments.add(order_id, data, purpose=purpose, by=by, key=key)[0])
        except JiyingError as error:
            taken.errors.append(error)
    if len(files) > MOST_AT_ONCE:
        text = _("一次最多传 %(n)d 张照片，后面的没有收下，请再传一次。")
        taken.errors.append(BadInput.of(FIELD, "too_many_photos", text % {"n": MOST_AT_ONCE}))
    return taken


def answer(request: HttpRequest, taken: Taken, back: str) -> HttpResponse:
    """JSON for a script; for a plain form the page at `back`, with messages."""
    if not taken.photos and not taken.errors:
        taken.errors.append(BadInput.of(FIELD, "required", _("还没有选照片。")))
    if asks_json(request):
        return refusal(taken.errors[0]) if taken.errors else JsonResponse({"id": str(taken.photos[0].pk)}, status=201)
    tell(request, taken)
    return redirect(back)


def refusal(error: JiyingError) -> HttpResponse:
    """A refusal for a script: `{detail, code}`."""
    code = error.first_code if isinstance(error, BadInput) else error.code
    return JsonResponse({"detail": error.detail, "code": code}, status=error.status)


def tell(request: HttpRequest, taken: Taken) -> None:
    """Say on the next page what became of the photos."""
    if taken.photos:
        messages.success(request, _("%(n)d 张照片已收到。") % {"n": len(taken.photos)})
    for sentence in dict.fromkeys(error.detail for error in taken.errors):
        messages.error(request, sentence)
