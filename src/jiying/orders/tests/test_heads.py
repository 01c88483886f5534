"""The daily head."""

import json
from datetime import date

import pytest

from jiying.orders import heads, verify
from jiying.orders.models import Clock, Event, Order, OrderText
from jiying.orders.tests.build import district, report
from jiying.people import audit

pytestmark = pytest.mark.django_db


def test_the_head_changes_when_a_whole_order_is_gone(tmp_path, settings):
    settings.HOME = tmp_path
    d = district()
    orders = [report(d) for _ in range(3)]
    path = heads.export(date(2026, 11, 24))
    kept = json.loads(path.read_text())
    rows, audited = audit.head()
    assert rows > 0
    assert kept == {
        "day": "2026-11-24", "orders": 3, "head": verify.verify().head, "audit": rows, "audit_head": audited
    }  # fmt: skip
    for model in (Event, Clock, OrderText):
        model.objects.filter(order=orders[1]).delete()
    Order.objects.filter(pk=orders[1].pk).delete()
    assert verify.verify().broken == []
    assert heads.head()[1] != kept["head"]


def test_a_day_is_exported_once(tmp_path, settings):
    settings.HOME = tmp_path
    assert heads.export(date(2026, 11, 24)) is not None
    assert heads.export(date(2026, 11, 24)) is None
