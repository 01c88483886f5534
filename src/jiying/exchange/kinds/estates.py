"""Import of estates, with the company that serves each."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.core.geo import Point
from jiying.core.mapping import Row
from jiying.core.text import clean
from jiying.estates.entering import change_estate, enter_estate
from jiying.estates.models import Estate, EstateKind
from jiying.exchange.kinds.base import Field, Refused, text
from jiying.exchange.kinds.ledger import Facts, LedgerKind, chosen, number, point
from jiying.supervision import actions as figures

MOST_HOUSEHOLDS = 1_000_000


class Estates(LedgerKind[Estate]):
    """Known by their code; where a ledger has none, the mapping makes one of the name (`digest`)."""

    name = "estates"
    model = Estate
    fields = (
        Field("code", gettext_lazy("小区代码"), required=True),
        Field("name", gettext_lazy("小区名称"), required=True),
        Field("address", gettext_lazy("地址")),
        Field("town", gettext_lazy("街镇")),
        Field("committee", gettext_lazy("居村委")),
        Field("kind", gettext_lazy("类型")),
        Field("households", gettext_lazy("户数")),
        Field("company", gettext_lazy("物业企业")),
        Field("lon", gettext_lazy("经度")),
        Field("lat", gettext_lazy("纬度")),
    )

    def facts(self, row: Row) -> tuple[str, Facts]:
        values, book = row.values, self.task.book
        code = clean(text(values, "code"), field="code", max_chars=40, single_line=True)
        facts: Facts = {
            "code": code,
            "name": clean(text(values, "name"), field="name", max_chars=120, single_line=True),
            **point(values),
        }
        if "lon" in facts:
            facts["crs"] = self.task.mapping.crs
        at = Point(facts["lon"], facts["lat"]) if "lon" in facts else None
        town = book.town(values, at)
        if town is None:
            raise Refused(
                "town", text(values, "town"), "unknown_town", _("不知道在哪个街镇：没有填写，位置附近也没有。")
            )
        facts["town"] = town.code
        if text(values, "committee"):
            facts["committee"] = book.committee(text(values, "committee"), town).code
        if text(values, "company"):
            facts["company"] = book.company(text(values, "company"))
        if text(values, "address"):
            facts["address"] = clean(text(values, "address"), field="address", max_chars=200, single_line=True)
        if "households" in values:
            facts["households"] = number(values, "households", MOST_HOUSEHOLDS)
        if "kind" in values:
            facts["kind"] = chosen(values, "kind", EstateKind.values)
        return code, facts

    def standing(self, keys: Iterable[str] | None) -> dict[str, Estate]:
        rows = Estate.objects.select_related("town", "committee")
        rows = rows.filter(district=self.task.district) if keys is None else rows.filter(code__in=list(keys))
        return {row.code: row for row in rows}

    def may_change(self, thing: Estate) -> None:
        own = self.task.book.own_towns
        if own is not None and thing.town.code not in own:
            raise Refused("code", thing.code, "not_yours", _("这个小区属于别的街镇。"))

    def enter(self, key: str, facts: Facts) -> Estate:
        return enter_estate(facts, district=self.task.district, since=self.today)

    def change(self, thing: Estate, facts: Facts) -> None:
        change_estate(thing, facts, since=self.today)

    def leave(self, targets: list[uuid.UUID]) -> None:
        figures.leave(estates=targets)
