"""Ledgers brought in by imports: divisions, estates, companies and workers entered, changed and taken out again.

Values are plain, as `facts_of_*` give them, so that what stood before can be kept and restored.  Other rows
are named by their own codes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Model, ProtectedError
from django.utils import timezone

from jiying.core.crypto import seal, unseal
from jiying.core.phones import parse_phone
from jiying.core.text import initials
from jiying.estates import actions
from jiying.estates.models import Company, Contract, Division, Estate, Shift, Worker
from jiying.estates.queries import forget_zones, serving_company

Facts = dict[str, Any]
PLAIN = {
    Division: ("code", "name", "name_en", "level", "lon", "lat", "timezone"),
    Estate: ("code", "name", "address", "kind", "households", "lon", "lat", "crs"),
    Company: ("uscc", "name"),
    Worker: ("name", "skills", "active"),
}


def facts_of(row: Division | Estate | Company | Worker) -> Facts:
    """What a ledger says of a row: plain columns, and the codes of the rows it points to."""
    facts: Facts = {name: getattr(row, name) for name in PLAIN[type(row)]}
    if isinstance(row, Division):
        facts["parent"] = row.parent.code if row.parent else ""
        facts["valid_from"], facts["valid_to"] = _iso(row.valid_from), _iso(row.valid_to)
    elif isinstance(row, Estate):
        facts["town"], facts["committee"] = row.town.code, row.committee.code if row.committee else ""
        served = serving_company(row, timezone.localdate())
        facts["company"] = served.uscc if served else ""
    elif isinstance(row, Company):
        facts["parent"] = row.parent.uscc if row.parent else ""
    else:
        facts["company"] = row.company.uscc
        facts["home_estate"] = row.home_estate.code if row.home_estate else ""
        facts["phone"] = unseal(row.phone, context=f"worker:{row.pk}") if row.phone else ""
        facts["shifts"] = sorted([shift.start_min, shift.end_min] for shift in row.shifts.all())
    return facts


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def enter_division(facts: Facts) -> Division:
    """A new district, town or committee; its parent is named by code."""
    row = Division(**_plain(Division, facts))
    _point_division(row, facts)
    row.save(force_insert=True)
    forget_zones()
    return row


def change_division(row: Division, facts: Facts) -> None:
    _set(row, facts)
    _point_division(row, facts)
    row.save()
    forget_zones()


def _point_division(row: Division, facts: Facts) -> None:
    if "parent" in facts:
        row.parent = _division(facts["parent"])
    if facts.get("valid_from"):
        row.valid_from = date.fromisoformat(facts["valid_from"])
    if "valid_to" in facts:
        row.valid_to = _day(facts["valid_to"])


def enter_estate(facts: Facts, *, district: str, since: date) -> Estate:
    """A new estate, and from `since` its contract where a company is named."""
    row = Estate(district=district, **_plain(Estate, facts))
    _point_estate(row, facts)
    row.save(force_insert=True)
    _serve(row, facts, since)
    return row


def change_estate(row: Estate, facts: Facts, *, since: date) -> None:
    _set(row, facts)
    _point_estate(row, facts)
    row.save()
    _serve(row, facts, since)


def _point_estate(row: Estate, facts: Facts) -> None:
    row.initials = initials(row.name)
    if facts.get("town"):
        town = _division(facts["town"])
        assert town is not None, "the town was looked up before"
        row.town = town
    if "committee" in facts:
        row.committee = _division(facts["committee"])


def _serve(row: Estate, facts: Facts, since: date) -> None:
    if not facts.get("company"):
        return
    now = serving_company(row, since)
    if now is None or now.uscc != facts["company"]:
        actions.sign_contract(Company.objects.get(uscc=facts["company"]), row, since=since)


def enter_company(facts: Facts, *, district: str) -> Company:
    parent = Company.objects.filter(uscc=facts["parent"]).first() if facts.get("parent") else None
    return actions.register_company(district=district, uscc=facts["uscc"], name=facts["name"], parent=parent)


def change_company(row: Company, facts: Facts) -> None:
    _set(row, facts)
    if "parent" in facts:
        row.parent = Company.objects.filter(uscc=facts["parent"]).first() if facts["parent"] else None
    row.save()
    if "name" in facts:
        row.organisation.name = facts["name"]
        row.organisation.save(update_fields=["name"])


def enter_worker(facts: Facts, *, known_skills: Iterable[str]) -> Worker:
    home = Estate.objects.filter(code=facts["home_estate"]).first() if facts.get("home_estate") else None
    return actions.hire(
        Company.objects.get(uscc=facts["company"]),
        name=facts["name"],
        skills=facts.get("skills", ()),
        shifts=[(start, end) for start, end in facts.get("shifts", ())],
        known_skills=known_skills,
        home=home,
        phone=facts.get("phone", ""),
    )


def change_worker(row: Worker, facts: Facts) -> None:
    _set(row, facts)
    if facts.get("company"):
        row.company = Company.objects.get(uscc=facts["company"])
    if "home_estate" in facts:
        row.home_estate = Estate.objects.filter(code=facts["home_estate"]).first() if facts["home_estate"] else None
    if "phone" in facts:
        phone = facts["phone"]
        row.phone = seal(parse_phone(phone), context=f"worker:{row.pk}") if phone else b""
    row.save()
    if "shifts" in facts:
        row.shifts.all().delete()
        Shift.objects.bulk_create(Shift(worker=row, start_min=start, end_min=end) for start, end in facts["shifts"])


def take_out(row: Division | Estate | Company | Worker, *, since: date) -> bool:
    """Delete a row that nothing has been built on; whether that was so.

    What came with the row goes with it: a worker's shifts, a company's organisation, the contract that an
    estate was entered with (`since`: the day it began).
    """
    own = _came_along(row, since)
    for relation in row._meta.related_objects:
        others = relation.related_model._base_manager.filter(**{relation.field.name: row})
        if others.exclude(pk__in=own.get(relation.related_model, ())).exists():
            return False
    organisation = row.organisation if isinstance(row, Company) else None
    if organisation is not None and organisation.memberships.exists():
        return False
    try:
        row.delete()
        if organisation is not None:
            organisation.delete()
    except ProtectedError:
        return False
    forget_zones()
    return True


def _came_along(row: Model, since: date) -> dict[type[Model], list[uuid.UUID]]:
    if isinstance(row, Worker):
        return {Shift: list(row.shifts.values_list("pk", flat=True))}
    if isinstance(row, Estate):
        return {Contract: list(row.contracts.filter(valid_from=since).values_list("pk", flat=True))}
    return {}


def _plain(model: type[Model], facts: Facts) -> Facts:
    return {name: facts[name] for name in PLAIN[model] if name in facts}


def _set(row: Division | Estate | Company | Worker, facts: Facts) -> None:
    for name, value in _plain(type(row), facts).items():
        setattr(row, name, value)


def _division(code: str) -> Division | None:
    return Division.objects.filter(code=code).order_by("-valid_from").first() if code else None
