"""The report form: what was typed, what it means as an order, and what is wrong with it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.utils.translation import gettext as _

from jiying.core.errors import BadInput, FieldError, JiyingError
from jiying.estates.models import Building, Estate
from jiying.estates.queries import find_places
from jiying.orders.intake import NewOrder
from jiying.rules import words as rule_words
from jiying.rules.pack import Category, Pack

_CONTROLS = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
#: Fields of an order, as refusals name them, where the form has another name.
_OURS = {"reporter.name": "name", "reporter.phone": "phone", "kind": "category"}
OTHER = "other"


def plain(text: str, most: int = 120) -> str:
    """A code or a few words to look up: no control characters, at most `most` long."""
    return _CONTROLS.sub("", text).strip()[:most]


@dataclass(slots=True)
class Filled:
    """What stands in the form, as typed; `key` makes a second sending count once."""

    estate: str = ""
    building: str = ""
    q: str = ""
    unit: str = ""
    address: str = ""
    point: str = ""
    category: str = ""
    urgency: str = ""
    description: str = ""
    name: str = ""
    phone: str = ""
    key: str = ""

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> Filled:
        """From a query string or a posted form; a missing key is made."""
        filled = cls(**{f.name: sent.get(f.name, "") for f in fields(cls) if f.name != "key"})
        for name in ("estate", "building", "q", "category", "urgency"):
            setattr(filled, name, plain(getattr(filled, name)))
        filled.key = plain(sent.get("idempotency_key", ""), 200) or uuid.uuid4().hex
        return filled

    def new_order(self, pack: Pack) -> NewOrder:
        """The order this form reports.

        A sign alone is a report in the sign's words; a sentence alone is of category `other`.

        Raises:
            BadInput: neither a sign nor a sentence, nowhere to go, or a position that cannot be read.
        """
        errors = []
        category = pack.categories.get(self.category)
        if not self.category and not self.description.strip():
            errors.append(FieldError("description", "required", _("请点一个图标，或用一句话说说是什么事。")))
        if not (self.estate or self.address.strip() or self.point):
            text = _("请从下面选择您的小区。") if self.q else _("请选择小区，或者写下地址。")
            errors.append(FieldError("estate", "required", text))
        if errors:
            raise BadInput(errors[0].message, errors=errors)
        return NewOrder(
            kind=category.kind if category else "repair",
            category=self.category or OTHER,
            urgency=self.urgency or None,
            description=self.description
            if self.description.strip() or not category
            else rule_words.said(category.names),
            estate=self.estate or None,
            building=self.building or None,
            unit=self.unit,
            address=self.address,
            point=_point(self.point) if self.point else None,
            name=self.name,
            phone=self.phone.strip() or None,
            channel="page",
        )


def signs_of(pack: Pack) -> list[Category]:
    """The categories that have a sign of their own, in the pack's order."""
    return [category for category in pack.categories.values() if category.sign == category.code]


def messages_of(error: JiyingError) -> dict[str, str]:
    """What is wrong, by field of the form; the first word about each field counts."""
    out: dict[str, str] = {}
    for item in error.errors:
        out.setdefault(_OURS.get(item.field, item.field), item.message)
    return out


def where(filled: Filled) -> dict[str, Any]:
    """What the question "where" shows: the chosen estate with its buildings, or the places found for the words.

    `estate` None with `filled.estate` set means that the code (of a sign, or of an old page) is not known.
    """
    estate = Estate.objects.filter(code=filled.estate).select_related("town").first() if filled.estate else None
    if estate is None:
        found = find_places(filled.q) if filled.q else []
        return {"estate": None, "unknown": bool(filled.estate), "found": found, "buildings": []}
    buildings = list(Building.objects.filter(estate=estate))
    buildings.sort(key=lambda building: [int(part) if part.isdigit() else 0 for part in _numbers(building.name)])
    chosen = next((b.name for b in buildings if filled.building in (b.name, str(b.pk))), "")
    if filled.building and not chosen:
        return {"estate": estate, "buildings": buildings, "chosen": "", "lost": filled.building}
    return {"estate": estate, "buildings": buildings, "chosen": chosen}


def _numbers(name: str) -> list[str]:
    return re.findall(r"\d+", name) or ["0"]


def _point(raw: str) -> dict[str, Any]:
    """A position as the page's script writes it: `lon,lat,accuracy` in WGS-84."""
    try:
        lon, lat, *_rest = (float(part) for part in raw.split(","))
    except ValueError:
        raise BadInput.of("point", "bad_point", _("位置看不懂。请写下地址，或者重新取一次位置。")) from None
    return {"lon": lon, "lat": lat, "crs": "WGS-84"}
