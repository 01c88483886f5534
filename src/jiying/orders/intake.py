"""How an order begins: `accept` takes one or many at once, checks each whole, and writes them together.

An order that is refused writes nothing and stops none of the others.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core import journal
from jiying.core.crypto import commit
from jiying.core.errors import BadInput, FieldError, JiyingError
from jiying.core.geo import Point, check_point
from jiying.core.ids import uuid7
from jiying.core.phones import parse_phone
from jiying.core.text import clean
from jiying.core.times import parse_rfc3339
from jiying.estates.queries import zone_of
from jiying.orders import contacts, group, idempotency
from jiying.orders.actors import Actor, speaking_as
from jiying.orders.drafts import Draft, Numbers, write_drafts
from jiying.orders.ledger import Ledger
from jiying.orders.models import Order, OrderText
from jiying.orders.places import Places, Spot, forget
from jiying.orders.proof import track_digest, track_token
from jiying.orders.states import IMPORT, PEOPLE
from jiying.orders.verbs import checked_category, checked_kind, checked_urgency
from jiying.rules import calendars, packs
from jiying.rules.pack import Pack

MAX_DESCRIPTION = 4000
CALL_WINDOW = timedelta(hours=24)
_WHERE = ("estate", "building", "town", "address", "point")
CITY_KM = 120.0
ESTATE_KM = 10.0


@dataclass(slots=True)
class NewOrder:
    """What somebody reports.  Times are RFC 3339 text or aware datetimes; `estate` is a code or an id.

    `reported_at`, `town`, `external_id` and `lot` are for imports and simulations, which are trusted with
    time; at the public doors they stay empty.  So do `due_at` and `knows`, which are an import's alone
    (`promises.Facts`).  `plain_time`: a replay's, of a place without a working calendar.
    """

    kind: Any = "repair"
    category: Any = ""
    description: Any = ""
    urgency: Any = None
    estate: Any = None
    building: Any = None
    unit: Any = None
    address: Any = None
    point: Any = None
    name: Any = None
    phone: Any = None
    appointment: Any = None
    called_at: Any = None
    channel: str = "page"
    reported_at: datetime | None = None
    town: str = ""
    external_id: str = ""
    lot: bool | None = None
    due_at: datetime | None = None
    knows: tuple[str, ...] | None = None
    plain_time: bool = False

    def body(self) -> dict[str, Any]:
        """What tells two requests apart."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "plain_time"}


@dataclass(slots=True)
class Accepted:
    """What `accept` did with one new order: `order`, or the `error` that says why not."""

    order: Order | None = None
    error: JiyingError | None = None


def accept(
    news: Sequence[NewOrder], *, by: Actor, now: datetime | None = None, numbers: Numbers | None = None
) -> list[Accepted]:
    """Take many new orders in one transaction; the answers come in the order of `news`."""
    now = now or timezone.now()
    places = Places.of(news)
    results = [_try_draft(new, by=by, now=now, places=places) for new in news]
    drafts = [draft for draft in results if isinstance(draft, Draft)]
    with transaction.atomic():
        write_drafts(drafts, numbers or Numbers())
    return [Accepted(order=result.order) if isinstance(result, Draft) else Accepted(error=result) for result in results]


def accept_one(
    new: NewOrder, *, by: Actor, caller: str = "", key: str = "", now: datetime | None = None
) -> tuple[Order, bool]:
    """Take one new order; returns it and whether it is new.

    With a `key`, the same request from the same `caller` gets the order it made before, even when several
    arrive in the same instant.

    Raises:
        BadInput: all wrong fields at once.  KeyReused: the key came with another body.
    """
    now = now or timezone.now()
    body = new.body()
    for attempt in range(5):
        try:
            draft = make_draft(new, by=by, now=now, places=Places.of([new]))
        except BadInput:
            # What was right when it came first, an appointment say, may have passed since.
            order = idempotency.earlier(caller, key, body, now) if key else None
            if order is not None:
                return order, False
            raise
        bound = idempotency.bind(caller, key, body, draft.order, now) if key else None
        try:
            group.write(draft, bound)
            draft.order.ledger = draft.ledger
            journal.note(order=draft.order.number)
            return draft.order, True
        except IntegrityError:
            # The key was bound before, or by a twin in this instant; or the drawn number was taken.
            order = idempotency.earlier(caller, key, body, now) if key else None
            if order is not None:
                return order, False
            if attempt == 4:
                raise
            forget()
    raise AssertionError("the loop returns or raises")


