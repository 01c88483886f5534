"""`kill -9` anywhere while the dispatcher decides and writes: somebody is sent once, and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests import test_faults
from tests.test_faults import killed_at, points_of, some, whole

from jiying.dispatch import actions, improving, loop
from jiying.dispatch.follower import mark
from jiying.dispatch.keeping import Keeper
from jiying.dispatch.models import Task
from jiying.dispatch.tests.town import T0, after, assigned, automatic, hire
from jiying.estates import actions as estates
from jiying.estates.models import Estate, Worker
from jiying.orders.actions import act
from jiying.orders.models import Event, Order
from jiying.orders.tests import build
from jiying.orders.tests.build import report

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture
def d(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> build.District:
    ours = tuple(f"jiying/dispatch/{name}.py" for name in ("loop", "actions", "service", "improving", "reassigning"))
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


def test_killed_anywhere_two_emergencies_have_changed_their_people_or_have_not(d):
    automatic(d)
    beyond = Estate.objects.create(
        code="E9", name="东四里", district=d.division.code, town=d.town, lon=121.562, lat=31.222, households=1
    )
    estates.sign_contract(d.company, beyond, since=T0.date())
    Worker.objects.update(active=False)
    here, there = (hire(d, d.company, place.code, home=place) for place in (d.estate, beyond))
    Keeper().keep(after(2))

    def crossed() -> tuple[list[Order], Callable[[], Any]]:
        """Two emergencies, each with who lives at the other, and the look."""
        orders = []
        for place, worker in ((d.estate, there), (beyond, here)):
            order = report(d, now=T0, estate=place.code)
            noted = {"advice": {"rank": 1, "minutes": 23}}
            data = {"worker": str(worker.pk)}
            orders.append(act(order.pk, "assign", by=actions.RULE, data=data, now=after(1), noted=noted))
        return orders, lambda: improving.improve(d.division.code, after(2))

    def over(orders: list[Order]) -> None:
        for order in orders:
            act(order.pk, "cancel", by=d.actor("track"), now=after(2))

    orders, job = crossed()
    points = some(points_of(job))[::2]
    over(orders)
    outcomes = set()
    for point in points:
        orders, job = crossed()
        killed_at(point, job)
        versions = tuple(whole(order) for order in orders)
        outcomes.add(versions)
        # Another process looks, and the first one again.
        assert [job(), job()] == [2 if versions == (2, 2) else 0, 0], point
        assert [assigned(order)[-1][0] for order in orders] == [str(here.pk), str(there.pk)]
        assert [whole(order) for order in orders] == [3, 3]
        over(orders)
    assert outcomes == {(2, 2), (3, 3)}, "both or none, and the kills came on both sides of the commit"
