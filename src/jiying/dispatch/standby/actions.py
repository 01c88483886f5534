"""Writes about those who wait elsewhere.  Nobody is moved against their word.

Each change is one UPDATE that holds only from the state it was decided on: of two clicks, two operators or two keepers
one has its way, and the other is told, or changes nothing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core.errors import BadInput, NotFound, StaleVersion
from jiying.dispatch.engine.travel import straight_m
from jiying.dispatch.engine.world import Spot
from jiying.dispatch.standby.limits import ASKS, BEFORE_END, BETWEEN
from jiying.dispatch.standby.models import LIVE, Stand, Standby, Wish
from jiying.dispatch.standby.saying import OFF_DUTY, ORDER, SILENT, TAKEN_BACK
from jiying.dispatch.standby.settings import may_move
from jiying.estates.duty import on_until
from jiying.estates.models import Worker
from jiying.estates.queries import with_duty, zone_of
from jiying.orders.models import Event, Order
from jiying.orders.states import IMPORT, IN_HAND
from jiying.people.models import User

if TYPE_CHECKING:
    from jiying.dispatch.standby.seeking import Found

SILENT_AFTER = timedelta(minutes=15)
"""Who has not answered by then is not waited for."""

KEPT = timedelta(days=90)
"""So long after the shift it stays, to see what became of it; where somebody was a year ago is nobody's business."""

SAME_M = 1000.0
"""A suggestion whose place moves less than this stays as it was: nobody reads a list that jumps."""

_NAMED = {"assign": (Stand.SUGGESTED, Stand.ASKED), "take": (Stand.SUGGESTED, Stand.ASKED)}
_LEFT = {"depart": LIVE, "arrive": LIVE}


def put(district: str, found: Sequence[Found], off: set[uuid.UUID], now: datetime) -> None:
    """Keep what `seeking` found beside what was asked; `off`: who is not at work.  Asks where a rule may.

    A suggestion nobody acted on leaves nothing behind.
    """
    rows = Standby.objects.filter(district=district)
    bound = rows.filter(state__in=(Stand.ASKED, Stand.ACCEPTED))
    with transaction.atomic():
        _end_of_others(district, now)
        rows.filter(until__lt=now - KEPT).delete()
        bound.filter(until__lte=now).update(state=Stand.ENDED, ended_at=now)
        late = bound.filter(state=Stand.ASKED, asked_at__lte=now - SILENT_AFTER)
        late.update(state=Stand.ENDED, ended_at=now, why=SILENT)
        gone = [pk for pk, worker in bound.values_list("pk", "worker_id") if worker in off]
        bound.filter(pk__in=gone).update(state=Stand.ENDED, ended_at=now, why=OFF_DUTY)
        old = {one.worker_id: one for one in rows.filter(state=Stand.SUGGESTED)}
        stay = {one.person.id for one in found if one.person.id in old and _same(old[one.person.id], one)}
        void = [one.pk for worker, one in old.items() if worker not in stay]
        rows.filter(pk__in=void, state=Stand.SUGGESTED).delete()
        new = [_row(district, one, now) for one in found if one.person.id not in stay]
        # Another keeper may have been faster.
        Standby.objects.bulk_create(new, ignore_conflicts=True)
    by_rule = [one.person.id for one in found if one.mode == Wish.ASK]
    if by_rule:
        _ask_by_rule(rows.filter(worker__in=by_rule, state=Stand.SUGGESTED, worker__user__isnull=False), now)


def _end_of_others(district: str, now: datetime) -> None:
    """Whoever has left, or works in another district now, waits nowhere in this one; what they were asked elsewhere
    would keep them from being asked here.
    """
    ours = Q(worker__active=True, worker__company__district=F("district"))
    rows = Standby.objects.filter(Q(district=district) | Q(worker__company__district=district)).exclude(ours)
    rows.filter(state=Stand.SUGGESTED).delete()
    # An UPDATE reads no other table.
    gone = list(rows.filter(state__in=LIVE).values_list("pk", flat=True))
    Standby.objects.filter(pk__in=gone, state__in=LIVE).update(state=Stand.ENDED, ended_at=now, why=OFF_DUTY)


