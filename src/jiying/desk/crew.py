"""`/desk/workers`: a company's people, who of them is at work, and what they have in hand."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jiying.dispatch import saying, surges
from jiying.dispatch.models import Surge
from jiying.estates.actions import switch_duty
from jiying.estates.models import Worker
from jiying.estates.queries import of_company, with_duty, zone_of
from jiying.orders.models import Order
from jiying.orders.states import OPEN
from jiying.pages.gates import only
from jiying.people.scopes import scope_of

in_charge = only("company", "manager")
MOST = 300


@dataclass(frozen=True, slots=True)
class Hand:
    """One line: `until` is set where somebody switched their duty."""

    worker: Worker
    on: bool
    until: datetime | None
    load: int
    skills: str


@require_safe
@in_charge
def people(request: HttpRequest) -> HttpResponse:
    """Those at work first; five queries."""
    now = timezone.now()
    workers = list(with_duty(of_company(scope_of(request.user)), now).order_by("name", "pk")[:MOST])
    busy = Order.objects.filter(worker__in=[worker.pk for worker in workers], state__in=sorted(OPEN)).order_by()
    load = Counter(dict(busy.values_list("worker_id").annotate(n=Count("pk"))))
    zone = zone_of(workers[0].company.district) if workers else timezone.get_current_timezone()
    hands = sorted(
        (_hand(worker, load[worker.pk], now) for worker in workers), key=lambda hand: (not hand.on, hand.worker.name)
    )
    with timezone.override(zone):
        on_n = sum(hand.on for hand in hands)
        context = {"hands": hands, "on_n": on_n, "off_n": len(hands) - on_n, "surge": _surge(workers)}
        return render(request, "desk/workers.html", context)


def _surge(workers: list[Worker]) -> Surge | None:
    """The surge that runs where they work."""
    found = (surges.running(district) for district in sorted({worker.company.district for worker in workers}))
    return next(filter(None, found), None)


def _hand(worker: Worker, load: int, now: datetime) -> Hand:
    holding = [change for change in worker.duty_changes.all() if change.at <= now < change.until]
    on = worker.on_duty(now, zone_of(worker.company.district))
    skills = saying.listed(str(saying.TRADES.get(code, code)) for code in worker.skills)
    return Hand(worker, on, holding[-1].until if holding else None, load, skills)


@require_POST
@in_charge
def switch(request: HttpRequest, worker_id: uuid.UUID) -> HttpResponse:
    """Switch one of the company's people on or off duty (`on`: yes or no)."""
    worker = of_company(scope_of(request.user)).filter(pk=worker_id).first()
    if worker is None:
        raise Http404
    on = request.POST.get("on") == "yes"
    switch_duty(worker, on, by=request.user)  # type: ignore[arg-type]
    said = _("%(name)s 已上岗。") if on else _("%(name)s 已离岗，不会再派单给他。")
    messages.success(request, said % {"name": worker.name})
    return redirect("/desk/workers")
