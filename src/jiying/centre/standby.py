"""`/centre/standby`: who might wait where they would be missed, who was asked to, and what they said."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jiying.core.errors import JiyingError, NotFound
from jiying.dispatch.models import Standby
from jiying.dispatch.standby import actions, queries, saying
from jiying.estates.queries import the_district, zone_of
from jiying.pages.gates import only, signed_in
from jiying.people.models import User
from jiying.people.scopes import scope_of

in_charge = only("operator", "supervisor", "district", "company", "manager")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: why, how far, and what became of it, in words."""

    one: Standby
    why: str
    way: str
    ended: str
    tone: str


TONES = {"suggested": "plain", "asked": "brand", "accepted": "good", "declined": "paused", "ended": "plain"}


def _row(one: Standby) -> Row:
    return Row(one, saying.why(one), saying.way(one), saying.ended(one), TONES[one.state])


@require_safe
@in_charge
def show(request: HttpRequest) -> HttpResponse:
    """What is suggested, asked and accepted, then what was said or ended in shifts that still run; two queries."""
    live, past = queries.shown(signed_in(request), timezone.now())
    first = next(iter([*live, *past]), None)
    district = first.district if first is not None else getattr(the_district(), "code", "")
    roles = scope_of(request.user).roles
    with timezone.override(zone_of(district)):
        context = {
            "live": [_row(one) for one in live],
            "past": [_row(one) for one in past],
            "back": "/centre" if roles & {"operator", "supervisor", "district"} else "/desk/workers",
        }
        return render(request, "centre/standby.html", context)


def _changed(request: HttpRequest, change: Callable[[User], Standby], said: str) -> HttpResponse:
    try:
        one = change(signed_in(request))
    except NotFound:
        raise Http404 from None
    except JiyingError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, said % {"name": one.worker.name})
    return redirect("/centre/standby")


@require_POST
@in_charge
def ask(request: HttpRequest, standby_id: uuid.UUID) -> HttpResponse:
    """Ask somebody to wait there."""
    return _changed(request, lambda by: actions.ask(standby_id, by=by), _("已问 %(name)s，等他答复。"))


@require_POST
@in_charge
def answer(request: HttpRequest, standby_id: uuid.UUID) -> HttpResponse:
    """Note what somebody said on the telephone (`yes`: yes or no)."""
    yes = actions.SAID.get(request.POST.get("yes", ""))
    said = _("已记下：%(name)s 答应了。") if yes else _("已记下：%(name)s 不去。")
    return _changed(request, lambda by: actions.answer(standby_id, yes=yes, by=by), said)


@require_POST
@in_charge
def take_back(request: HttpRequest, standby_id: uuid.UUID) -> HttpResponse:
    """It is not needed any more."""
    return _changed(request, lambda by: actions.take_back(standby_id, by=by), _("已收回，%(name)s 不用去了。"))
