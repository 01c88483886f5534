"""Coming to work, leaving, and saying that one cannot go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from jiying.dispatch import surges
from jiying.dispatch.actions import RULE
from jiying.estates.models import DutyChange
from jiying.notices.follower import tell
from jiying.orders.actions import act
from jiying.orders.models import Event
from jiying.orders.tests.build import report, walk


@pytest.fixture
def worker(d) -> Client:
    client = Client()
    client.force_login(d.users["worker"], backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_worker_goes_off_duty_and_comes_back_and_both_are_kept(d, worker):
    assert 'data-test="duty-off"' in worker.get("/worker").text
    assert worker.post("/worker/duty", {"on": "no"}).status_code == 302
    page = worker.get("/worker").text
    assert 'data-test="duty-on"' in page
    assert "之后按班次" in page
    worker.post("/worker/duty", {"on": "yes"})
    assert list(DutyChange.objects.order_by("at").values_list("on", "by__username")) == [
        (False, "worker"),
        (True, "worker"),
    ]


def test_who_cannot_go_says_why_and_keeps_the_order_until_somebody_else_has_it(d, worker):
    order = walk(d, report(d), "sign", "assign")
    page = worker.get(f"/worker/orders/{order.pk}").text
    assert 'data-test="decline"' in page
    assert worker.post(f"/worker/orders/{order.pk}/decline", {"reason": ""}).status_code == 422
    sent = {"reason": "车坏在路上了", "idempotency_key": "once"}
    for _twice in range(2):
        assert worker.post(f"/worker/orders/{order.pk}/decline", sent).status_code == 302
    note = Event.objects.get(order=order, verb="note")
    assert note.data["declines"] == str(d.worker.pk)
    assert "派去的人说去不了" in worker.get(f"/worker/orders/{order.pk}").text


def test_on_the_way_there_is_nothing_to_decline(d, worker):
    order = walk(d, report(d), "sign", "assign", "depart")
    assert 'data-test="decline"' not in worker.get(f"/worker/orders/{order.pk}").text
    assert worker.post(f"/worker/orders/{order.pk}/decline", {"reason": "不想去"}).status_code == 404


@pytest.mark.parametrize(
    ("mark", "words"), [("", "已改派给别人，您不用去了"), ("nearer", "有人能更早赶到，已改派，您不用去了")]
)
def test_who_was_replaced_reads_so_and_why_on_the_list_and_in_the_inbox(d, worker, mark, words):
    order = walk(d, report(d), "sign", "assign")
    act(order.pk, "assign", by=RULE, data={"worker": str(d.mate.pk)}, noted={mark: True} if mark else {})
    tell(list(Event.objects.select_related("order").order_by("seq")))
    page = worker.get("/worker").text
    assert 'data-test="replaced"' in page
    assert f"{words}：" in page
    page = worker.get("/inbox").text
    assert words in page
    assert f"/worker/orders/{order.pk}" not in page
    assert worker.get(f"/worker/orders/{order.pk}").status_code == 404


def test_in_a_surge_an_emergency_is_made_safe_first_where_its_pack_asks_for_that(d, worker):
    order = walk(d, report(d), "sign", "assign", "depart", "arrive")
    usual = walk(d, report(d, urgency="ordinary"), "sign", "assign")
    # Judged by 2026.1, which knows nothing of making safe.
    before = report(d, now=datetime(2025, 12, 30, 8, tzinfo=UTC))
    before = walk(d, before, "sign", "assign")
    assert before.pack == "example@2026.1"

    def told() -> set[Any]:
        orders = (order, usual, before)
        return {one.pk for one in orders if 'data-test="safe-first"' in worker.get(f"/worker/orders/{one.pk}").text}

    assert told() == set()
    surges.switch(d.division.code, True, by=d.users["operator"], reason="台风")
    assert told() == {order.pk}
    assert worker.get("/worker").text.count('data-test="safe-first"') == 1
    walk(d, order, "make_safe")
    assert told() == set(), "it is safe"
    assert 'data-test="safe-first"' not in worker.get("/worker").text
