"""`/hooks/voice/…`: a telephone gateway says that somebody pressed a key.  The address itself is the proof."""

from __future__ import annotations

import json
import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from jiying.notices.packing import is_signed
from jiying.notices.sending import acknowledge


@csrf_exempt
@never_cache
@require_POST
def voice(request: HttpRequest, message_id: uuid.UUID, signature: str) -> HttpResponse:
    """204 whether or not a key was pressed: `key`, in a form or in JSON, is what was; 404 for a wrong address."""
    if not is_signed(message_id, signature):
        raise Http404
    if _key(request) and not acknowledge(message_id):
        raise Http404
    return HttpResponse(status=204)


def _key(request: HttpRequest) -> str:
    if request.content_type != "application/json":
        return request.POST.get("key", "")[:10]
    try:
        said = json.loads(request.body)
    except ValueError:
        return ""
    key = said.get("key") if isinstance(said, dict) else None
    return str(key)[:10] if key is not None else ""
