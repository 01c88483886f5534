"""Import of orders: open ones go on here, closed ones keep their times and have their promises judged."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.core import bulk
from jiying.core.crypto import sm3_hex
from jiying.core.errors import JiyingError, NotFound
from jiying.core.geo import Point
from jiying.core.mapping import Row
from jiying.core.text import clean
from jiying.exchange.kinds.base import Field, Item, Kind, Plan, Refused, text
from jiying.exchange.models import ImportKind, Link, Verdict
from jiying.orders import past, withdrawal
from jiying.orders.drafts import Numbers
from jiying.orders.intake import NewOrder
from jiying.orders.models import Order
from jiying.orders.places import Places
from jiying.rules import packs
from jiying.rules.faults import NoPack
from jiying.supervision import actions as figures

STATES = ("open", "done", "closed", "refused", "cancelled", "merged")
"""What a ledger may say of an order.  `merged`: it said the same as another one."""

_MOMENTS = (("signed_at", "sign"), ("contacted_at", "contact"), ("arrived_at", "arrive"), ("done_at", "done"))
_KNOWS = {"signed_at": "signed", "contacted_at": "contacted", "arrived_at": "arrived"}
_MOVING = ("state", "signed_at", "contacted_at", "arrived_at", "done_at", "closed_at", "answer", "rule")
_TIMES = ("reported_at", "due_at", "signed_at", "contacted_at", "arrived_at", "done_at", "closed_at")
_PLAIN = (
    "kind", "category", "urgency", "description", "estate", "building", "unit", "address", "name", "phone",
    "channel", "answer", "rule",
)  # fmt: skip


class Orders(Kind):
    """Known by the number their source gives them."""

    name = "orders"
    fields = (
        Field("external_id", gettext_lazy("原编号"), required=True),
        Field("reported_at", gettext_lazy("报修时间"), required=True, time=True),
        Field("category", gettext_lazy("类别"), required=True),
        Field("description", gettext_lazy("内容"), required=True),
        Field("kind", gettext_lazy("类型")),
        Field("urgency", gettext_lazy("紧急程度")),
        Field("town", gettext_lazy("街镇")),
        Field("estate", gettext_lazy("小区")),
        Field("building", gettext_lazy("楼栋")),
        Field("unit", gettext_lazy("室号")),
        Field("address", gettext_lazy("地址")),
        Field("lon", gettext_lazy("经度")),
        Field("lat", gettext_lazy("纬度")),
        Field("name", gettext_lazy("姓名")),
        Field("phone", gettext_lazy("电话")),
        Field("channel", gettext_lazy("来源")),
        Field("state", gettext_lazy("状态")),
        Field("due_at", gettext_lazy("办结期限"), time=True),
        Field("signed_at", gettext_lazy("签收时间"), time=True),
        Field("contacted_at", gettext_lazy("联系时间"), time=True),
        Field("arrived_at", gettext_lazy("到场时间"), time=True),
        Field("done_at", gettext_lazy("完工时间"), time=True),
        Field("closed_at", gettext_lazy("结案时间"), time=True),
        Field("answer", gettext_lazy("答复")),
        Field("rule", gettext_lazy("不予受理的依据")),
    )

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._links: dict[str, Link] = {}
        self._orders: dict[uuid.UUID, Order] = {}
        self._places: Places | None = None
        self._numbers = Numbers()
        self._by = past.importer(self.task.import_id)
        mapping = self.task.mapping
        self._knows = tuple(sorted({"done", *(said for name, said in _KNOWS.items() if mapping.has(name))}))

    # -- judging ---------------------------------------------------------------------------------

    def expect(self, rows: list[Row]) -> None:
        wanted = [text(row.values, "external_id") for row in rows]
        self._find([key for key in wanted if key])

    def plan(self, row: Row) -> Plan:
        try:
            return self._plan(row)
        except JiyingError as error:
            raise Refused.of(error, row.values) from error

    def _plan(self, row: Row) -> Plan:
        key = clean(text(row.values, "external_id"), field="external_id", max_chars=60, single_line=True)
        values = self._values(row)
        link = self._links.get(key)
        if link is None:
            past.check(self._past(key, values), now=self.task.now, places=self._ground())
            return Plan(key, Verdict.CREATE, values)
        fixed, whole = _digests(values)
        if link.whole == whole:
            return Plan(key, Verdict.UNCHANGED, values)
        if link.fixed != fixed:
            raise Refused("external_id", key, "changed_report", str(_CHANGED))
        order = self._orders.get(link.target)
        if order is None:
            raise Refused("external_id", key, "not_found", _("它导入的工单已经不在了。"))
        passed = self._meanwhile(order, values)
        past.go_on(order, passed, by=self._by, now=self.task.now, dry=True)
        return Plan(key, Verdict.UPDATE, values, {"state": (order.state, values["state"])})

    def _values(self, row: Row) -> dict[str, Any]:
        """The row in plain values: times in ISO 8601, UTC."""
        given = row.values
        values: dict[str, Any] = {name: str(given[name]) for name in _PLAIN if given.get(name) not in (None, "")}
        for name in _TIMES:
            if isinstance(at := given.get(name), datetime):
                values[name] = at.isoformat()
        if "reported_at" not in values:
            raise Refused("reported_at", text(given, "reported_at"), "required", _("这一列不能空着。"))
        if "lon" in given:
            values["lon"], values["lat"] = round(float(given["lon"]), 6), round(float(given["lat"]), 6)  # type: ignore[arg-type]
        if not values.get("category"):
            raise Refused("category", "", "required", _("这一列不能空着。"))
        self._settle_state(values, text(given, "state") or "open")
        self._check_times(values)
        self._put(values, given)
        return values

    def _settle_state(self, values: dict[str, Any], state: str) -> None:
        if state not in STATES:
            raise Refused("state", state, "unknown_state", _("状态应为其中之一：%(k)s") % {"k": "、".join(STATES)})
        values["state"] = state
        if state == "open":
            values.pop("done_at", None)
            values.pop("closed_at", None)
            return
        # A ledger that has one column for the end has it for both moments.
        done, closed = values.get("done_at"), values.get("closed_at")
        if not (done or closed):
            raise Refused("closed_at", "", "required", _("已经办结的工单应有完工或结案时间。"))
        values["done_at"], values["closed_at"] = done or closed, closed or done
        if state == "done":
            del values["closed_at"]

    def _check_times(self, values: dict[str, Any]) -> None:
        reported = values["reported_at"]
        if datetime.fromisoformat(reported) > self.task.now:
            raise Refused("reported_at", reported, "bad_time", _("报修时间在将来。"))
        try:
            packs.in_force(datetime.fromisoformat(reported) - timedelta(days=1))
        except NoPack as error:
            raise Refused("reported_at", reported, "bad_time", _("那时还没有规则包，请核对年份。")) from error
        for name in ("due_at", "signed_at", "contacted_at", "arrived_at", "done_at", "closed_at"):
            if values.get(name) and values[name] < reported:
                raise Refused(name, values[name], "bad_time", _("早于报修时间。"))

    def _put(self, values: dict[str, Any], given: dict[str, Any]) -> None:
        """Estate and town by their codes."""
        book = self.task.book
        if named := values.get("estate"):
            values["estate"] = book.estate(named)
            return
        values.pop("building", None)
        town = book.town(given, Point(values["lon"], values["lat"]) if "lon" in values else None)
        if town is not None:
            values["town"] = town.code

    def _past(self, key: str, values: dict[str, Any]) -> past.PastOrder:
        new = NewOrder(
            kind=values.get("kind", "repair"),
            category=values["category"],
            description=values.get("description"),
            urgency=values.get("urgency"),
            estate=values.get("estate"),
            building=values.get("building"),
            unit=values.get("unit"),
            address=values.get("address"),
            point=Point(values["lon"], values["lat"]) if "lon" in values else None,
            name=values.get("name"),
            phone=values.get("phone"),
            channel=values.get("channel", "import")[:12],
            reported_at=datetime.fromisoformat(values["reported_at"]),
            town=values.get("town", ""),
            external_id=key,
            lot=False,
            due_at=datetime.fromisoformat(values["due_at"]) if "due_at" in values else None,
            knows=self._knows,
        )
        return past.PastOrder(new, tuple(_passed(values)))

    def _meanwhile(self, order: Order, values: dict[str, Any]) -> list[past.Passed]:
        """What of the row's moments is new to `order`."""
        known = {event.verb for event in order.events.all()}
        passed = [moment for moment in _passed(values) if moment.verb not in known]
        if not passed:
            raise Refused("state", values["state"], "changed_past", str(_PAST))
        return passed

    def _ground(self) -> Places:
        """All places, and the towns that the import is going to make."""
        if self._places is None:
            self._places = Places.everything()
            self._places.district = self.task.book.district
        for town in self.task.book.fresh.values():
            self._places.towns.setdefault(town.division.code, town.division)
        return self._places

    def _find(self, keys: list[str], *, lock: bool = False) -> None:
        source = self.task.mapping.source
        links = Link.objects.filter(kind=ImportKind.ORDERS, source=source, external_id__in=keys)
        self._links = {link.external_id: link for link in links}
        rows = Order.objects.select_related("estate", "town", "committee", "company", "worker__company")
        rows = rows.filter(pk__in=[link.target for link in self._links.values()])
        self._orders = {row.pk: row for row in (rows.select_for_update(of=("self",), no_key=True) if lock else rows)}

    # -- writing ---------------------------------------------------------------------------------

    def write(self, items: list[Item]) -> None:
        self._find([item.key for item in items], lock=True)
        fresh = [item for item in items if item.key not in self._links]
        pasts = [self._past(item.key, item.values) for item in fresh]
        results = past.accept_past(pasts, by=self._by, now=self.task.now, places=self._ground(), numbers=self._numbers)
        links = []
        for item, result in zip(fresh, results, strict=True):
            if result.order is None:
                item.refused = Refused.of(result.error or NotFound(), item.values)
                continue
            item.target = result.order.pk
            links.append(self._link(item, result.order.pk))
        bulk.insert(links)
        for item in items:
            if item.key in self._links:
                self._go_on(item, self._links[item.key])

    def _link(self, item: Item, target: uuid.UUID) -> Link:
        fixed, whole = _digests(item.values)
        return Link(
            kind=ImportKind.ORDERS,
            source=self.task.mapping.source,
            external_id=item.key,
            target=target,
            fixed=fixed,
            whole=whole,
            imported_id=self.task.import_id,
        )

    def _go_on(self, item: Item, link: Link) -> None:
        try:
            order = self._orders[link.target]
            past.go_on(order, self._meanwhile(order, item.values), by=self._by, now=self.task.now)
        except JiyingError as error:
            item.refused = Refused.of(error, item.values)
            return
        except Refused as error:
            item.refused = error
            return
        item.target, item.before = order.pk, {}
        link.fixed, link.whole = _digests(item.values)
        link.save(update_fields=["fixed", "whole"])

    def undo(self, items: list[Item]) -> None:
        created = {item.target: item for item in items if item.before is None and item.target}
        withdrawn = withdrawal.withdraw(created, by=self._by)
        left = withdrawn.left
        self.task.removed += withdrawn.lines
        for item in items:
            if item.before is not None:
                item.kept = _("事件只增不改：导入补记的办理情况不能撤销。")
            elif item.target in left:
                item.kept = left[item.target]
        gone = [target for target in created if target not in left]
        figures.forget(gone)
        Link.objects.filter(kind=ImportKind.ORDERS, target__in=gone).delete()


