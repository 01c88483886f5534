"""Several dispatchers at once, and people among them."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import transaction

from jiying.core.errors import StaleVersion
from jiying.dispatch import actions, loop
from jiying.dispatch.service import advise
from jiying.dispatch.tests.town import T0, after, assigned, automatic
from jiying.orders import followers
from jiying.orders.actions import act
from jiying.orders.models import Order
from jiying.orders.tests import build
from jiying.orders.tests.build import report
from jiying.orders.tests.test_races import at_once
from jiying.orders.verify import verify

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def d(transactional_db: None) -> build.District:
    return build.district()


def test_three_dispatchers_on_the_same_orders_send_somebody_once_to_each(d):
    automatic(d, load_cap=50)
    orders = [report(d, now=T0) for _ in range(6)]
    followers.catch_up()
    results = at_once(lambda: loop.sweep(after(1.1)) for _ in range(3))
    assert [result for result in results if isinstance(result, Exception)] == []
    loop.sweep(after(1.2))
    assert Counter(len(assigned(order)) for order in orders) == {1: 6}
    assert not verify().broken


def test_of_two_who_decided_on_one_version_one_is_in_time(d):
    order = report(d, now=T0)
    advice = advise(Order.objects.select_related("town", "company", "estate").get(pk=order.pk), now=T0)
    results = at_once(lambda: actions.send(advice, 1, now=after(1)) for _ in range(4))
    assert sorted(type(result).__name__ for result in results) == ["Order"] + ["StaleVersion"] * 3
    assert len(assigned(order)) == 1


def test_a_person_who_assigns_in_the_same_instant_is_not_undone(d):
    automatic(d)
    order = report(d, now=T0)
    act(order.pk, "sign", by=d.actor("company"), now=T0)
    followers.catch_up()
    by, data = d.actor("company"), {"worker": str(d.mate.pk)}
    wrote, go_on = threading.Event(), threading.Event()

    def person() -> None:
        with transaction.atomic():
            act(order.pk, "assign", by=by, data=data, now=after(1.1))
            wrote.set()
            go_on.wait(0.5)

    def machine() -> int:
        wrote.wait(20)
        return loop.sweep(after(1.1))

    results = at_once([person, machine])
    assert results[1] == 0, results
    assert assigned(order) == [(str(d.mate.pk), "company")]


def test_a_rule_that_comes_first_does_not_make_the_person_stale(d):
    automatic(d)
    order = report(d, now=T0)
    followers.catch_up()
    assert loop.sweep(after(1.1)) == 1
    by = d.actor("operator")
    done = act(order.pk, "assign", by=by, data={"worker": str(d.mate.pk)}, expected_version=1, now=after(1.2))
    assert done.worker_id == d.mate.pk
    with pytest.raises(StaleVersion):
        act(order.pk, "sign", by=d.actor("company"), expected_version=1, now=after(1.3))
