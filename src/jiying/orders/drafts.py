"""Checked orders on their way into the database: their numbers, and writing many at once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from jiying.core import bulk
from jiying.estates.queries import zone_of
from jiying.orders import store
from jiying.orders.ledger import Ledger
from jiying.orders.models import EventText, Order, OrderText


@dataclass(slots=True)
class Draft:
    """A checked order, ready to be written; `texts` are those of events after its report."""

    order: Order
    text: OrderText
    ledger: Ledger
    texts: list[EventText] = field(default_factory=list)


def write_drafts(drafts: Sequence[Draft], numbers: Numbers) -> None:
    """Write checked orders with their first events; inside the caller's transaction."""
    if not drafts:
        return
    numbers.give([draft.order for draft in drafts])
    for draft in drafts:
        store.mirror(draft.order, draft.ledger)
    if len(drafts) == 1:
        drafts[0].order.save(force_insert=True)
        drafts[0].text.save(force_insert=True)
    else:
        bulk.insert([draft.order for draft in drafts])
        bulk.insert([draft.text for draft in drafts])
    store.write_log(
        store.Change(order=d.order, ledger=d.ledger, moments=list(d.ledger.moments), texts=d.texts) for d in drafts
    )


class Numbers:
    """Gives orders the number people say on the telephone: the day and six digits, for example 261124-038201.

    The digits are drawn, not counted: a counter would be a queue for all writers, and would tell strangers
    how many orders there are.
    """

    def __init__(self, seed: int | None = None, *, look_first: bool = True) -> None:
        """`look_first` False trusts a single order's luck to the unique key, for callers that try again."""
        self._look_first = look_first
        self._random = random.SystemRandom() if seed is None else random.Random(seed)

    def give(self, orders: Sequence[Order]) -> None:
        """Set `number` on each, different from one another and from those in the database."""
        waiting, taken = list(orders), set[str]()
        while waiting:
            for order in waiting:
                day = order.reported_at.astimezone(zone_of(order.district)).date()
                order.number = self._draw(day)
                while order.number in taken:
                    order.number = self._draw(day)
                taken.add(order.number)
            if len(orders) == 1 and not self._look_first:
                return
            clash = set(Order.objects.filter(number__in=[o.number for o in waiting]).values_list("number", flat=True))
            waiting = [order for order in waiting if order.number in clash]

    def _draw(self, day: date) -> str:
        return f"{day:%y%m%d}-{self._random.randrange(1_000_000):06}"
