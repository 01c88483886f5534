"""The demo's places: one seed, one district."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from jiying.estates import queries
from jiying.estates.models import Building, Estate, Worker
from jiying.people import rosters
from jiying.people.models import NightDuty
from jiying.simulation.demo.place import Size, build

pytestmark = pytest.mark.django_db


def rows(seed: int) -> list[tuple[object, ...]]:
    """What somebody would see of the district that a seed makes; it is taken back."""
    with transaction.atomic():
        build(Size(estates=72, workers=60, seed=seed))
        seen: list[tuple[object, ...]] = [
            *Estate.objects.order_by("code").values_list("code", "name", "lon", "lat", "households"),
            *Worker.objects.order_by("user__username").values_list("user__username", "name", "company__name"),
        ]
        transaction.set_rollback(True)
    return seen


def test_the_same_seed_makes_the_same_district_and_another_seed_another() -> None:
    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


def test_the_demos_companies_and_its_centre_keep_a_roster_of_people_who_may_stand_in_it() -> None:
    build(Size(estates=72, workers=60))
    rows = NightDuty.objects.select_related("organisation", "user")
    assert {row.organisation.kind for row in rows} == {"company", "town", "centre"}
    for row in rows:
        assert row.duty in dict(rosters.people(row.organisation, timezone.localdate()))[row.user]


def test_some_estates_have_no_company_and_some_changed_hands() -> None:
    made = build(Size(estates=300, workers=60))
    today = timezone.localdate()
    serving = queries.serving_companies([estate.id for estate in made.estates], today)
    assert 2 <= 300 - len(serving) <= 20
    assert Estate.objects.filter(contracts__valid_to__lt=today).exists()


def test_estates_lie_in_their_towns_and_have_names_of_their_own() -> None:
    made = build(Size(estates=300, workers=60))
    assert len({estate.name for estate in made.estates}) == 300
    assert all(estate.committee is not None and estate.committee.parent == estate.town for estate in made.estates)
    assert Building.objects.count() == 6 * 300


def test_every_worker_has_a_shift_and_skills() -> None:
    build(Size(estates=36, workers=120))
    assert Worker.objects.count() == Worker.objects.exclude(shifts=None).distinct().count() == 120
    assert all(worker.skills for worker in Worker.objects.all())