def _try_draft(new: NewOrder, *, by: Actor, now: datetime, places: Places) -> Draft | JiyingError:
    try:
        return make_draft(new, by=by, now=now, places=places)
    except JiyingError as error:
        return error


@dataclass(slots=True)
class _Fields:
    """Collects what is wrong, so that a person sees everything at once."""

    errors: list[FieldError] = field(default_factory=list)

    def take(self, check: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return check(*args, **kwargs)
        except BadInput as error:
            self.errors += error.errors
            return None


def make_draft(new: NewOrder, *, by: Actor, now: datetime, places: Places) -> Draft:
    """Check a new order whole and seal its first event; nothing is written yet.

    Raises:
        BadInput: with all wrong fields.
    """
    return _draft(new, by, now, check(new, by=by, now=now, places=places))


@dataclass(frozen=True, slots=True)
class Checked:
    """What a new order says, in our words."""

    at: datetime
    pack: Pack
    spot: Spot
    facts: dict[str, Any]
    texts: dict[str, str | None]
    point: Point | None


def check(new: NewOrder, *, by: Actor, now: datetime, places: Places) -> Checked:
    """Check a new order whole (BadInput: with all wrong fields)."""
    fields = _Fields()
    at = new.reported_at or fields.take(_called_at, new.called_at, by, now) or now
    spot = fields.take(places.spot, new) or Spot(district="")
    day = at.astimezone(zone_of(spot.district)).date()
    pack = packs.in_force(day, spot.district)
    kind = fields.take(checked_kind, new.kind, "kind")
    category = fields.take(checked_category, new.category, pack.categories, "category")
    urgency = fields.take(checked_urgency, new.urgency, "urgency") if new.urgency else None
    point = fields.take(_point, new.point, spot, places) if new.point is not None else None
    description = fields.take(clean, new.description, field="description", max_chars=MAX_DESCRIPTION)
    unit = fields.take(_optional, new.unit, "unit", 60)
    address = fields.take(_address, new, spot)
    name = fields.take(_optional, new.name, "reporter.name", 60)
    phone = fields.take(parse_phone, new.phone) if new.phone else ""
    urgency = urgency or (pack.categories[category].default_urgency if category and kind == "repair" else "ordinary")
    appointment = fields.take(_appointment, new.appointment, urgency, now) if new.appointment else None
    nowhere = spot.estate is None and point is None and not address and not spot.town
    if nowhere and not any(error.field in _WHERE for error in fields.errors):
        fields.errors.append(FieldError("estate", "required", _("请说明在哪里：小区、地址或位置。")))
    if fields.errors:
        raise BadInput(_("有 %(n)d 处需要改正。") % {"n": len(fields.errors)}, errors=fields.errors)
    return Checked(
        at=at,
        pack=pack,
        spot=spot if spot.estate else places.around(spot, point),
        facts={"kind": kind, "category": category, "urgency": urgency, "appointment": appointment},
        texts={"description": description, "unit": unit, "address": address, "name": name, "phone": phone},
        point=point,
    )


def _draft(new: NewOrder, by: Actor, now: datetime, checked: Checked) -> Draft:
    at, pack, spot, facts, texts = checked.at, checked.pack, checked.spot, checked.facts, checked.texts
    where = checked.point or spot.point
    order = Order(
        id=uuid7(),
        district=spot.district,
        external_id=new.external_id,
        channel=new.channel,
        town=spot.town,
        committee=spot.committee,
        estate=spot.estate,
        building=spot.building,
        company=spot.company(at.astimezone(zone_of(spot.district)).date()),
        reporter_id=by.scope.user_id if by.scope.user_id and not by.staff else None,
        lon=where.lon if where else None,
        lat=where.lat if where else None,
        reported_at=at,
        pack=pack.stamp,
    )
    order.track = track_digest(track_token(order.id))
    salt, commitment = commit(contacts.said(texts))
    lot = new.lot if new.lot is not None else _LOT.random() * 100 < pack.follow_up.share_percent
    data = {
        **{name: value for name, value in facts.items() if value is not None},
        "part": pack.categories[facts["category"]].part,
        "channel": new.channel,
        "pack": order.pack,
        "lot": lot,
        "estate": spot.estate.code if spot.estate else None,
        "town": spot.town.code if spot.town else None,
        "said_sm3": commitment,
    }
    if pack.calendar is not None:
        # What judging needs to know stands in the log: the zone of the day of the report, and the estate's type.
        data["calendar"] = calendars.PLAIN if new.plain_time else zone_of(spot.district).key
        data["estate_type"] = spot.estate.kind if spot.estate else None
    if new.due_at is not None:
        data["external_due"] = new.due_at.isoformat()
    if new.knows is not None:
        data["knows"] = sorted(new.knows)
    ledger = Ledger.new(order.id, pack)
    role = IMPORT if by.importing else speaking_as(PEOPLE, (by.scope.roles & PEOPLE) or frozenset({"resident"}))
    ledger.append("report", milestone="reported", by=by.code, role=role, at=at, received_at=max(now, at), data=data)
    text = OrderText(
        order=order,
        description=texts["description"] or "",
        unit=texts["unit"] or "",
        address=texts["address"] or "",
        name=contacts.sealed(order.id, "name", texts["name"] or ""),
        phone=contacts.sealed(order.id, "phone", texts["phone"] or ""),
        phone_hash=contacts.phone_key(texts["phone"] or ""),
        salt=salt,
    )
    return Draft(order=order, text=text, ledger=ledger)


_LOT = random.SystemRandom()


def _optional(value: Any, name: str, max_chars: int) -> str:
    if value in (None, ""):
        return ""
    return clean(value, field=name, max_chars=max_chars, required=False, single_line=True)


def _address(new: NewOrder, spot: Spot) -> str:
    """The address; a building that no estate can vouch for is part of it."""
    address = _optional(new.address, "address", 200)
    if spot.estate is not None or new.estate not in (None, "") or new.building in (None, ""):
        return address
    building = _optional(new.building, "building", 120)
    return _optional(f"{address} {building}", "address", 200)


def _called_at(value: Any, by: Actor, now: datetime) -> datetime | None:
    """When the caller rang, which starts the clocks; only those who take calls may say it."""
    if value in (None, ""):
        return None
    called = value if isinstance(value, datetime) else parse_rfc3339(value, "called_at")
    if not by.staff:
        raise BadInput.of("called_at", "bad_time", _("来电时间只由接线人员填写。"))
    if called > now:
        raise BadInput.of("called_at", "bad_time", _("来电时间在将来。"))
    if called < now - CALL_WINDOW:
        raise BadInput.of("called_at", "bad_time", _("来电时间早于 24 小时前，请核对。"))
    return called


def _appointment(value: Any, urgency: str, now: datetime) -> dict[str, str]:
    if not isinstance(value, dict):
        raise BadInput.of("appointment", "bad_time", _("预约应有开始 from 和结束 to。"))
    start = parse_rfc3339(value.get("from"), "appointment.from")
    end = parse_rfc3339(value.get("to"), "appointment.to")
    if urgency == "emergency":
        raise BadInput.of("appointment", "invalid", _("急修不预约，请立即处理。"))
    if not now < end or not start < end or start > now + timedelta(days=60):
        raise BadInput.of("appointment", "bad_time", _("预约时段应在今后 60 天内，结束晚于开始。"))
    return {"from": start.isoformat(), "to": end.isoformat()}


def _point(value: Any, spot: Spot, places: Places) -> Point:
    """Where it is: near the named estate, or in some town of the district."""
    if isinstance(value, Point):
        return value
    if not isinstance(value, dict):
        raise BadInput.of("point", "bad_point", _("位置应包含经度 lon 和纬度 lat。"))
    within = ESTATE_KM if spot.point else CITY_KM
    point = check_point(
        value.get("lon"), value.get("lat"), value.get("crs", "WGS-84"), near=spot.near, within_km=within
    )
    if spot.estate is None and places.towns and not places.town_at(point):
        raise BadInput.of("point", "bad_point", _("这个位置不在本区任何街镇附近，请核对。"))
    return point
