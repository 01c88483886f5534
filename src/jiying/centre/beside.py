"""What stands beside the call-taker's form: who rings, what may be the same matter, what the words suggest.

Nothing here is forced on anybody, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jiying.core.errors import BadInput
from jiying.core.phones import parse_phone
from jiying.estates.models import Building, Estate
from jiying.orders import contacts
from jiying.orders.alike import FURTHEST, Likeness, Matter, likeness, words_in
from jiying.orders.models import Event, Order
from jiying.orders.states import OPEN
from jiying.pages.peopletime import people_time
from jiying.people.models import User
from jiying.rules import words as rule_words
from jiying.rules.pack import Category, Names, Pack
from jiying.rules.suggest import Suggestion, suggest

MOST_EARLIER, MOST_SAME = 4, 3
COMPARED = 300
"""So many open orders of an estate are compared, the newest; more are open nowhere."""

OFTEN = timedelta(days=90)
INCIDENT_WITHIN, INCIDENT_FROM = timedelta(hours=2), 3
"""So many open orders of one category at one estate within so long are told as one cause."""


# -- who rings ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known about a telephone, within what the call-taker may see.

    `times`: reports within `OFTEN`.  `visited`: when somebody last arrived.  `last`: the latest order with a place,
    whose place is probably today's.
    """

    name: str
    open: Sequence[Order]
    past: Sequence[Order]
    times: int
    visited: datetime | None
    last: Order | None


def caller_of(user: User, phone: str, now: datetime) -> Caller | None:
    """Who rings from this telephone; None while it is no number yet."""
    try:
        number = parse_phone(phone)
    except BadInput:
        return None
    ids = [text.order_id for text in contacts.orders_of_phone(number)]
    rows = list(Order.objects.visible_to(user).with_names().filter(pk__in=ids).order_by("-reported_at"))
    arrived = Event.objects.filter(order__in=[row.pk for row in rows], verb="arrive").order_by("-at")
    return Caller(
        name=next((name for row in rows if (name := contacts.masked(row)["name"])), ""),
        open=[row for row in rows if row.state in OPEN][:MOST_EARLIER],
        past=[row for row in rows if row.state not in OPEN][:MOST_EARLIER],
        times=sum(row.reported_at > now - OFTEN for row in rows),
        visited=arrived.values_list("at", flat=True).first(),
        last=next((row for row in rows if row.estate is not None), None),
    )


# -- the same matter ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Same:
    """An open order that is likely the same matter, and why in words."""

    order: Order
    why: str


@dataclass(frozen=True, slots=True)
class Around:
    """What is open at the estate: likely the same, the most alike first, how many more, and a common cause."""

    same: Sequence[Same] = field(default=())
    more: int = 0
    incident: str = ""


def around(user: User, estate: Estate | None, new: Matter | None, pack: Pack) -> Around:
    """Compare what is being typed with the open orders of the estate."""
    if estate is None or new is None:
        return Around()
    rows: Any = Order.objects.visible_to(user).with_names()
    near = rows.filter(estate=estate, state__in=sorted(OPEN), reported_at__gt=new.at - FURTHEST)
    found: list[tuple[Likeness, Order]] = []
    cause: list[Order] = []
    for order in near.order_by("-reported_at")[:COMPARED]:
        alike = likeness(new, matter_of(order))
        if alike is not None and alike.likely:
            found.append((alike, order))
        if new.category and order.category == new.category and order.reported_at > new.at - INCIDENT_WITHIN:
            cause.append(order)
    found.sort(key=lambda pair: (-pair[0].points, new.at - pair[1].reported_at))
    same = [Same(order, _why(alike, order)) for alike, order in found[:MOST_SAME]]
    more = max(0, len(found) - MOST_SAME)
    return Around(same, more, _incident(cause, new, pack) if len(cause) >= INCIDENT_FROM else "")


def matter_of(order: Order) -> Matter:
    """An order as it is compared."""
    text = getattr(order, "text", None)
    return Matter(
        estate=str(order.estate_id),
        at=order.reported_at,
        building=order.building.name if order.building else "",
        unit=plain_unit(text.unit) if text else "",
        category=order.category,
        words=words_in(text.description) if text else frozenset(),
    )


def plain_unit(unit: str) -> str:
    """A room's number without 室 and blanks: people say it both ways.

    >>> plain_unit(" 502 室")
    '502'
    """
    return "".join(unit.split()).removesuffix("室").casefold()


def _why(alike: Likeness, order: Order) -> str:
    said = {
        "unit": _("同一户"),
        "building": _("同一栋楼"),
        "category": _("同一类别"),
        "alike": _("说法相同"),
        "close": _("说法相近"),
    }
    words = [said[why] for why in alike.why if why in said]
    return " · ".join([*(words or [_("同一小区")]), people_time(order.reported_at)])


def _incident(cause: Sequence[Order], new: Matter, pack: Pack) -> str:
    """`cause`: the newest first."""
    minutes = max(1, round((new.at - cause[-1].reported_at).total_seconds() / 60))
    name = rule_words.said(pack.categories[new.category].names)
    text = ngettext(
        "本小区 %(minutes)d 分钟内已有 %(n)d 件“%(what)s”，可能是同一原因。",
        "本小区 %(minutes)d 分钟内已有 %(n)d 件“%(what)s”，可能是同一原因。",
        len(cause),
    )
    return text % {"minutes": minutes, "n": len(cause), "what": name}


# -- what the words suggest -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Suggested:
    """A suggestion as the form shows it.  `category` None: the words say only how urgent it is."""

    category: Category | None
    urgency: str
    why: str
    taken: bool


def suggested(pack: Pack, said: str, category: str, urgency: str) -> Suggested | None:
    """What the words suggest, and whether the form says so already; None where they suggest nothing."""
    found = suggest(pack, said)
    if found is None:
        return None
    taken = found.category in ("", category) and found.urgency in ("", urgency) and bool(category)
    return Suggested(pack.categories.get(found.category), found.urgency, _points(found), taken)


def _points(found: Suggestion) -> str:
    """“漏水 +4，水管 +3”: the words that counted."""
    words = dict(found.why) | {word: weight for word, weight in found.why_urgency if found.urgency}
    return _("，").join(f"{word} +{weight}" for word, weight in words.items())


def first_aid(pack: Pack, chosen: str, found: Suggested | None) -> Names | None:
    """What to do first for life and limb: of the chosen category, else of the suggested one."""
    category = pack.categories.get(chosen) or (found.category if found else None)
    return category.safety if category else None


def buildings_of(estate: Estate | None) -> list[str]:
    """The buildings to choose from."""
    rows = Building.objects.filter(estate=estate) if estate else Building.objects.none()
    return list(rows.order_by("name").values_list("name", flat=True))
