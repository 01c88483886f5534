"""Saying yes or no to waiting elsewhere."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jiying.core.errors import JiyingError, NotFound
from jiying.dispatch.standby import actions
from jiying.pages.gates import signed_in
from jiying.worker.views import for_workers


@require_POST
@for_workers
def answer(request: HttpRequest, standby_id: uuid.UUID) -> HttpResponse:
    """Say whether one goes (`yes`: yes or no); saying it again changes nothing."""
    yes = actions.SAID.get(request.POST.get("yes", ""))
    try:
        actions.answer(standby_id, yes=yes, by=signed_in(request))
    except NotFound:
        raise Http404 from None
    except JiyingError as error:
        messages.error(request, error.detail)
    else:
        said = _("好，路上注意安全；到了等着就行，有急修会派给您。") if yes else _("好，不去；这一班不再问您。")
        messages.success(request, said)
    return redirect("/worker")
