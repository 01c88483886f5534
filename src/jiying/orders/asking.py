"""Who is asked when a rung of the ladder tells the next tier: companies of the station, else of the district's centre.

An order with the team of its estate, or with nobody, goes to the stations of its town; one with a station, or whose
stations were asked in this round already, to the emergency repair centre.  Where neither is, nobody is asked, and
the command centre is told in their place (`notices`).
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils import timezone

from jiying.estates.models import Company, Tier, Worker
from jiying.estates.queries import mandated
from jiying.orders.models import Ask

if TYPE_CHECKING:
    from jiying.orders.chain import Moment
    from jiying.orders.ledger import Ledger
    from jiying.orders.store import Change

NEXT_TIER = "next_tier"


def tells_next_tier(verb: str, data: dict[str, object]) -> bool:
    """Whether an event asks the next tier; what an import wrote down of the past asks nobody.

    >>> tells_next_tier("escalate", {"tells": ["next_tier"]}), tells_next_tier("escalate", {"tells": ["town"]})
    (True, False)
    """
    tells = data.get("tells")
    return verb == "escalate" and not data.get("quiet") and isinstance(tells, list) and NEXT_TIER in tells


def next_of(
    team: uuid.UUID | None,
    holder: uuid.UUID | None,
    stations: Sequence[uuid.UUID],
    centres: Sequence[uuid.UUID],
    *,
    asked_before: bool = False,
) -> tuple[str, list[uuid.UUID]]:
    """The tier to ask, and its companies; ("", []) where none is left.

    `team` serves the estate, `holder` is the company of the worker who has the order.

    >>> a, b, c = (uuid.UUID(int=n) for n in (1, 2, 3))
    >>> next_of(a, a, [b], [c])[0], next_of(a, b, [b], [c])[0], next_of(a, c, [b], [c])[0]
    ('station', 'centre', '')
    """
    ours = {team, holder}
    lent = holder is not None and holder != team
    if lent and holder in centres and holder not in stations:
        return "", []
    others = [one for one in stations if one not in ours]
    if others and not asked_before and not (lent and holder in stations):
        return Tier.STATION.value, others
    others = [one for one in centres if one not in ours]
    return (Tier.CENTRE.value, others) if others else ("", [])


def asks_of(changes: Sequence[Change]) -> list[Ask]:
    """The rows to be written with what `changes` say; at most four queries, none while the next tier is not told."""
    asking = [(change, m) for change in changes for m in change.moments if tells_next_tier(m.verb, m.data)]
    if not asking:
        return []
    orders = {change.order.pk: change.order for change, _moment in asking}
    before = set(Ask.objects.filter(order_id__in=orders).values_list("order_id", "round"))
    sent = {worker for change, moment in asking if (worker := _holder(change.ledger, moment.version))}
    holders: dict[uuid.UUID | None, uuid.UUID] = {}
    if sent:
        holders.update(Worker.objects.filter(pk__in=sent).values_list("pk", "company_id"))
    towns = {order.town_id for order in orders.values() if order.town_id}
    day = timezone.localdate(max(moment.at for _change, moment in asking))
    places: dict[tuple[str, object], list[uuid.UUID]] = defaultdict(list)
    for division, code, tier, company in mandated(towns, {order.district for order in orders.values()}, day):
        places[tier, division if tier == Tier.STATION else code].append(company)
    bodies = dict(
        Company.objects.filter(pk__in={one for found in places.values() for one in found}).values_list(
            "pk", "organisation_id"
        )
    )
    rows: list[Ask] = []
    for change, moment in asking:
        order, turn = change.order, _round(change.ledger, moment.version)
        tier, companies = next_of(
            order.company_id,
            holders.get(_holder(change.ledger, moment.version)),
            places[Tier.STATION, order.town_id],
            places[Tier.CENTRE, order.district],
            asked_before=(order.pk, turn) in before,
        )
        before.add((order.pk, turn))
        rows += [
            Ask(
                district=order.district,
                order=order,
                organisation_id=bodies[company],
                event=moment.id,
                tier=tier,
                round=turn,
                at=moment.at,
            )
            for company in companies
        ]
    return rows


def _until(ledger: Ledger, version: int) -> list[Moment]:
    return [moment for moment in ledger.moments if moment.version <= version]


def _holder(ledger: Ledger, version: int) -> uuid.UUID | None:
    """The worker who had the order at `version`: a batch writes what came after in the same stroke."""
    worker = ""
    for moment in _until(ledger, version):
        if moment.verb in ("assign", "take"):
            worker = moment.data["worker"]
        elif moment.verb == "return":
            worker = ""
    return uuid.UUID(worker) if worker else None


def _round(ledger: Ledger, version: int) -> int:
    return sum(moment.verb == "reopen" for moment in _until(ledger, version))
