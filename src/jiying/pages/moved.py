"""What was moved of an order's clocks, for its timeline: by another rule pack, or by a reclassification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from jiying.orders.moving import NEW, Moved, changed_by
from jiying.orders.queries import Line
from jiying.orders.store import began_with, moment_of
from jiying.pages.peopletime import people_time
from jiying.pages.words import word


def changes(lines: Sequence[Line]) -> dict[int, list[Moved]]:
    """What changed, by the version of the event; `lines` are all of one order.

    A `repack` says it itself; of a reclassification it follows from the events.
    """
    found = {
        line.event.version: [Moved.of(one) for one in line.event.data["changed"]]
        for line in lines
        if line.event.verb == "repack"
    }
    if any(line.event.verb == "reclassify" for line in lines):
        moments = [moment_of(line.event) for line in lines]
        found |= changed_by(moments, began_with(moments[0]))
    return found


def sentences(moved: Iterable[Moved], data: Any) -> Iterator[str]:
    """One for each promise; by which packs, where `data` of the event says so."""
    if data.get("pack"):
        yield f"{data.get('from')} → {data.get('pack')}"
    told = [_sentence(one) for one in moved]
    yield from told or [_("各项时限不变")]


def _sentence(one: Moved) -> str:
    facts = {
        "promise": word("promise", one.promise),
        "was": people_time(one.from_due, ago=False) if one.from_due else "",
        "due": people_time(one.to_due, ago=False) if one.to_due else "",
    }
    if one.to_due is None:
        return _("%(promise)s不再计时（原为 %(was)s）") % facts
    if one.what == NEW:
        return _("%(promise)s开始计时，应在 %(due)s 前") % facts
    return _("%(promise)s改到 %(due)s（原为 %(was)s）") % facts