def _same(kept: Standby, found: Found) -> bool:
    return straight_m(Spot(kept.lon, kept.lat), found.at) < SAME_M and kept.until == found.until


def _row(district: str, one: Found, now: datetime) -> Standby:
    return Standby(
        district=district, worker_id=one.person.id, estate_id=one.estate, lon=one.at.lon, lat=one.at.lat,
        skill=one.skill, town_id=one.town, reach=one.reach, metres=one.metres, minutes=one.minutes, until=one.until,
        suggested_at=now,
    )  # fmt: skip


def _ask_by_rule(rows: Any, now: datetime) -> None:
    for one in rows.select_related("worker__company"):
        try:
            _ask(one, None, now)
        except (BadInput, NotFound, StaleVersion):
            # Something has happened since it was worked out; the next look knows it.
            continue


def ask(standby_id: uuid.UUID, *, by: User, now: datetime | None = None) -> Standby:
    """Ask the worker of a suggestion; asking twice is asking once.

    Raises:
        NotFound: not there any more, or of others' people.  BadInput: `off_duty`, `at_work`, `too_often`, `too_soon`,
        `shift_ends`, `said_no`, `not_moved` (no mandate, or the setting says so).  StaleVersion: it was answered.
    """
    return _ask(_visible(standby_id, by), by, now or timezone.now())


def _visible(standby_id: uuid.UUID, by: User) -> Standby:
    found = Standby.objects.visible_to(by).select_related("worker__company").filter(pk=standby_id).first()
    if found is None:
        raise _not_there()
    return found


def _not_there() -> NotFound:
    return NotFound(_("这条待命建议已经不在了。"))


def _now(one: Standby) -> str:
    """Its state as it is by now.  A suggestion may have gone with its reason since it was read."""
    state = Standby.objects.filter(pk=one.pk).values_list("state", flat=True).first()
    if state is None:
        raise _not_there()
    return state


def _ask(one: Standby, by: User | None, now: datetime) -> Standby:
    if one.state == Stand.SUGGESTED:
        until = _check(one, now)
        changes = {"state": Stand.ASKED, "asked_at": now, "asked_by": by, "until": until}
        if _swap(one, (Stand.SUGGESTED,), **changes):
            return one
        one.state = _now(one)
    if one.state != Stand.ASKED:
        raise StaleVersion(_("他已经答复过，或者已经不用去了。"))
    return one


def _swap(one: Standby, sources: Sequence[str], **changes: Any) -> bool:
    """Compare-and-swap; whether it held."""
    if not Standby.objects.filter(pk=one.pk, state__in=sources).update(**changes):
        return False
    for name, value in changes.items():
        setattr(one, name, value)
    return True


def _check(one: Standby, now: datetime) -> datetime:
    """Until when the worker is at work, where they may be asked; the limits are those of the engine's prices."""
    worker = with_duty(Worker.objects.filter(pk=one.worker_id), now).select_related("company").get()
    switches, hours = [c.switch for c in worker.duty_changes.all()], [s.hours for s in worker.shifts.all()]
    zone = zone_of(one.district)
    until = on_until(hours, switches, now, zone)
    if until is None or not worker.active:
        raise _refused("off_duty", _("他现在不在班。"))
    if not may_move(one.district, now.astimezone(zone).date(), worker.pk):
        raise _refused("not_moved", _("按现在的设置，不请他去别处待命。"))
    if Order.objects.filter(worker=worker, state__in=sorted(IN_HAND)).exists():
        raise _refused("at_work", _("他手上有工单，不能去待命。"))
    if until - now < BEFORE_END:
        raise _refused("shift_ends", _("他还有不到一小时下班，不再请他去别处。"))
    earlier = list(Standby.objects.filter(worker=worker, until__gt=now).exclude(pk=one.pk))
    if any(other.state == Stand.DECLINED for other in earlier):
        raise _refused("said_no", _("他这一班说过不去。"))
    asked = [other.asked_at for other in earlier if other.asked_at is not None]
    if len(asked) >= ASKS:
        raise _refused("too_often", _("他这一班已经被请过 %(n)d 次。") % {"n": len(asked)})
    if any(now - at < BETWEEN for at in asked):
        raise _refused("too_soon", _("离上次请他还不到 45 分钟。"))
    return until


