"""The queue as a table to take away: what the desk shows of its orders, and their promises.

Contacts are masked as on the page.  Two queries for every `CHUNK` orders, however many there are.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.desk import queue
from jiying.desk.filters import Filters
from jiying.desk.shown import GROUP_NAMES, title_of
from jiying.exchange.sources import Source
from jiying.exchange.spreadsheets import Cell, Column, Sheet
from jiying.orders import contacts
from jiying.orders.models import Clock, Order
from jiying.pages.shown import category_name
from jiying.pages.words import PROMISES, word
from jiying.people.models import User
from jiying.people.scopes import scope_of

CHUNK = 1000
ROLES = frozenset({"company", "manager", "committee", "town", "operator", "supervisor", "district"})

_COLUMNS = (
    "pk", "number", "kind", "category", "urgency", "state", "channel", "town__name", "committee__name", "estate__name",
    "building__name", "text__unit", "text__address", "text__description", "text__name", "text__phone", "company__name",
    "worker__name", "reported_at", "reopened", "external_id",
)  # fmt: skip


def filters_of(query: str) -> Filters:
    """The filters that a page's query asks for."""
    return Filters.of(QueryDict(query).dict())  # type: ignore[arg-type]


def count(user: User, query: str) -> int:
    """How many orders."""
    return queue.total(scope_of(user), filters_of(query))


def sheet(user: User, query: str) -> Sheet:
    """The orders of a desk's queue by its query, in the order in which the desk shows them."""
    filters, now = filters_of(query), timezone.now()
    ids = queue.keys(scope_of(user), filters)
    return Sheet(
        title=_("工单"),
        columns=_columns(),
        rows=_rows(ids, now),
        zone=timezone.get_current_timezone(),
        notes=_notes(user, filters, len(ids), now),
        notes_title=_("附注"),
    )


SOURCE = Source("orders", gettext_lazy("工单"), "/desk", ROLES, count, sheet)


def _columns() -> list[Column]:
    plain = [
        Column(_("单号"), width=15),
        Column(_("类型"), width=8),
        Column(_("类别"), width=14),
        Column(_("缓急"), width=8),
        Column(_("状态"), width=10),
        Column(_("来源"), width=10),
        Column(_("街镇"), width=16),
        Column(_("居村委"), width=18),
        Column(_("小区"), width=20),
        Column(_("楼栋"), width=10),
        Column(_("室号"), width=10),
        Column(_("地址"), width=24),
        Column(_("描述"), width=40),
        Column(_("报修人"), width=10),
        Column(_("电话"), width=16),
        Column(_("物业企业"), width=22),
        Column(_("维修工"), width=10),
        Column(_("报修时间"), "time", 17),
        Column(_("返修次数"), "number", 9),
        Column(_("外部编号"), width=16),
    ]
    promises = [
        column
        for name in PROMISES
        for column in (
            Column(_("%(promise)s：到期") % {"promise": word("promise", name)}, "time", 17),
            Column(_("%(promise)s：做到") % {"promise": word("promise", name)}, "time", 17),
            Column(_("%(promise)s：结果") % {"promise": word("promise", name)}, width=10),
        )
    ]
    return plain + promises


def _rows(ids: list[uuid.UUID], now: datetime) -> Iterator[list[Cell]]:
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        found = {row[0]: row for row in Order.objects.filter(pk__in=chunk).values_list(*_COLUMNS)}
        clocks = _clocks(chunk, now)
        for pk in chunk:
            if pk in found:
                yield _row(found[pk], clocks[pk])


def _row(row: tuple[Any, ...], clocks: dict[str, tuple[datetime, datetime | None, str]]) -> list[Cell]:
    (
        pk, number, kind, category, urgency, state, channel, town, committee, estate, building, unit, address,
        description, name, phone, company, worker, reported_at, reopened, external_id,
    ) = row  # fmt: skip
    reporter = contacts.masked_of(pk, name, phone)
    cells: list[Cell] = [
        number, word("kind", kind), category_name(category), word("urgency", urgency), word("state", state),
        word("channel", channel), town, committee, estate, building, unit, address, description, reporter["name"],
        reporter["phone"], company, worker, reported_at, reopened, external_id,
    ]  # fmt: skip
    for promise in PROMISES:
        due, reached, said = clocks.get(promise, (None, None, ""))
        cells += (due, reached, word("clock_state", said) if said else "")
    return cells


def _clocks(ids: list[uuid.UUID], now: datetime) -> dict[uuid.UUID, dict[str, tuple[datetime, datetime | None, str]]]:
    """By order and promise the clock of its last round: due, reached, state now."""
    found: dict[uuid.UUID, dict[str, tuple[datetime, datetime | None, str]]] = defaultdict(dict)
    rows = Clock.objects.filter(order_id__in=ids).order_by("round")
    for order, promise, state, due, reached in rows.values_list("order_id", "promise", "state", "due_at", "reached_at"):
        late = state == "running" and now > due
        found[order][promise] = (due, reached, "missed" if late else state)
    return found


def _notes(user: User, filters: Filters, n: int, now: datetime) -> list[tuple[str, str]]:
    zone = timezone.get_current_timezone()
    words = [str(GROUP_NAMES.get(filters.group, "")), word("urgency", filters.urgency) if filters.urgency else ""]
    words += [_("已超时") if filters.late else "", _("等我办") if filters.mine else "", title_of(filters)]
    words.append(f"“{filters.q}”" if filters.q else "")
    period = (
        " – ".join(f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "…" for at in (filters.from_, filters.to))
        if filters.from_ or filters.to
        else ""
    )
    return [
        (_("筛选"), " · ".join(filter(None, [*words, period])) or _("全部")),
        (_("行数"), str(n)),
        (_("导出人"), str(user)),
        (_("导出时间"), f"{now.astimezone(zone):%Y-%m-%d %H:%M}"),
        (_("时区"), str(zone)),
        (_("联系方式"), _("姓名和电话已遮挡，和页面上一样。")),
        (_("时限"), _("返修过的工单写最后一轮的时限；进行中而已过期的写“超时”。")),
    ]
