"""Reads of the planner for screens."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from jiying.estates.models import Company, Division, Level, Worker
from jiying.planning.models import Study

LATEST = 20


@dataclass(frozen=True, slots=True)
class Choices:
    """What a question can name: skills that anybody has, towns and companies by code and name."""

    skills: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]
    companies: tuple[tuple[str, str], ...]


def choices(district: str) -> Choices:
    """What a question about a district can name.  Three queries."""
    skills: set[str] = set()
    for own in Worker.objects.filter(active=True, company__district=district).values_list("skills", flat=True):
        skills.update(own)
    towns = Division.objects.valid_on(timezone.localdate()).filter(level=Level.TOWN, parent__code=district)
    companies = Company.objects.filter(district=district).order_by("name")
    return Choices(
        tuple(sorted(skills)),
        tuple(towns.order_by("code").values_list("code", "name")),
        tuple(companies.values_list("uscc", "name")),
    )


def latest(user: Any) -> list[Study]:
    """The latest studies that somebody may see, without what they found."""
    rows = Study.objects.visible_to(user).select_related("by").defer("answer").order_by("-asked_at")
    return list(rows[:LATEST])


def found(user: Any, study_id: uuid.UUID) -> Study | None:
    """A study, if they may see it."""
    return Study.objects.visible_to(user).select_related("by").filter(pk=study_id).first()
