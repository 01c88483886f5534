"""`kill -9` anywhere while the dispatcher decides and writes: somebody is sent once, and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests import test_faults
from tests.test_faults import killed_at, points_of, some, whole

from jiying.dispatch import loop
from jiying.dispatch.follower import mark
from jiying.dispatch.models import Task
from jiying.dispatch.tests.town import T0, after, assigned, automatic
from jiying.estates.models import Worker
from jiying.orders.models import Event, Order
from jiying.orders.tests import build
from jiying.orders.tests.build import report

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture
def d(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> build.District:
    ours = tuple(f"jiying/dispatch/{name}.py" for name in ("loop", "actions", "service"))
    theirs = ("jiying/orders/actions.py", "jiying/orders/store.py", "django/db/transaction.py")
    monkeypatch.setattr(test_faults, "WATCHED", ours + theirs)
    return build.district()


def waiting(d: build.District) -> tuple[Order, Callable[[], Any]]:
    """An order the dispatcher is to look at, and the look."""
    order = report(d, now=T0)
    mark(list(Event.objects.filter(order=order).select_related("order")))
    return order, lambda: loop.look(order.pk, after(2))


def test_killed_anywhere_the_dispatcher_sends_somebody_once(d):
    automatic(d, load_cap=200)
    outcomes = set()
    for point in some(points_of(waiting(d)[1])):
        order, job = waiting(d)
        killed_at(point, job)
        outcomes.add(whole(order))
        # Another process looks, and the first one again.
        for _again in range(2):
            if Task.objects.filter(pk=order.pk, due_at__lte=after(2)).exists():
                job()
        assert len(assigned(order)) == 1, point
        assert whole(order) == 2
        assert Task.objects.get(pk=order.pk).due_at > after(2), "whether they set off is looked at later"
    assert outcomes == {1, 2}, "the kills came on both sides of the commit"


def test_killed_anywhere_the_centre_is_told_once(d):
    automatic(d)
    Worker.objects.update(skills=["lift"])
    for point in some(points_of(waiting(d)[1]))[::3]:
        order, job = waiting(d)
        killed_at(point, job)
        for _again in range(2):
            job()
        assert Event.objects.filter(order=order, verb="ask_centre").count() == 1, point
        assert Task.objects.get(pk=order.pk).why == "nobody"