_CHANGED = gettext_lazy(
    "这张工单以前导入过，而这次的内容不同（报修时间、内容、地点或期限）；已报的事不能改写。"
    "若是映射改了，请先撤销上次导入。"
)
_PAST = gettext_lazy("这张工单以前导入过，这次的办理情况与已记下的矛盾。")


def _digests(values: dict[str, Any]) -> tuple[str, str]:
    """Digests of what can never change about an order, and of everything."""
    fixed = {name: value for name, value in values.items() if name not in _MOVING}
    return _digest(fixed), _digest(values)


def _digest(values: dict[str, Any]) -> str:
    return sm3_hex(json.dumps(values, ensure_ascii=False, sort_keys=True).encode())


def _passed(values: dict[str, Any]) -> Iterable[past.Passed]:
    """The moments after the report, in their order; what happened at one instant in the order of an order's life."""
    moments: list[tuple[str, int, past.Passed]] = []
    state = values["state"]
    at = values.get("closed_at") or values.get("done_at") or ""
    if state in ("refused", "cancelled", "merged"):
        verb = "refuse" if state == "refused" else "cancel"
        data = {"rule": values.get("rule") or "import"} if state == "refused" else {"merged": state == "merged"}
        moments.append((at, 9, past.Passed(verb, datetime.fromisoformat(at), data)))
    for rank, (name, verb) in enumerate(_MOMENTS):
        if name not in values or (name == "done_at" and state not in ("done", "closed")):
            continue
        data = {"note": values["answer"]} if verb == "done" and values.get("answer") else {}
        moments.append((values[name], rank, past.Passed(verb, datetime.fromisoformat(values[name]), data)))
    if state == "closed":
        moments.append((at, 8, past.Passed("close", datetime.fromisoformat(at))))
    return [moment for _at, _rank, moment in sorted(moments, key=lambda one: one[:2])]
