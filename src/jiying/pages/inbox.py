"""`/inbox`: what wants an answer from me, why me, until when.  Reading is not doing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from jiying.core.errors import NotFound
from jiying.dispatch.standby import saying
from jiying.notices.actions import mark_read
from jiying.notices.models import Notice
from jiying.notices.queries import asked_to_wait, inbox, open_count
from jiying.notices.surging import calls, mark_known
from jiying.notices.telling import REPLACED
from jiying.notices.wording import asks_of
from jiying.pages.shown import HeadlineClock


@dataclass(frozen=True, slots=True)
class Row:
    """A notice as the page shows it."""

    notice: Notice
    asks: str
    href: str
    clock: HeadlineClock | None

    @property
    def order(self) -> Any:
        """The order it is about."""
        return self.notice.order


def row_of(notice: Notice) -> Row:
    """The words, the way and the clock of a notice."""
    if notice.why == REPLACED:
        return Row(notice, asks_of(notice), "", None)
    room = "worker" if notice.why == "worker" else "desk"
    return Row(notice, asks_of(notice), f"/{room}/orders/{notice.order_id}", _clock(notice))


def _clock(notice: Notice) -> HeadlineClock | None:
    if notice.until is None or notice.done_at is not None:
        return None
    # From being told to the due time: what was told after it has no time left.
    begun = min(notice.created_at, notice.until)
    minutes = max((notice.until - begun).total_seconds() / 60, 1)
    return HeadlineClock(notice.promise, "running", begun, notice.until, minutes)


def _signed_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    return never_cache(login_required(view))


@_signed_in
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """What waits, most pressing first, then what was answered lately."""
    waiting, answered = inbox(request.user)  # type: ignore[arg-type]
    standby = asked_to_wait(request.user)  # type: ignore[arg-type]
    return render(
        request,
        "pages/inbox.html",
        {
            "waiting": [row_of(notice) for notice in waiting],
            "standby": standby,
            "why": saying.why(standby) if standby else "",
            "answered": [row_of(notice) for notice in answered],
            "unread": sum(notice.read_at is None for notice in waiting),
            "calls": calls(request.user),  # type: ignore[arg-type]
        },
    )


@_signed_in
@require_GET
def count(request: HttpRequest) -> HttpResponse:
    """`{"count": n}`: how much waits, for the number beside the inbox."""
    return JsonResponse({"count": open_count(request.user)})  # type: ignore[arg-type]


@_signed_in
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Mark the notices named by `id` as read, or all when none is named; ids that are none are passed over."""
    asked = request.POST.getlist("id")
    done = mark_read(request.user, _ids(asked) if asked else None)  # type: ignore[arg-type]
    if done:
        text = ngettext("%(n)d 条标为已读。", "%(n)d 条标为已读。", done)
        messages.success(request, text % {"n": done})
    return redirect("/inbox")


@_signed_in
@require_POST
def know(request: HttpRequest, surge_id: uuid.UUID) -> HttpResponse:
    """Say that one knows of a surge; one that is over is no mistake."""
    with suppress(NotFound):
        mark_known(request.user, surge_id)  # type: ignore[arg-type]
    return redirect("/inbox")


def _ids(asked: list[str]) -> list[uuid.UUID]:
    found = []
    for text in asked[:500]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
