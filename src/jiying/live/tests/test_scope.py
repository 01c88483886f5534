"""The stream sees what the lists see."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from jiying.live.scope import facts_of, may_see, unassigned
from jiying.orders.actions import act
from jiying.orders.actors import Actor
from jiying.orders.models import Order
from jiying.orders.tests.build import District, district, report, walk
from jiying.people.actions import join
from jiying.people.models import Organisation, User
from jiying.people.scopes import NOBODY, Scope, scope_of


@pytest.fixture
def d(db) -> District:
    built = district()
    owners = Organisation.objects.create(kind="owners", code="O1", name="业委会", district="310115")
    for name, role, body, places in (
        ("owner", "committee", owners, (built.estate.code,)),
        ("roaming", "manager", built.company.organisation, ()),
        ("elsewhere", "manager", built.company.organisation, (built.estate2.code,)),
    ):
        built.users[name] = User.objects.create(username=name)
        join(built.users[name], body, role, places=places)
    return built


@pytest.fixture
def orders(d) -> list[Order]:
    """Orders in many states, of both towns, of nobody's estate, of the resident and of strangers."""
    resident = Actor.of(d.users["resident"])
    made = [report(d), report(d, by=resident), report(d, estate=d.orphan.code), report(d, estate=d.estate2.code)]
    point = {"lon": 121.52, "lat": 31.22, "crs": "WGS-84"}
    made += [report(d, estate="", address="路边", point=point)]
    made += [walk(d, report(d), *verbs) for verbs in (["sign"], ["sign", "take"], ["sign", "assign", "arrive", "done"])]
    other = walk(d, report(d), "sign")
    act(other.pk, "assign", by=d.actor("company"), data={"worker": str(d.mate.pk)})
    second = report(d, estate=d.estate2.code)
    act(second.pk, "sign", by=d.actor("company-2"))
    assert len(made) >= 8
    return list(Order.objects.with_names())


def test_the_stream_shows_everybody_what_their_lists_show(d, orders):
    seen = 0
    for user in User.objects.all():
        scope = scope_of(user)
        listed = set(Order.objects.in_scope(scope).values_list("pk", flat=True))
        streamed = {order.pk for order in orders if may_see(scope, facts_of(order))}
        assert streamed == listed, user
        seen += len(listed)
    assert seen > len(orders), "the orders must tell roles apart"


def test_a_stranger_sees_nothing_in_either(orders):
    assert not Order.objects.in_scope(NOBODY).exists()
    assert not any(may_see(NOBODY, facts_of(order)) for order in orders)


@pytest.mark.parametrize("field", ["towns", "committees", "owned"])
def test_an_empty_code_in_a_scope_opens_nothing(d, orders, field):
    scope = replace(Scope(uuid.uuid4()), **{field: frozenset({""})})
    placeless = [order for order in orders if order.estate is None]
    assert placeless
    listed = set(Order.objects.in_scope(scope).values_list("pk", flat=True))
    assert {order.pk for order in orders if may_see(scope, facts_of(order))} == listed


def test_an_order_taken_lay_open_to_its_companys_workers_before(d, orders):
    taken = next(order for order in orders if order.worker_id == d.worker.pk)
    mate = Scope(uuid.uuid4(), works_for=frozenset({d.company.organisation_id}))
    assert not may_see(mate, facts_of(taken))
    assert may_see(mate, unassigned(facts_of(taken)))
