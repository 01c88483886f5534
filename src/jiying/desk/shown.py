"""The desk's chips and title in words."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from jiying.desk.filters import NOWHERE, Filters
from jiying.desk.queue import MOST, Counts
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


ONLY_NAMES: dict[str, Lazy | str] = {
    "rated": gettext_lazy("有评价"),
    "answered": gettext_lazy("居民说过是否解决"),
    "reopened": gettext_lazy("返修过"),
    "done": gettext_lazy("完工过"),
    "closed": gettext_lazy("已结案"),
}


def title_of(filters: Filters) -> str:
    """What the list is narrowed to by a figure's link, in words; "" for the queue itself."""
    parts: list[str] = []
    for model, column, code in (
        (Division, "code", filters.town),
        (Division, "code", filters.committee),
        (Company, "uscc", filters.company),
        (Estate, "code", filters.estate),
    ):
        if code == NOWHERE:
            parts.append(_("没有物业企业") if model is Company else _("地点未定"))
        elif code:
            parts.append(model.objects.filter(**{column: code}).values_list("name", flat=True).first() or code)
    if filters.kind:
        parts.append(word("kind", filters.kind))
    if filters.promise:
        parts.append(_("响应") if filters.promise == "response" else word("promise", filters.promise))
    if filters.only:
        parts.append(str(ONLY_NAMES[filters.only]))
    if filters.kept:
        parts.append(word("clock_state", filters.kept))
    return " · ".join(parts)


def total_of(filters: Filters, counted: tuple[int, int] | None) -> str:
    """How much a figure counted, in words; more than can be counted in a moment is said to be more."""
    if counted is None:
        return ""
    rows, orders = counted
    said = f"{MOST:,}+" if orders >= MOST else f"{orders:,}"
    told = ngettext("%(n)s 张工单", "%(n)s 张工单", orders) % {"n": said}
    if filters.promise and rows != orders:
        return _("%(rows)s 个时限，%(orders)s") % {"rows": f"{rows:,}", "orders": told}
    if filters.only in ("rated", "answered") and rows != orders:
        return _("%(rows)s 次，%(orders)s") % {"rows": f"{rows:,}", "orders": told}
    return told
