"""`/centre/channels`: how the ways out of the house stand, and the switch that stops one."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jiying.core.errors import BadInput, NotFound
from jiying.estates.queries import the_district, zone_of
from jiying.notices.actions import start_channel, stop_channel
from jiying.notices.queries import standing
from jiying.pages.gates import only, signed_in
from jiying.pages.words import word
from jiying.people import audit

_CHANGES = {"stop": stop_channel, "start": start_channel}


@require_safe
@only("operator", "supervisor", "district")
def show(request: HttpRequest) -> HttpResponse:
    """Every channel: set up, at work or stopped, what waits, what failed."""
    return _page(request)


@require_POST
@only("operator", "supervisor")
def switch(request: HttpRequest, channel: str, change: str) -> HttpResponse:
    """Stop or start a channel, for a reason that goes on the audit."""
    if change not in _CHANGES:
        raise Http404
    try:
        _CHANGES[change](
            channel, by=signed_in(request), reason=request.POST.get("reason"), origin=audit.origin_of(request)
        )
    except NotFound:
        raise Http404 from None
    except BadInput as error:
        return _page(request, {"channel": channel, "message": error.detail}, error.status)
    said = _("%(channel)s已停用：到时的通知会等着，启用后再发。") if change == "stop" else _("%(channel)s已启用。")
    messages.success(request, said % {"channel": word("told_by", channel)})
    return redirect("/centre/channels")


def _page(request: HttpRequest, refused: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
    with timezone.override(zone_of(getattr(the_district(), "code", ""))):
        context = {"channels": standing(timezone.now()), "refused": refused}
        return render(request, "centre/channels.html", context, status=status)
