"""The desk's chips and title in words."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.desk.filters import Filters
from jiying.desk.queue import Counts
from jiying.desk.reach import waits_for
from jiying.estates.models import Company, Division, Estate
from jiying.pages.words import word
from jiying.people.scopes import Scope

GROUP_NAMES: dict[str, Lazy | str] = {
    "open": gettext_lazy("处理中"),
    "submitted": gettext_lazy("待签收"),
    "signed": gettext_lazy("待派工"),
    "underway": gettext_lazy("上门中"),
    "paused": gettext_lazy("已挂起"),
    "returned": gettext_lazy("已退单"),
    "done": gettext_lazy("待核查"),
    "verified": gettext_lazy("待结案"),
    "ended": gettext_lazy("已结束"),
}


def chips_of(filters: Filters, counts: Counts, scope: Scope) -> list[dict[str, Any]]:
    """The chips: label, address, whether pressed, count (None where nobody counts)."""
    mine = waits_for(scope)
    chips = [
        {
            "label": _("等我办"),
            "href": filters.but(mine=not filters.mine, group="all" if not filters.mine else "open"),
            "on": filters.mine,
            "count": sum(counts.states.get(state, 0) for state in mine),
            "toggle": True,
        },
        {
            "label": word("urgency", "emergency"),
            "href": filters.but(urgency="" if filters.urgency == "emergency" else "emergency"),
            "on": filters.urgency == "emergency",
            "count": counts.emergency,
            "toggle": True,
        },
        {
            "label": _("已超时"),
            "href": filters.but(late=not filters.late),
            "on": filters.late,
            "count": counts.late,
            "toggle": True,
        },
    ]
    for group, name in GROUP_NAMES.items():
        number = counts.of(group) if group != "ended" else None
        on = filters.group == group and not filters.mine
        if number == 0 and not on and group != "open":
            continue
        href = filters.but(group=group, mine=False)
        chips.append({"label": str(name), "href": href, "on": on, "count": number, "toggle": False})
    return [{**chip, "href": f"/desk?{chip['href']}" if chip["href"] else "/desk"} for chip in chips]


def title_of(filters: Filters) -> str:
    """What the list is narrowed to by a figure's link, in words; "" for the queue itself."""
    parts: list[str] = []
    for model, column, code in (
        (Division, "code", filters.town),
        (Company, "uscc", filters.company),
        (Estate, "code", filters.estate),
    ):
        if code:
            parts.append(model.objects.filter(**{column: code}).values_list("name", flat=True).first() or code)
    if filters.kind:
        parts.append(word("kind", filters.kind))
    if filters.promise:
        parts.append(_("响应") if filters.promise == "response" else word("promise", filters.promise))
    if filters.only:
        parts.append({"rated": _("有评价"), "reopened": _("返修过")}[filters.only])
    if filters.kept:
        parts.append(word("clock_state", filters.kept))
    return " · ".join(parts)
