"""The call-taker's form: what was typed, and what it means as an order."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.centre.beside import plain_unit
from jiying.core.errors import BadInput, JiyingError
from jiying.estates.finding import Found, find
from jiying.estates.models import Estate
from jiying.orders.alike import Matter, words_in
from jiying.orders.intake import NewOrder
from jiying.people.models import User

CHANNELS = ("phone", "counter", "hotline")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_OURS = {"reporter.name": "name", "reporter.phone": "phone"}


@dataclass(slots=True)
class Call:
    """What stands in the form, as typed; `key` makes a second sending count once."""

    phone: str = ""
    name: str = ""
    called_at: str = ""
    channel: str = "phone"
    q: str = ""
    estate: str = ""
    building: str = ""
    unit: str = ""
    description: str = ""
    category: str = ""
    urgency: str = ""
    kind: str = "repair"
    key: str = ""

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> Call:
        """From a posted form, or an empty one whose call began now."""
        call = cls(**{f.name: _CONTROLS.sub("", sent.get(f.name, f.default or ""))[:5000] for f in fields(cls)})
        call.key = _CONTROLS.sub("", sent.get("idempotency_key", ""))[:200] or uuid.uuid4().hex
        if "called_at" not in sent:
            call.called_at = f"{timezone.localtime():%Y-%m-%dT%H:%M}"
        return call

    def new_order(self) -> NewOrder:
        """The order of this call.

        Raises:
            BadInput: no place was chosen, no category, or the time of the call cannot be read.
        """
        if not self.estate:
            text = _("请从找到的小区里选一个。") if self.q else _("请填小区，输入名称或拼音首字母即可查找。")
            raise BadInput.of("estate", "required", text)
        if not self.category:
            raise BadInput.of("category", "required", _("请选择类别；拿不准就选“其他”。"))
        return NewOrder(
            kind=self.kind,
            category=self.category,
            urgency=self.urgency or None,
            description=self.description,
            estate=self.estate,
            building=self.building.strip(),
            unit=self.unit,
            name=self.name,
            phone=self.phone.strip() or None,
            called_at=self._called_at(),
            channel=self.channel if self.channel in CHANNELS else "phone",
        )

    def matter(self, estate: Estate | None, category: str, now: datetime) -> Matter | None:
        """What is being typed, to be compared with what is open; `category`: chosen, or else suggested."""
        if estate is None or not (category or self.building.strip() or self.description.strip()):
            return None
        return Matter(
            estate=str(estate.pk),
            at=now,
            building=self.building.strip(),
            unit=plain_unit(self.unit),
            category=category,
            words=words_in(self.description),
        )

    def _called_at(self) -> datetime | None:
        """The time of the call in the district's time zone; None means now."""
        if not self.called_at.strip():
            return None
        try:
            at = datetime.fromisoformat(self.called_at.strip())
        except ValueError:
            raise BadInput.of("called_at", "bad_time", _("来电时间看不懂，请重新选择。")) from None
        return timezone.make_aware(at) if at.tzinfo is None else at


def messages_of(error: JiyingError) -> dict[str, str]:
    """What is wrong, by field of the form."""
    out: dict[str, str] = {}
    for item in error.errors:
        out.setdefault(_OURS.get(item.field, item.field), item.message)
    return out


MOST_PLACES = 8


def places_for(user: User, words: str) -> list[Found]:
    """Places that fit the words, of those the call-taker reaches, the best first; at most eight."""
    return find(words, Estate.objects.visible_to(user), MOST_PLACES)


def place_of(user: User, code: str) -> Estate | None:
    """The chosen estate, if the call-taker reaches it."""
    rows = Estate.objects.visible_to(user) if code else Estate.objects.none()
    return rows.filter(code=code).select_related("town").first()
