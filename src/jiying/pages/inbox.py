"""`/inbox`: what wants an answer from me, why me, until when.  Reading is not doing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise as Lazy
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from jiying.notices.actions import mark_read
from jiying.notices.models import Notice
from jiying.notices.queries import inbox, open_count
from jiying.notices.telling import REPLACED
from jiying.orders.store import pack_of
from jiying.pages import words
from jiying.pages.shown import HeadlineClock

_ASKS: dict[str, Lazy | str] = {
    "warn": _("快到时限：%(promise)s"),
    "breach": _("已超过时限：%(promise)s"),
    "escalate": _("请马上督促：%(promise)s"),
    "urge": _("有人催办，请尽快处理并回话"),
    "supervise": _("上级督办，请在期限前答复"),
    "assign": _("派给您的工单，请出发"),
    "reopen": _("居民说没修好，请返修"),
    "return": _("物业退单，请重新安排"),
    "note": _("派去的师傅说去不了，请改派"),
    "ask_centre": _("自动派工派不出去，请人工安排"),
}

#: What the dispatcher asks the centre for, by `step`.
_ASKED: dict[str, Lazy | str] = {
    "nobody": _("没有合适的人可派，请人工安排"),
    "not_departed": _("换过人了还没有人出发，请催促或改派"),
    "engine": _("派工引擎出了故障，已按最近的人派出，请核对"),
}
_REPLACED = _("已改派给别人，您不用去了")


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
        return Row(notice, str(_REPLACED), "", None)
    room = "worker" if notice.why == "worker" else "desk"
    return Row(notice, _asks(notice), f"/{room}/orders/{notice.order_id}", _clock(notice))


def _asks(notice: Notice) -> str:
    """What is asked: a rung of the ladder in the words of its rule pack, the rest in ours."""
    if notice.kind == "ask_centre":
        return str(_ASKED.get(notice.step, _ASKS["ask_centre"]))
    if notice.step:
        rung = next((rung for rung in pack_of(notice.order.pack).ladder if rung.step == notice.step), None)
        if rung is not None:
            return rung.names.en if (get_language() or "").startswith("en") else rung.names.zh
    return str(_ASKS[notice.kind]) % {"promise": words.word("promise", notice.promise)}


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
    return render(
        request,
        "pages/inbox.html",
        {
            "waiting": [row_of(notice) for notice in waiting],
            "answered": [row_of(notice) for notice in answered],
            "unread": sum(notice.read_at is None for notice in waiting),
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


def _ids(asked: list[str]) -> list[uuid.UUID]:
    found = []
    for text in asked[:500]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
