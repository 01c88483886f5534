"""Taking imported orders out again: whole, and only where nobody has acted on them since.

Events are append-only, and an order of another system that was imported by mistake never happened here: the
whole order goes, with its chain.  That would be the one thing a chain cannot show, so each leaves its record
(`Withdrawal`), the import that took them out keeps how many there were and the head over them, and a file beside
the daily heads says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import PROTECT
from django.utils.translation import gettext as _

from jiying.orders.actors import Actor
from jiying.orders.models import Attachment, Event, Order, Withdrawal
from jiying.orders.states import RULE


@dataclass(slots=True)
class Withdrawn:
    """`left`: orders that stay, with the reason; `lines`: `id:version:hash` of each that went, as in a daily head."""

    left: dict[uuid.UUID, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def withdraw(ids: Iterable[uuid.UUID], *, by: Actor) -> Withdrawn:
    """Delete those of the orders that only the import `by` and dated rules have spoken about.

    Inside the caller's transaction.
    """
    orders = {order.pk: order for order in Order.objects.select_for_update(of=("self",)).filter(pk__in=list(ids))}
    acted = Event.objects.filter(order_id__in=orders).exclude(by=by.code).exclude(role=RULE)
    left = dict.fromkeys(acted.values_list("order_id", flat=True), _("导入之后有人办理过，未删除。"))
    for relation in Order._meta.related_objects:
        built = relation.on_delete is PROTECT or relation.related_model is Attachment
        if built and relation.related_model is not Event:
            column = relation.field.name
            rows = relation.related_model._base_manager.filter(**{f"{column}__in": list(orders)})
            for key in rows.values_list(column, flat=True):
                left.setdefault(key, _("已有别的数据用到它，未删除。"))
    gone = sorted(key for key in orders if key not in left)
    lines = [f"{key}:{orders[key].version}:{orders[key].head}" for key in gone]
    Withdrawal.objects.bulk_create(
        Withdrawal(order=key, district=row.district, version=row.version, head=row.head, by=by.code)
        for key, row in ((key, orders[key]) for key in gone)
    )
    Event.objects.filter(order_id__in=gone).delete()
    Order.objects.filter(pk__in=gone).delete()
    return Withdrawn(left, lines)