def _refused(code: str, message: str) -> BadInput:
    return BadInput.of("worker", code, message)


SAID = {"yes": True, "no": False}
"""What a form says.  A no holds for the shift: nothing else is taken for one."""


def answer(standby_id: uuid.UUID, *, yes: bool | None, by: User, now: datetime | None = None) -> Standby:
    """The worker says yes or no, or who may ask notes what they said on the telephone; saying it twice is saying it
    once, and a no can follow a yes.

    Raises:
        NotFound: neither theirs nor of their people.  BadInput: neither yes nor no.  StaleVersion: it is over.
    """
    at = now or timezone.now()
    one = Standby.objects.select_related("worker").filter(pk=standby_id, worker__user=by).first()
    one = one or _visible(standby_id, by)
    if yes is None:
        raise BadInput.of("yes", "required", _("请选择去还是不去。"))
    wanted = Stand.ACCEPTED if yes else Stand.DECLINED
    sources = (Stand.ASKED,) if yes else (Stand.ASKED, Stand.ACCEPTED)
    then = {"there_at": at + timedelta(minutes=one.minutes)} if yes else {"ended_at": at}
    if at < one.until and _swap(one, sources, state=wanted, answered_at=at, answered_by=by, **then):
        return one
    one.state = _now(one)
    if one.state != wanted:
        raise StaleVersion(_("已经不用去了。"))
    return one


def take_back(standby_id: uuid.UUID, *, by: User, now: datetime | None = None) -> Standby:
    """Who may ask says that it is not needed any more; taking back twice is taking back once.

    Raises:
        NotFound: as `ask`.  StaleVersion: nobody was asked.
    """
    one = _visible(standby_id, by)
    at = now or timezone.now()
    if not _swap(one, (Stand.ASKED, Stand.ACCEPTED), state=Stand.ENDED, ended_at=at, why=TAKEN_BACK):
        one.state = _now(one)
        if one.state != Stand.ENDED:
            raise StaleVersion(_("他已经说不去，或者还没有问他。"))
    return one


def overtake(events: Sequence[Event]) -> None:
    """What happens to orders goes before waiting: who is sent is not asked, who sets off waits no longer.

    One query for a batch that sends somebody, two for one in which somebody moves; a batch handled twice changes the
    same once.
    """
    ended, went = Q(), _went(events)
    for event in events:
        worker = event.data.get("worker") if event.verb in _NAMED else went.get(event.pk)
        states = _NAMED.get(event.verb) or _LEFT.get(event.verb)
        if states and worker and event.role != IMPORT:
            # What was said after the event is newer than it.
            since = Q(answered_at=None) | Q(answered_at__lt=event.received_at)
            ended |= Q(worker=worker, state__in=states, suggested_at__lt=event.received_at) & since
    if ended:
        Standby.objects.filter(ended).update(state=Stand.ENDED, ended_at=timezone.now(), why=ORDER)


def _went(events: Sequence[Event]) -> dict[int, str]:
    """Who set off or arrived, by the key of the event: who had the order then.  Meanwhile another may have it."""
    moves = [event for event in events if event.verb in _LEFT]
    if not moves:
        return {}
    sent: dict[uuid.UUID, list[Event]] = defaultdict(list)
    rows = Event.objects.filter(order__in={event.order_id for event in moves}, verb__in=tuple(_NAMED))
    for event in rows.order_by("version"):
        sent[event.order_id].append(event)
    found = {}
    for move in moves:
        before = [event for event in sent[move.order_id] if event.version < move.version]
        if before:
            found[move.pk] = str(before[-1].data["worker"])
    return found
