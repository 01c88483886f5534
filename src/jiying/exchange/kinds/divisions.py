"""Import of divisions: districts, towns and committees."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.core.mapping import Row
from jiying.core.text import clean
from jiying.estates.entering import change_division, enter_division
from jiying.estates.models import Division, Level
from jiying.exchange.kinds.base import Field, Refused, text
from jiying.exchange.kinds.ledger import Facts, LedgerKind, chosen, point
from jiying.supervision import actions as figures

_LEVEL_OF_LENGTH = {6: Level.DISTRICT, 9: Level.TOWN, 12: Level.COMMITTEE}
_RANK = {Level.DISTRICT: 0, Level.TOWN: 1, Level.COMMITTEE: 2}
_CODE_OF_PARENT = {Level.TOWN: 6, Level.COMMITTEE: 9}


class Divisions(LedgerKind[Division]):
    """Known by their code; the level and the parent follow from a code of 6, 9 or 12 digits.

    Parents stand before their children in the file, as in any list of codes.
    """

    name = "divisions"
    model = Division
    fields = (
        Field("code", gettext_lazy("区划代码"), required=True),
        Field("name", gettext_lazy("名称"), required=True),
        Field("name_en", gettext_lazy("英文名称")),
        Field("level", gettext_lazy("级别")),
        Field("parent", gettext_lazy("上级代码")),
        Field("lon", gettext_lazy("经度")),
        Field("lat", gettext_lazy("纬度")),
        Field("valid_from", gettext_lazy("启用日期"), time=True),
        Field("valid_to", gettext_lazy("撤销日期"), time=True),
    )

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._said: dict[str, str] = {}

    def facts(self, row: Row) -> tuple[str, Facts]:
        values = row.values
        code = clean(text(values, "code"), field="code", max_chars=20, single_line=True)
        facts: Facts = {
            "code": code,
            "name": clean(text(values, "name"), field="name", max_chars=80, single_line=True),
            "level": self._level(code, values),
            **point(values),
        }
        if text(values, "name_en"):
            facts["name_en"] = clean(text(values, "name_en"), field="name_en", max_chars=80, single_line=True)
        if facts["level"] == Level.DISTRICT:
            facts["timezone"] = str(self.task.mapping.timezone)
        else:
            facts["parent"] = self._parent(code, facts["level"], text(values, "parent"))
        for name in ("valid_from", "valid_to"):
            if isinstance(at := values.get(name), datetime):
                facts[name] = at.astimezone(self.task.mapping.timezone).date().isoformat()
        self._said[code] = facts["level"]
        return code, facts

    def _level(self, code: str, values: dict[str, Any]) -> str:
        if values.get("level"):
            return chosen(values, "level", Level.values)
        known = _LEVEL_OF_LENGTH.get(len(code)) if code.isdigit() else None
        if known is None:
            raise Refused("level", "", "required", _("看不出级别：代码应为 6、9 或 12 位，或者填写级别。"))
        return str(known)

    def _parent(self, code: str, level: str, said: str) -> str:
        if not said and code.isdigit():
            said = code[: _CODE_OF_PARENT[Level(level)]]
        if not said and level == Level.TOWN:
            said = self.task.district
        if self._known is None:
            self._known = self.standing(None)
        there = self._said.get(said) or (self._known[said].level if said in self._known else "")
        if not there:
            raise Refused(
                "parent", said, "unknown_parent", _("没有上级区划 %(code)s；上级要写在下级之前。") % {"code": said}
            )
        if _RANK[Level(there)] != _RANK[Level(level)] - 1:
            raise Refused("parent", said, "bad_parent", _("上级区划的级别不对。"))
        return said

    def standing(self, keys: Iterable[str] | None) -> dict[str, Division]:
        rows = Division.objects.select_related("parent").order_by("valid_from")
        return {row.code: row for row in (rows if keys is None else rows.filter(code__in=list(keys)))}

    def enter(self, key: str, facts: Facts) -> Division:
        return enter_division(facts)

    def change(self, thing: Division, facts: Facts) -> None:
        change_division(thing, facts)

    def leave(self, targets: list[uuid.UUID]) -> None:
        figures.leave(towns=targets)
