"""Import of repair workers with their skills and shifts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.core.crypto import sm3_hex
from jiying.core.mapping import Row
from jiying.core.mapping.staff import parse_shift
from jiying.core.phones import parse_phone
from jiying.core.text import clean
from jiying.estates.entering import change_worker, enter_worker
from jiying.estates.models import Worker
from jiying.exchange.kinds.base import Field, Item, Refused, text
from jiying.exchange.kinds.ledger import Facts, LedgerKind
from jiying.exchange.models import ImportKind, Link
from jiying.rules import packs

_YES = {"true", "1", "是", "在职", "yes", "y"}
_NO = {"false", "0", "否", "离职", "停用", "no", "n"}


class Workers(LedgerKind[Worker]):
    """Known by the number their source gives them, else by name within their company."""

    name = "workers"
    model = Worker
    fields = (
        Field("external_id", gettext_lazy("工号")),
        Field("name", gettext_lazy("姓名"), required=True),
        Field("company", gettext_lazy("物业企业"), required=True),
        Field("phone", gettext_lazy("手机")),
        Field("skills", gettext_lazy("技能")),
        Field("shifts", gettext_lazy("班次")),
        Field("home_estate", gettext_lazy("常驻小区")),
        Field("active", gettext_lazy("是否在职")),
    )

    def facts(self, row: Row) -> tuple[str, Facts]:
        values, book = row.values, self.task.book
        company = book.company(text(values, "company"))
        name = clean(text(values, "name"), field="name", max_chars=60, single_line=True)
        facts: Facts = {"name": name, "company": company}
        if text(values, "phone"):
            facts["phone"] = parse_phone(text(values, "phone"), field="phone")
        if text(values, "skills"):
            facts["skills"] = self._skills(text(values, "skills"))
        if text(values, "shifts"):
            facts["shifts"] = _shifts(text(values, "shifts"))
        if text(values, "home_estate"):
            facts["home_estate"] = book.estate(text(values, "home_estate"), name="home_estate")
        if text(values, "active"):
            facts["active"] = _yes_or_no(text(values, "active"))
        known = clean(text(values, "external_id"), field="external_id", max_chars=60, required=False, single_line=True)
        return (f"#{known}" if known else f"{company}|{name}"), facts

    def _skills(self, said: str) -> list[str]:
        known = {category.skill for category in packs.in_force(self.task.now).categories.values()}
        wanted = sorted({part.strip() for part in said.split(",") if part.strip()})
        if unknown := [skill for skill in wanted if skill not in known]:
            reason = _("没有这样的技能：%(what)s") % {"what": "、".join(unknown)}
            raise Refused("skills", said, "unknown_skill", reason)
        return wanted

    def standing(self, keys: Iterable[str] | None) -> dict[str, Worker]:
        """By number (`#NUMBER`), and by company and name where only one is called so."""
        links = Link.objects.filter(kind=ImportKind.WORKERS, source=self.task.mapping.source)
        rows = Worker.objects.select_related("company", "home_estate").prefetch_related("shifts")
        rows = rows.filter(company__district=self.task.district)
        if keys is not None:
            wanted = list(keys)
            links = links.filter(external_id__in=[key[1:] for key in wanted if key.startswith("#")])
            names = [key.partition("|")[2] for key in wanted if not key.startswith("#")]
            rows = rows.filter(Q(name__in=names) | Q(pk__in=links.values("target")))
        by_id: dict[uuid.UUID, Worker] = {row.pk: row for row in rows}
        found: dict[str, Worker] = {}
        for row in by_id.values():
            found[f"{row.company.uscc}|{row.name}"] = row
        for link in links:
            if link.target in by_id:
                found[f"#{link.external_id}"] = by_id[link.target]
        return found

    def enter(self, key: str, facts: Facts) -> Worker:
        skills = {category.skill for category in packs.in_force(self.task.now).categories.values()}
        return enter_worker(facts, known_skills=skills)

    def change(self, thing: Worker, facts: Facts) -> None:
        change_worker(thing, facts)

    def write(self, items: list[Item]) -> None:
        super().write(items)
        numbered = [(item.key, item.target) for item in items if item.key.startswith("#") and item.target]
        Link.objects.bulk_create(
            [
                Link(
                    kind=ImportKind.WORKERS,
                    source=self.task.mapping.source,
                    external_id=key[1:],
                    target=target,
                    whole=sm3_hex(key.encode()),
                    imported_id=self.task.import_id,
                )
                for key, target in numbered
            ],
            ignore_conflicts=True,
        )

    def undo(self, items: list[Item]) -> None:
        super().undo(items)
        gone = [item.target for item in items if item.target and item.before is None and not item.kept]
        Link.objects.filter(kind=ImportKind.WORKERS, target__in=gone).delete()


def _shifts(said: str) -> list[list[int]]:
    try:
        return sorted(list(parse_shift(part.strip())) for part in said.split(",") if part.strip())
    except ValueError as error:
        raise Refused("shifts", said, "bad_time", _("班次应写成 07:30-16:00，几个班次用顿号分开。")) from error


def _yes_or_no(said: str) -> bool:
    word = said.lower()
    if word not in _YES | _NO:
        raise Refused("active", said, "unknown_active", _("这里应填“是”或“否”。"))
    return word in _YES
