"""Showing a reporter's telephone in full: to whom it serves, for a reason, with a row on the audit each time.

The worker sees it while the order is theirs and not done; the serving company's desk until it has ended; who
follows up (committee and centre) also afterwards, since that is when they ring.  Others in scope see it masked.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core.errors import NotFound, NotYours, RateLimited
from jiying.core.text import clean
from jiying.orders.actors import Actor, roles_towards, speaking_as
from jiying.orders.contacts import name_of, phone_of
from jiying.orders.models import Order
from jiying.orders.states import ENDED, OPEN
from jiying.people import audit
from jiying.people.models import AuditAction, User

MOST_AN_HOUR = 60
"""So many telephones one person may see in an hour; who takes calls all day needs about half of it."""

MOST_CHARS = 200
_ANY_TIME = frozenset({"committee", "operator", "supervisor"})
_UNTIL_THE_END = frozenset({"company", "manager"})


@dataclass(frozen=True, slots=True)
class Contact:
    """A reporter, unmasked; `phone` in E.164, empty where none was given or it was erased."""

    name: str
    phone: str


def roles_shown(order: Order, actor: Actor) -> frozenset[str]:
    """The roles in which `actor` may see the telephone of `order` now; none: they may not."""
    roles = roles_towards(order, actor)
    wanted = set(_ANY_TIME)
    if order.state not in ENDED:
        wanted |= _UNTIL_THE_END
    # Who might take an order stands towards it as a worker too: the number is for the one who has it.
    if order.state in OPEN and order.worker is not None and order.worker.user_id == actor.scope.user_id:
        wanted.add("worker")
    return roles & wanted


def may_reveal(order: Order, actor: Actor) -> bool:
    """Whether to offer it."""
    return bool(roles_shown(order, actor))


def reveal(order_id: uuid.UUID, *, by: User, reason: object, origin: str, now: datetime | None = None) -> Contact:
    """The reporter of an order, unmasked; the audit says who saw it, why and from where.

    Raises:
        NotFound: out of scope.  NotYours: in scope, but not for them, or not at this time.
        BadInput: no reason.  RateLimited: too many in an hour; carries `retry_after` in seconds.
    """
    now, actor = now or timezone.now(), Actor.of(by)
    with transaction.atomic():
        order = Order.objects.visible_to(by).with_names().filter(pk=order_id).first()
        if order is None:
            raise NotFound(_("没有找到这张工单。"))
        roles = roles_shown(order, actor)
        if not roles:
            raise NotYours(_("电话只给正在办这张工单的人看。需要联系报修人时，请让物业或指挥中心来打。"))
        said = clean(reason, field="reason", max_chars=MOST_CHARS, single_line=True)
        # One at a time for each person: two requests in one instant must not both be the last that is allowed.
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        if audit.count_since(by, AuditAction.REVEAL, timedelta(hours=1), now) >= MOST_AN_HOUR:
            text = _("一小时内查看的电话太多了，请稍后再看。确有需要请找值班长。")
            raise RateLimited(text, retry_after=600.0)
        contact = Contact(name=name_of(order), phone=phone_of(order))
        audit.record(
            AuditAction.REVEAL,
            by=by,
            role=speaking_as(roles, roles),
            district=order.district,
            origin=origin,
            subject=order.pk,
            about=order.number,
            reason=said,
            data={"state": order.state},
            at=now,
        )
    return contact
