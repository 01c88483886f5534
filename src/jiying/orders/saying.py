"""Saying one verb about one order: what `act` and its bulk twin have in common."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from jiying.core.errors import StaleVersion
from jiying.core.geo import Point
from jiying.estates.models import PlantRoom, Worker
from jiying.orders.actors import Actor, helping, roles_for, speaking_as
from jiying.orders.chain import Moment
from jiying.orders.ladder import key_of
from jiying.orders.models import Attachment, EventText, Order
from jiying.orders.proof import Place, place_code
from jiying.orders.states import RULE
from jiying.orders.store import Change
from jiying.orders.texts import withhold
from jiying.orders.verbs import Context, Lookup, prepare, stopped_by_unsolved


class Database:
    """What verbs ask of the database (`verbs.Lookup`)."""

    def worker(self, worker_id: str) -> Worker | None:
        try:
            return Worker.objects.select_related("company").filter(pk=worker_id).first()
        except (ValidationError, ValueError):
            return None

    def worker_of(self, user_id: uuid.UUID) -> Worker | None:
        return Worker.objects.select_related("company").filter(user_id=user_id, active=True).first()

    def place(self, order: Order) -> Place:
        ids = [place for place in (order.building_id, order.estate_id) if place]
        if order.estate_id:
            # The sign of a plant room, unless the order is about another building.
            here = Q(building=order.building_id) | Q(building=None) if order.building_id else Q()
            ids += PlantRoom.objects.filter(here, estate=order.estate_id).values_list("pk", flat=True)
        point = Point(order.lon, order.lat) if order.lon is not None and order.lat is not None else None
        return Place(signs=frozenset(place_code(place) for place in ids), point=point)

    def photos(self, order: Order, ids: Sequence[str]) -> dict[str, str]:
        known = [pk for one in ids if (pk := _uuid(one)) is not None]
        found = Attachment.objects.filter(order=order.pk, erased_at=None, pk__in=known)
        return {str(pk): sm3 for pk, sm3 in found.values_list("pk", "sm3")}


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def say(
    change: Change,
    verb: str,
    *,
    by: Actor,
    at: datetime | None,
    now: datetime,
    data: dict[str, Any],
    lookup: Lookup,
    expected_version: int | None = None,
    noted: Mapping[str, Any] | None = None,
) -> Moment:
    """Check that `by` may say `verb` about the order now, and append its event to `change`.

    `at` None is the present: of two who speak at once, or of two machines, the clock of one may be a little
    behind what the other wrote, which is nobody's mistake.

    Raises:
        UnknownVerb, NotYours, StaleVersion, ImpossibleVerb, BadInput, BadCode.
    """
    order, ledger = change.order, change.ledger
    if at is None:
        at = now = max(now, ledger.last_at)
    if verb == "take":
        _tell_who_took_it(change, by, lookup)
    if stopped_by_unsolved(verb, data):
        # "Not solved" is not a verification that failed: it is the order coming back.
        ledger.permit(verb, roles_for(verb, order, by), expected_version)
        verb, data = "reopen", {"reason": data.get("reason") or _("居民表示没有解决。")}
    roles = roles_for(verb, order, by)
    row = ledger.permit(verb, roles, expected_version)
    ledger.check_time(at, now)
    role = speaking_as(row.roles, roles)
    public, private = withhold(
        prepare(
            verb,
            Context(
                order=order,
                ledger=ledger,
                role=role,
                user_id=by.scope.user_id,
                data=data,
                at=at,
                now=now,
                lookup=lookup,
                noted=noted or {},
                helping=helping(order, by.scope) if role == "helper" else frozenset(),
            ),
        )
    )
    moment = ledger.append(verb, milestone=row.reaches, by=by.code, role=role, at=at, received_at=now, data=public)
    change.moments.append(moment)
    change.texts += [
        EventText(order_id=order.id, version=moment.version, field=name, text=text, salt=salt)
        for name, (text, salt) in private.items()
    ]
    return moment


def _tell_who_took_it(change: Change, by: Actor, lookup: Lookup) -> None:
    """Tell a colleague who came too late who was first (StaleVersion with `taken_by`)."""
    order, taken = change.order, change.ledger.worker
    if taken and order.company is not None and order.company.organisation_id in by.scope.works_for:
        worker = lookup.worker(taken)
        name = worker.name if worker else ""
        raise StaleVersion(_("%(name)s 已经先接了这单。") % {"name": name}, taken_by=name)


_CHANGES_HANDS = frozenset({"assign", "take", "return", "reopen"})


def record(change: Change, verb: str, *, rule: str, data: dict[str, Any], now: datetime) -> Moment | None:
    """Keep an observation of `rule`, once for each `step` until the order changes hands; None when it is there."""
    ledger = change.ledger
    data = {**data, "round": sum(moment.verb in _CHANGES_HANDS for moment in ledger.moments)}
    if key_of(verb, data) in ledger.fired:
        return None
    at = max(now, ledger.last_at)
    moment = ledger.append(verb, milestone=None, by=f"rule:{rule}", role=RULE, at=at, received_at=at, data=data)
    change.moments.append(moment)
    return moment


def record_wrong_code(change: Change, by: Actor, now: datetime) -> Moment:
    """Keep a wrong arrival code: five of them close the door, and they are evidence."""
    ledger = change.ledger
    at = max(now, ledger.last_at)
    moment = ledger.append(
        "wrong_code",
        milestone=None,
        by=by.code,
        role=speaking_as(frozenset({"worker", "operator"}), roles_for("arrive", change.order, by)),
        at=at,
        received_at=at,
        data={"try": ledger.wrong_codes + 1},
    )
    change.moments.append(moment)
    return moment
