"""Requests in one instant."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection

from jiying.api.tests.calls import Api, fresh_key, leak
from jiying.estates import actions as estates
from jiying.orders.models import Event, Order
from jiying.orders.tests.build import SKILLS, district, report, walk
from jiying.people.actions import join
from jiying.people.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def _at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run `calls` on threads that start together; their answers in order."""
    answers: list[Any] = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(n: int) -> None:
        gate.wait()
        try:
            answers[n] = calls[n]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_eight_posts_of_one_key_make_one_order() -> None:
    district()
    for _round in range(3):
        before, key = Order.objects.count(), fresh_key()
        answers = _at_once(*[partial(Api().post, "/orders", leak(), key=key) for _caller in range(8)])
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert Order.objects.count() == before + 1


def test_eight_posts_of_one_key_with_two_bodies_make_one_order() -> None:
    district()
    key = fresh_key()
    bodies = [leak(description=words) for words in "甲乙" * 4]
    answers = _at_once(*[partial(Api().post, "/orders", body, key=key) for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [201] + [409] * 4
    assert Order.objects.count() == 1


def test_of_two_takers_in_one_instant_one_gets_it() -> None:
    d = district()
    mate = User.objects.create(username="mate", name="孙师傅")
    join(mate, d.company.organisation, "worker")
    estates.hire(d.company, name="孙师傅", skills=SKILLS, shifts=[(0, 1440)], known_skills=SKILLS, user=mate)
    callers = [Api(d.users["worker"]), Api(mate)]
    for _round in range(3):
        order = walk(d, report(d), "sign")
        path, body = f"/orders/{order.pk}/actions/take", {"version": order.version}
        answers = _at_once(*[partial(caller.post, path, body) for caller in callers])
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        lost = next(answer.json() for answer in answers if answer.status_code == 409)
        order.refresh_from_db()
        assert lost["order"]["worker"]["id"] == str(order.worker_id)
        assert Event.objects.filter(order=order, verb="take").count() == 1
