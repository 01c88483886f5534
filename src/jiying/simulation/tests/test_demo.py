"""The demo district: everybody that the pages offer is there, has something to do, and its past holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from jiying.estates.models import Company, Contract, Division, Level, Worker
from jiying.orders import verify
from jiying.orders.models import Clock, Event, Order
from jiying.people.models import User
from jiying.people.scopes import Scope, scope_of
from jiying.simulation import demo
from jiying.simulation.commands import seed as command

pytestmark = pytest.mark.django_db

SIZE = demo.Size(estates=72, workers=60, days=3, orders=60)
FRESH = 12
"""Orders in the states somebody would like to try, six for each of two companies."""


@pytest.fixture(scope="module", autouse=True)
def counts(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, int | float]]:
    """A small demo, made once for all tests here and taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield demo.seed(SIZE)
        transaction.set_rollback(True)


def scope(name: str) -> Scope:
    return scope_of(User.objects.get(username=f"demo-{name}"))


def test_the_demo_is_as_large_as_it_was_asked_to_be(counts: dict[str, int | float]) -> None:
    assert {name: counts[name] for name in ("estates", "workers", "orders")} == {
        "estates": 72,
        "workers": 60,
        "orders": 60 + FRESH,
    }
    assert counts["events"] == Event.objects.count() > 5 * counts["orders"]
    assert Division.objects.filter(level=Level.TOWN).count() == 36


def test_a_demo_s_history_holds_like_any_other() -> None:
    report = verify.verify()
    assert (report.orders, report.broken) == (60 + FRESH, [])


def test_each_demo_user_has_their_scope_and_their_double_is_elsewhere() -> None:
    for role in ("resident", "worker", "manager", "company", "committee", "town", "operator", "supervisor", "district"):
        assert role in scope(role).roles, role
        assert role in scope(f"{role}-2").roles, role
    assert scope("town").towns
    assert scope("town").towns.isdisjoint(scope("town-2").towns)
    assert scope("committee").committees.isdisjoint(scope("committee-2").committees)
    assert scope("company").companies.isdisjoint(scope("company-2").companies)
    assert scope("operator").districts == scope("district").districts == {"310115"}


@pytest.mark.parametrize("role", ["resident", "worker", "manager", "company", "committee", "town", "operator"])
def test_each_demo_user_sees_orders_in_progress(role: str) -> None:
    user = User.objects.get(username=f"demo-{role}")
    running = Order.objects.visible_to(user).exclude(state__in=("closed", "cancelled", "refused"))
    assert running.exists()


@pytest.mark.parametrize("suffix", ["", "-2"])
def test_the_demo_workers_have_orders_to_go_to_and_one_to_take(suffix: str) -> None:
    worker = Worker.objects.get(user__username=f"demo-worker{suffix}")
    mine = Counter(Order.objects.filter(worker=worker).values_list("state", flat=True))
    assert mine["assigned"] >= 2
    assert mine["en_route"] >= 1
    assert Order.objects.filter(company=worker.company, state="signed", worker=None).exists()
    assert Order.objects.filter(company=worker.company, state="submitted").exists()


def test_the_demo_residents_follow_their_own_order() -> None:
    assert Order.objects.filter(reporter__username="demo-resident").exists()


def test_nothing_happened_in_the_future() -> None:
    assert not Event.objects.filter(at__gt=timezone.now()).exists()
    assert not Event.objects.filter(received_at__gt=timezone.now()).exists()


def test_a_demo_s_past_reaches_over_its_days() -> None:
    first = Order.objects.order_by("reported_at").first()
    assert first is not None
    assert timedelta(days=2) < timezone.now() - first.reported_at <= timedelta(days=3, hours=1)


def test_what_fell_due_in_the_past_is_written_down() -> None:
    assert not Clock.objects.filter(state="running", due_at__lt=timezone.now() - timedelta(minutes=1)).exists()


def test_every_town_has_a_company_that_serves_it() -> None:
    served = {contract.estate.town_id for contract in Contract.objects.filter(valid_to=None).select_related("estate")}
    assert len(served) == 36
    assert Company.objects.filter(contracts__isnull=True).count() < 30


def test_a_home_that_has_a_district_is_left_alone(counts: dict[str, int | float]) -> None:
    refused = CliRunner().invoke(command, ["--json"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "already" in refused.stderr
    assert Event.objects.count() == counts["events"]


def test_if_empty_does_nothing_twice(counts: dict[str, int | float]) -> None:
    for _again in range(2):
        assert CliRunner().invoke(command, ["--if-empty"]).exit_code == 0
    assert Event.objects.count() == counts["events"]
