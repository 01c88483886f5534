"""From the tables to the pure functions and back: events as moments, contributions as JSON, places as cells."""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from jiying.estates.queries import zone_of
from jiying.orders.chain import Moment
from jiying.orders.models import Event, Order
from jiying.orders.store import began_with
from jiying.rules.faults import NoPack
from jiying.supervision.counting import Contribution, contribution
from jiying.supervision.days import SPANS, block_of
from jiying.supervision.models import Cell, Grain

log = logging.getLogger("jiying.figures")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
Parts = dict[int, dict[str, int]]
"""Counts by instants in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an order is counted."""

    district: str
    town: uuid.UUID | None
    committee: uuid.UUID | None
    estate: uuid.UUID | None
    company: uuid.UUID | None

    @classmethod
    def of(cls, order: Order) -> Place:
        return cls(order.district, order.town_id, order.committee_id, order.estate_id, order.company_id)


@lru_cache(maxsize=50_000)
def cells_of(place: Place) -> tuple[Cell, ...]:
    """The cells that an order there is counted in, the finest last."""
    district = place.district
    return (
        _cell(district, Grain.ALL),
        _cell(district, Grain.TOWN, town=place.town),
        _cell(district, Grain.COMPANY, company=place.company),
        _cell(
            district,
            Grain.CELL,
            town=place.town,
            committee=place.committee,
            estate=place.estate,
            company=place.company,
        ),
    )


def _cell(district: str, grain: Grain, **ids: uuid.UUID | None) -> Cell:
    said = json.dumps([district, grain, *(f"{name}:{uid}" for name, uid in ids.items())])
    uid = uuid.UUID(bytes=hashlib.blake2b(said.encode(), digest_size=16).digest())
    return Cell(id=uid, district=district, grain=grain, **{f"{name}_id": value for name, value in ids.items()})


@dataclass(frozen=True, slots=True)
class Fresh:
    """An order counted from all its events, up to `version`."""

    order: uuid.UUID
    version: int
    place: Place
    counted: Contribution


def count_orders(orders: Iterable[Order]) -> list[Fresh]:
    """Orders counted from their events as they stand now, in one query; without events an order is left out."""
    rows = {order.pk: order for order in orders}
    moments: dict[uuid.UUID, list[Moment]] = {key: [] for key in rows}
    columns = ("order_id", "version", "verb", "milestone", "by", "role", "at", "received_at", "claimed", "canonical")
    events = Event.objects.filter(order_id__in=list(rows)).order_by("order_id", "version")
    for order, version, verb, milestone, by, role, at, received_at, claimed, said in events.values_list(*columns):
        data = json.loads(said)["data"]
        moments[order].append(Moment(order, version, verb, milestone, by, role, at, received_at, claimed, data))
    found = (_counted(rows[key], told) for key, told in moments.items() if told)
    return [fresh for fresh in found if fresh is not None]


def _counted(order: Order, told: Sequence[Moment]) -> Fresh | None:
    """An order counted from its events; None where the rule pack that judges it is gone, which stops no other."""
    try:
        counted = contribution(order.pk, began_with(told[0]), told, zone_of(order.district))
    except NoPack:
        log.exception("order %s cannot be counted", order.number)
        return None
    return Fresh(order.pk, told[-1].version, Place.of(order), counted)


def parts_of(counted: Contribution) -> Parts:
    return {(at - EPOCH) // _MICROSECOND: dict(names) for at, names in counted.parts.items()}


def written(parts: Parts) -> str:
    """As JSON, the same text for the same parts."""
    return json.dumps({str(at): parts[at] for at in sorted(parts)}, sort_keys=True, separators=(",", ":"))


def read(text: str) -> Parts:
    return {int(at): names for at, names in json.loads(text).items()}


def instant(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // _MICROSECOND


def by_day(parts: Parts, zone: tzinfo) -> dict[int, Mapping[str, int]]:
    """Parts by the ordinal of the day on which they count where the district is."""
    out: dict[int, Counter[str]] = {}
    for at, names in parts.items():
        day = (EPOCH + at * _MICROSECOND).astimezone(zone).toordinal()
        out.setdefault(day, Counter()).update(names)
    return dict(out)


Key = tuple[uuid.UUID, int, int]
"""A row of the rollups: cell, span, first day."""


def spread(
    into: dict[Key, Counter[str]], cells: Sequence[Cell], days: Mapping[int, Mapping[str, int]], sign: int = 1
) -> None:
    """Add what an order counts for (or with `sign` −1 take it away) in all its cells and blocks of days."""
    for day, names in days.items():
        for span in SPANS:
            start = block_of(day, span)
            for cell in cells:
                counts = into.setdefault((cell.pk, span, start), Counter())
                for name, n in names.items():
                    counts[name] += sign * n
