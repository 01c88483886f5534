"""The daily head, and what shows that a whole order is gone."""

import json
from datetime import date

import pytest
from django.db import connection

from jiying.core.ids import uuid7
from jiying.orders import heads, verify
from jiying.orders.actors import STRANGER
from jiying.orders.models import Clock, Event, Order, OrderText
from jiying.orders.tests.build import district, report, walk
from jiying.orders.withdrawal import withdraw
from jiying.people import audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def d(tmp_path, settings):
    settings.HOME = tmp_path
    return district()


@pytest.fixture
def orders(d):
    return [walk(d, report(d), "sign") for _ in range(3)]


def _delete(order: Order) -> None:
    for model in (Event, Clock, OrderText):
        model.objects.filter(order=order).delete()
    Order.objects.filter(pk=order.pk).delete()


def _reasons() -> set[str]:
    return {broken.reason for broken in verify.verify().broken if not broken.order}


def test_the_daily_head_is_what_verify_prints_and_counts_what_there_is(orders):
    before = Event.objects.order_by("seq").first().seq
    kept = json.loads(heads.export(date(2026, 11, 24)).read_text())
    assert kept == {
        "day": "2026-11-24",
        "head": verify.verify().head,
        "orders": 3,
        "first_order": str(orders[0].pk),
        "last_order": str(orders[2].pk),
        "orders_to_it": 3,
        "last_event": before + 5,
        "events_to_it": 6,
        "audit": audit.head()[0],
        "audit_head": audit.head()[1],
    }
    assert kept["audit"] > 0


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_whole_order_that_is_gone_since_the_last_head_is_missed(d, orders, which):
    heads.export(date(2026, 11, 24))
    report(d)
    assert _reasons() == set()
    _delete(orders[which])
    found = _reasons()
    assert "of 3 orders in the head of 2026-11-24, 1 are gone" in found
    assert "of 6 events in the head of 2026-11-24, 2 are gone" in found


@pytest.mark.parametrize("which", [1, 2])
def test_on_sqlite_a_whole_order_that_is_gone_is_missed_by_its_events_numbers(orders, which):
    if connection.vendor != "sqlite":
        pytest.skip("numbers have holes on PostgreSQL")
    assert _reasons() == set()
    _delete(orders[which])
    assert len(_reasons()) == 1


def test_the_head_of_before_is_no_longer_the_head_of_now(orders):
    kept = json.loads(heads.export(date(2026, 11, 24)).read_text())
    _delete(orders[1])
    assert heads.head()[1] != kept["head"]


def test_a_day_is_exported_once(orders):
    assert heads.export(date(2026, 11, 24)) is not None
    assert heads.export(date(2026, 11, 24)) is None


def test_the_head_of_an_empty_district_blames_nobody_later(d):
    heads.export(date(2026, 11, 24))
    report(d)
    assert _reasons() == set()


def test_the_head_of_another_database_blames_nobody(orders, tmp_path):
    path = heads.export(date(2026, 11, 24))
    told = json.loads(path.read_text()) | {"first_order": str(uuid7()), "last_order": str(uuid7()), "orders_to_it": 99}
    path.write_text(json.dumps(told))
    assert _reasons() == set()


def test_what_was_withdrawn_by_right_is_not_missed_and_covers_nothing_else(d, orders):
    gone, kept = report(d), report(d)
    heads.export(date(2026, 11, 24))
    assert withdraw([gone.pk], by=STRANGER).left == {}
    assert _reasons() == set()
    _delete(kept)
    assert "of 5 orders in the head of 2026-11-24, 2 are gone" in _reasons()
