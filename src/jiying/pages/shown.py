"""Reading what components are given: model rows, plain objects and dictionaries alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jiying.rules import packs
from jiying.rules.pack import Category


def take(thing: Any, path: str, default: Any = None) -> Any:
    """The value at a dotted `path` of attributes or keys; `default` where any step is missing or None.

    >>> take({"estate": {"name": "东园"}}, "estate.name")
    '东园'
    """
    for step in path.split("."):
        thing = thing.get(step) if isinstance(thing, Mapping) else getattr(thing, step, None)
        if thing is None:
            return default
    return thing


def name_of(thing: Any) -> str:
    """The name of a reference: a string is its own name, otherwise its `name`."""
    if thing is None or isinstance(thing, str):
        return thing or ""
    return str(take(thing, "name", ""))


@dataclass(frozen=True, slots=True)
class ShownPlace:
    """Where an order is, in the words of its row."""

    estate: str
    building: str
    unit: str
    address: str
    town: str
    lon: float | None
    lat: float | None

    @property
    def line(self) -> str:
        """In one line: estate, building and unit; else the address; else the town."""
        inside = [part for part in (self.estate, self.building, self.unit) if part]
        return " · ".join(inside) or self.address or self.town

    @property
    def map_href(self) -> str:
        """A `geo:` address that a phone opens in its own map; empty without a point."""
        return map_href(self.lon, self.lat) if self.lon is not None and self.lat is not None else ""


def map_href(lon: float, lat: float) -> str:
    """A `geo:` address that a phone opens in its own map."""
    return f"geo:{lat:.6f},{lon:.6f}?q={lat:.6f},{lon:.6f}"


def place_of(order: Any) -> ShownPlace:
    """The place of an order (`estate building unit address town lon lat`, unit and address also in `text`)."""
    return ShownPlace(
        estate=name_of(take(order, "estate")),
        building=name_of(take(order, "building")),
        unit=str(take(order, "unit") or take(order, "text.unit") or ""),
        address=str(take(order, "address") or take(order, "text.address") or ""),
        town=name_of(take(order, "town")),
        lon=take(order, "lon"),
        lat=take(order, "lat"),
    )


@lru_cache(maxsize=4)
def _categories(day: Any) -> Mapping[str, Category]:
    return packs.in_force(day).categories


def category_of(code: str) -> Category | None:
    """The category of that code in today's pack."""
    return _categories(timezone.localdate()).get(code)


def category_name(order: Any) -> str:
    """The category's name: `category_names` {zh, en} when given, else from today's pack, else the code.

    `order` may be the category's code itself.
    """
    names = None if isinstance(order, str) else take(order, "category_names")
    code = order if isinstance(order, str) else str(take(order, "category") or "")
    if names is None and (known := category_of(code)) is not None:
        names = known.names
    english = (get_language() or "").startswith("en")
    return str(take(names, "en" if english else "zh") or code)


def sign_of(order: Any) -> str:
    """The name of the category's sign in the sprite; `order` may be the category's code itself."""
    code = order if isinstance(order, str) else str(take(order, "category") or "")
    known = category_of(code)
    return known.sign if known is not None else "other"


def erased() -> str:
    """What stands where a text was erased by law or by age."""
    return _("（已按规定删除）")


def words_of(order: Any) -> str:
    """What the reporter said: `description`, on the order or in its `text`; where it was erased, that it was."""
    if take(order, "text.erased_at") is not None:
        return erased()
    return str(take(order, "description") or take(order, "text.description") or "")


@dataclass(frozen=True, slots=True)
class HeadlineClock:
    """The clock of a queue row, made from the order's own columns so that no further query is needed."""

    promise: str
    state: str
    from_at: datetime
    due_at: datetime
    limit_minutes: float
    reached_at: datetime | None = None
    round: int = 1


def headline_of(order: Any) -> Any:
    """The clock that a row shows: `clock` when given, else from `headline_promise` and `headline_due`; or None."""
    given = take(order, "clock")
    if given is not None:
        return given
    due, promise = take(order, "headline_due"), take(order, "headline_promise")
    if due is None or not promise:
        return None
    begun = take(order, "headline_from") or take(order, "reported_at") or due
    paused = take(order, "state") == "paused" and promise != "respond_30"
    minutes = max((due - begun).total_seconds() / 60, 1)
    return HeadlineClock(promise, "paused" if paused else "running", begun, due, minutes)


ENDED = frozenset({"closed", "refused", "cancelled"})


def is_ended(order: Any) -> bool:
    """Whether the order is over, so that a missed promise counts no further."""
    return take(order, "state") in ENDED
