"""Who has set off: left alone, unless it takes far too long and a rule had sent them."""

from __future__ import annotations

import pytest

from jiying.dispatch import actions, queries
from jiying.dispatch.models import Task
from jiying.dispatch.tests.town import T0, after, assigned, automatic, fresh, let_it_work
from jiying.orders.actions import act
from jiying.orders.models import Event, Order
from jiying.orders.tests import build
from jiying.orders.tests.build import report
from jiying.orders.verify import verify

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def d(transactional_db: None) -> build.District:
    return build.district()


def test_who_is_on_the_way_is_left_alone(d):
    automatic(d)
    order = report(d, now=T0)
    let_it_work(after(1))
    act(order.pk, "depart", by=d.actor("worker"), now=after(5))
    assert let_it_work(after(21)) == 0
    assert len(assigned(order)) == 1
    act(order.pk, "arrive", by=d.actor("operator"), data={}, now=after(21.5))
    assert let_it_work(after(40)) == 0
    assert not Task.objects.exists()


def test_who_is_on_the_way_far_too_long_is_replaced_and_told_to_the_centre_where_nobody_else_can(d):
    automatic(d)
    order = report(d, now=T0)
    let_it_work(after(1.1))
    act(order.pk, "depart", by=d.actor("worker"), now=after(5))
    assert let_it_work(after(21.9)) == 0, "two minutes were expected: seventeen are given"
    assert let_it_work(after(22.1)) == 1
    assert assigned(order) == [(str(d.worker.pk), "rule"), (str(d.mate.pk), "rule")]
    event = Event.objects.filter(order=order, verb="assign").latest("version")
    assert (event.data["instead_of"], fresh(order).state) == (str(d.worker.pk), "assigned")
    act(order.pk, "depart", by=d.actor("operator"), data={}, now=after(23))
    assert let_it_work(after(41)) == 0
    assert [event.data["step"] for event in Event.objects.filter(order=order, verb="ask_centre")] == ["stuck"]
    assert Task.objects.get(pk=order.pk).why == "stuck"
    assert order in queries.wants_somebody(Order.objects.all())
    assert not verify(order.pk).broken


def test_whom_a_person_picked_is_not_replaced_however_long_they_are_on_the_way(d):
    automatic(d)
    order = act(report(d, now=T0).pk, "sign", by=d.actor("company"), now=T0)
    by = d.actor("company")
    actions.say(order.pk, "assign", by=by, data={"worker": str(d.mate.pk)}, now=after(0.5))
    act(order.pk, "depart", by=d.actor("operator"), data={}, now=after(1))
    assert let_it_work(after(90)) == 0
    assert len(assigned(order)) == 1
