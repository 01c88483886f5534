"""The surge of a district: when it begins and ends, what a person says about it, and who reads that it runs.

The rule is `engine.surging.runs`, followed by whoever keeps the worlds (`keeping`), once a minute.  That one runs
stands in the database: restarts and other processes agree.  A person of the centre goes before the rule, for `HOLDS` at
most.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core.errors import NotYours
from jiying.core.text import clean
from jiying.dispatch import outlooks
from jiying.dispatch.engine.outlook import Outlook
from jiying.dispatch.engine.surging import recall, runs
from jiying.dispatch.models import Surge, SurgeSwitch, Task
from jiying.dispatch.plan import FREE, NOBODY_FITS
from jiying.estates.models import Division, Level
from jiying.orders.models import Clock, Order
from jiying.people.models import User
from jiying.people.scopes import scope_of

HOLDS = timedelta(hours=4)
"""What a person said about a surge holds so long at most: half a shift, so that a forgotten one does not last."""

READ_EVERY_S = 20.0

_kept: tuple[float, dict[str, Surge]] | None = None


def running(district: str) -> Surge | None:
    """The surge that runs in `district`; what changes counts in every process within twenty seconds."""
    return _running().get(district)


def districts() -> set[str]:
    """The districts in which one runs."""
    return set(_running())


def _running() -> dict[str, Surge]:
    global _kept
    clock, kept = time.monotonic(), _kept
    if kept is None or clock - kept[0] >= READ_EVERY_S:
        # Another thread may forget at any moment; what was read here is answered all the same.
        kept = _kept = clock, {one.district: one for one in Surge.objects.filter(ended_at=None)}
    return kept[1]


def forget() -> None:
    """Read anew which run."""
    global _kept
    _kept = None


def make_safe_first(order: Order, clocks: Iterable[Clock]) -> bool:
    """Whether who goes to `order` is to make it safe and leave the repair for later: an emergency whose pack asks for
    that, as its clock says, while a surge runs.
    """
    waits = any(one.promise == "made_safe" and one.reached_at is None and one.state != "void" for one in clocks)
    return waits and order.urgency == "emergency" and running(order.district) is not None


def waits_behind(order: Order) -> bool:
    """Whether `order` is an ordinary repair that nobody has while a surge runs: emergencies go first."""
    free = order.worker_id is None and order.state in FREE
    return free and order.kind == "repair" and order.urgency != "emergency" and running(order.district) is not None


def follow(district: str, known: Outlook | None, now: datetime) -> None:
    """Begin or end the surge of `district` by what is known of it at `now` (None: it has no people), and note how high
    it goes.

    However many look: the row of the district is locked, and at most one surge runs.
    """
    with transaction.atomic():
        _lock(district)
        _settle(district, known, now)
    forget()


def _settle(district: str, known: Outlook | None, now: datetime) -> None:
    load, wanted = (known.load, recall(known)) if known is not None else (0.0, 0)
    one = Surge.objects.filter(district=district, ended_at=None).first()
    said = switched(district, now)
    on = runs(one is not None, load, None if said is None else said.on)
    if one is None and on:
        Surge.objects.create(district=district, began_at=now, peak=load, most_recalled=wanted)
        # For whom nobody was found the wider pools may have somebody, once every process knows of them.
        anew = now + timedelta(seconds=READ_EVERY_S)
        Task.objects.filter(district=district, why=NOBODY_FITS, due_at__gt=anew).update(due_at=anew)
    elif one is not None and on:
        one.peak, one.most_recalled = max(one.peak, load), max(one.most_recalled, wanted)
        one.save(update_fields=["peak", "most_recalled"])
    elif one is not None:
        one.ended_at = max(now, one.began_at)
        one.save(update_fields=["ended_at"])


def _lock(district: str) -> None:
    """One at a time in this district.  On SQLite whoever writes is alone anyway."""
    rows = Division.objects.select_for_update(no_key=True).filter(level=Level.DISTRICT, code=district)
    list(rows.values_list("pk"))


def switched(district: str, now: datetime) -> SurgeSwitch | None:
    """What a person said about the surge of `district` and still holds at `now`."""
    rows = SurgeSwitch.objects.filter(district=district, until__gt=now, undone_at=None)
    return rows.select_related("by").order_by("-at", "-pk").first()


def may_switch(user: User, district: str) -> bool:
    """Whether `user` speaks for the centre of `district`."""
    return district in scope_of(user).centred


def switch(district: str, on: bool, *, by: User, reason: object, now: datetime | None = None) -> SurgeSwitch:
    """Say that a surge runs or that none does, whatever the load, for `HOLDS`.  Saying the same again changes nothing.

    Raises:
        NotYours: not of that district's centre.  BadInput: no reason.
    """
    _check(by, district)
    words = clean(reason, field="reason", max_chars=200, single_line=True)
    now = now or timezone.now()
    with transaction.atomic():
        _lock(district)
        held = switched(district, now)
        if held is not None and held.on == on:
            return held
        _undo(district, by, now)
        made = SurgeSwitch.objects.create(district=district, on=on, by=by, reason=words, at=now, until=now + HOLDS)
        _settle(district, outlooks.of(district, now), now)
    forget()
    return made


def undo(district: str, *, by: User, now: datetime | None = None) -> bool:
    """Leave it to the rule again; whether anything had been said.  What runs goes on until the rule ends it.

    Raises:
        NotYours: not of that district's centre.
    """
    _check(by, district)
    now = now or timezone.now()
    with transaction.atomic():
        _lock(district)
        return _undo(district, by, now) > 0


def _undo(district: str, by: User, now: datetime) -> int:
    held = SurgeSwitch.objects.filter(district=district, until__gt=now, undone_at=None)
    return held.update(undone_at=now, undone_by=by)


def _check(by: User, district: str) -> None:
    if not may_switch(by, district):
        raise NotYours(_("只有本区指挥中心的人可以开启或结束高峰模式。"))
