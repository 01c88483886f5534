"""Coming to work and leaving, and saying that one cannot go."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jiying.core.errors import JiyingError, NotFound
from jiying.dispatch import actions
from jiying.estates.actions import switch_duty
from jiying.estates.models import Worker
from jiying.orders.actors import Actor
from jiying.worker.queries import may_decline, own_order
from jiying.worker.views import for_workers, refused_order


@require_POST
@for_workers
def switch(request: HttpRequest) -> HttpResponse:
    """Switch oneself on or off duty (`on`: yes or no)."""
    worker = Worker.objects.select_related("company").filter(user=request.user, active=True).first()
    if worker is None:
        messages.error(request, _("您的账号没有关联维修工，请找企业前台登记。"))
        return redirect("/worker")
    on = request.POST.get("on") == "yes"
    switch_duty(worker, on, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("已上岗，可以派单给您。") if on else _("已离岗，不会再派单给您。"))
    return redirect("/worker")


@require_POST
@for_workers
def decline(request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
    """Say that one cannot go to an order one was sent to, and why."""
    row = own_order(order_id, request.user)
    if row is None or not may_decline(row, request.user):
        raise Http404
    try:
        actions.decline(
            order_id,
            by=Actor.of(request.user),
            reason=request.POST.get("reason", ""),
            key=request.POST.get("idempotency_key", "")[:200],
        )
    except NotFound:
        raise Http404 from None
    except JiyingError as error:
        return refused_order(request, row, error)
    messages.success(request, _("已记下，正在改派；没有别人之前这单还在您名下。"))
    return redirect(f"/worker/orders/{order_id}")
