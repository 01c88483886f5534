"""The telephone in full: for whom it serves, for a reason, on the audit, and not by the hundred."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jiying.core.errors import BadInput, NotFound, NotYours, RateLimited
from jiying.orders import reveal
from jiying.orders.actors import Actor
from jiying.orders.models import Order
from jiying.orders.tests.build import report, walk
from jiying.people.models import Audit, User

PHONE = "+8613812345678"


def shown(d, order, who, reason="约上门时间", **more):
    user = User.objects.get(pk=d.users[who].pk)
    return reveal.reveal(order.pk, by=user, reason=reason, origin="10.1.2.3", **more)


@pytest.fixture
def assigned(d):
    return walk(d, report(d, phone="13812345678", name="王小明"), "sign", "assign")


def test_the_assigned_worker_sees_it_and_the_audit_says_so(d, assigned):
    before = Audit.objects.count()
    assert shown(d, assigned, "worker") == reveal.Contact("王小明", PHONE)
    row = Audit.objects.latest("at")
    assert Audit.objects.count() == before + 1
    assert (row.action, row.by, row.role, row.subject) == (
        "reveal", str(d.users["worker"].pk), "worker", str(assigned.pk)
    )  # fmt: skip
    assert (row.about, row.reason, row.origin, row.district) == (assigned.number, "约上门时间", "10.1.2.3", "310115")
    assert PHONE[3:] not in str(Audit.objects.values().get(pk=row.pk))


def test_a_worker_who_might_take_it_sees_it_not(d):
    order = walk(d, report(d, phone="13812345678"), "sign")
    with pytest.raises(NotYours):
        shown(d, order, "worker")
    assert not Audit.objects.filter(action="reveal").exists()


def test_the_worker_sees_it_while_the_order_is_open_and_no_longer(d, assigned):
    walk(d, assigned, "arrive", "done")
    with pytest.raises(NotYours):
        shown(d, assigned, "worker")


def test_a_worker_from_whom_it_was_taken_sees_it_no_longer(d, assigned):
    Order.objects.filter(pk=assigned.pk).update(worker=d.mate)
    with pytest.raises(NotFound):
        shown(d, assigned, "worker")


@pytest.mark.parametrize(
    ("who", "open_", "closed"),
    [
        ("company", True, False), ("manager", True, False), ("committee", True, True), ("operator", True, True),
        ("supervisor", True, True), ("town", False, False), ("district", False, False),
    ],
)  # fmt: skip
def test_offices_see_it_as_long_as_it_is_theirs_to_ring(d, assigned, who, open_, closed):
    def sees() -> bool:
        order = Order.objects.with_names().get(pk=assigned.pk)
        allowed = reveal.may_reveal(order, Actor.of(User.objects.get(pk=d.users[who].pk)))
        if not allowed:
            with pytest.raises(NotYours):
                shown(d, assigned, who)
        else:
            assert shown(d, assigned, who).phone == PHONE
        return allowed

    assert sees() is open_
    walk(d, assigned, "arrive", "done", "verify", "close")
    assert sees() is closed


@pytest.mark.parametrize("who", ["company-2", "committee-2", "worker-2", "resident"])
def test_for_the_other_town_the_order_does_not_exist(d, assigned, who):
    with pytest.raises(NotFound):
        shown(d, assigned, who)


@pytest.mark.parametrize("reason", ["", "  ", None, "\u200b", "字" * 201])
def test_without_a_reason_nothing_is_shown_and_nothing_recorded(d, assigned, reason):
    with pytest.raises(BadInput):
        shown(d, assigned, "company", reason)
    assert not Audit.objects.filter(action="reveal").exists()


def test_too_many_in_an_hour_are_refused_and_later_again_allowed(d, assigned, monkeypatch):
    monkeypatch.setattr(reveal, "MOST_AN_HOUR", 3)
    for _ in range(3):
        shown(d, assigned, "operator")
    with pytest.raises(RateLimited):
        shown(d, assigned, "operator")
    assert shown(d, assigned, "company").phone == PHONE, "another person has a count of their own"
    assert shown(d, assigned, "operator", now=timezone.now() + timedelta(hours=2)).phone == PHONE
