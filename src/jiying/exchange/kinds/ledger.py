"""What divisions, companies, estates and workers have in common: rows with facts, compared with what stands.

A value that the file leaves empty never empties what is here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core.errors import JiyingError
from jiying.core.mapping import Row
from jiying.estates.entering import facts_of, take_out
from jiying.estates.models import Company, Division, Estate, Worker
from jiying.exchange.kinds.base import Item, Kind, Plan, Refused
from jiying.exchange.models import Verdict

Thing = TypeVar("Thing", Division, Company, Estate, Worker)
Facts = dict[str, Any]


class LedgerKind(Kind, Generic[Thing]):
    """A kind whose rows are things with facts, known again by a key."""

    model: type[Thing]
    _known: dict[str, Thing] | None = None

    # -- what each kind says ---------------------------------------------------------------------

    def facts(self, row: Row) -> tuple[str, Facts]:
        """Key and facts of a row, checked and in our words; only those that the row gives.

        Raises:
            Refused, JiyingError.
        """
        raise NotImplementedError

    def standing(self, keys: Iterable[str] | None) -> dict[str, Thing]:
        """What stands already, by key: of `keys`, or everything that this import may meet."""
        raise NotImplementedError

    def enter(self, key: str, facts: Facts) -> Thing:
        raise NotImplementedError

    def change(self, thing: Thing, facts: Facts) -> None:
        raise NotImplementedError

    def leave(self, targets: list[uuid.UUID]) -> None:
        """Let what is only kept beside the things (figures that are nought) let go of them."""

    # -- the rest is the same ----------------------------------------------------------------------

    def plan(self, row: Row) -> Plan:
        try:
            key, facts = self.facts(row)
        except JiyingError as error:
            raise Refused.of(error, row.values) from error
        if self._known is None:
            self._known = self.standing(None)
        thing = self._known.get(key)
        if thing is None:
            return Plan(key, Verdict.CREATE, facts)
        self.may_change(thing)
        now = facts_of(thing)
        changes = {name: (now.get(name), value) for name, value in facts.items() if now.get(name) != value}
        return Plan(key, Verdict.UPDATE if changes else Verdict.UNCHANGED, facts, changes)

    def may_change(self, thing: Thing) -> None:
        """Refuse to touch what belongs to others (Refused `not_yours`)."""

    def write(self, items: list[Item]) -> None:
        standing = self.standing([item.key for item in items])
        for item in items:
            thing = standing.get(item.key)
            try:
                if thing is None:
                    thing = standing[item.key] = self.enter(item.key, item.values)
                else:
                    item.before = {name: value for name, value in facts_of(thing).items() if name in item.values}
                    self.change(thing, item.values)
                item.target = thing.pk
            except JiyingError as error:
                item.refused = Refused.of(error, item.values)

    def undo(self, items: list[Item]) -> None:
        things = self.model._base_manager.in_bulk([item.target for item in items])
        self.leave([item.target for item in items if item.target and item.before is None])
        for item in items:
            thing = things.get(item.target)
            if thing is None:
                continue
            if item.before is None:
                if not take_out(thing, since=self.today):
                    item.kept = _("已有别的数据用到它，未删除。")
            elif any(facts_of(thing).get(name) != value for name, value in item.values.items()):
                item.kept = _("导入之后又改过，未恢复。")
            else:
                self.change(thing, item.before)

    @property
    def today(self) -> Any:
        """The day from which what the import enters is valid."""
        return timezone.localdate(self.task.now)


def number(values: dict[str, Any], name: str, most: int) -> int:
    """A whole number of things (Refused `bad_number`)."""
    said = str(values[name]).strip().replace(",", "").replace("，", "")
    try:
        count = float(said)
    except ValueError:
        count = -1.0
    if not (0 <= count <= most) or count != int(count):
        raise Refused(name, said, "bad_number", _("这里应当是 0 到 %(most)d 的整数。") % {"most": most})
    return int(count)


def chosen(values: dict[str, Any], name: str, choices: Iterable[str]) -> str:
    """One of some words (Refused `unknown_NAME`)."""
    said, known = str(values[name]), list(choices)
    if said not in known:
        raise Refused(name, said, f"unknown_{name}", _("应为其中之一：%(known)s") % {"known": "、".join(known)})
    return said


def point(values: dict[str, Any]) -> Facts:
    """Longitude and latitude as facts, rounded to about a decimetre."""
    if "lon" not in values:
        return {}
    return {"lon": round(float(values["lon"]), 6), "lat": round(float(values["lat"]), 6)}
