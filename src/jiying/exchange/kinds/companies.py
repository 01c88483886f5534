"""Import of property-service companies."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.utils.translation import gettext_lazy

from jiying.core.mapping import Row
from jiying.core.text import clean
from jiying.estates.actions import checked_uscc
from jiying.estates.entering import change_company, enter_company
from jiying.estates.models import Company
from jiying.exchange.kinds.base import Field, text
from jiying.exchange.kinds.ledger import Facts, LedgerKind
from jiying.supervision import actions as figures


class Companies(LedgerKind[Company]):
    """Known by their unified social credit code (GB 32100), whose check digit must be right."""

    name = "companies"
    model = Company
    fields = (
        Field("uscc", gettext_lazy("统一社会信用代码"), required=True),
        Field("name", gettext_lazy("企业名称"), required=True),
        Field("parent", gettext_lazy("上级企业")),
    )

    def facts(self, row: Row) -> tuple[str, Facts]:
        values = row.values
        code = checked_uscc(text(values, "uscc"))
        facts: Facts = {
            "uscc": code,
            "name": clean(text(values, "name"), field="name", max_chars=120, single_line=True),
        }
        if text(values, "parent"):
            facts["parent"] = self.task.book.company(text(values, "parent"), "parent")
        return code, facts

    def standing(self, keys: Iterable[str] | None) -> dict[str, Company]:
        rows = Company.objects.select_related("parent", "organisation")
        return {row.uscc: row for row in (rows if keys is None else rows.filter(uscc__in=list(keys)))}

    def enter(self, key: str, facts: Facts) -> Company:
        return enter_company(facts, district=self.task.district)

    def change(self, thing: Company, facts: Facts) -> None:
        change_company(thing, facts)

    def leave(self, targets: list[uuid.UUID]) -> None:
        figures.leave(companies=targets)
