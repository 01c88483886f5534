"""POST /api/v1/orders."""

from __future__ import annotations

from typing import Any

import pytest

from jiying.api.tests.calls import fresh_key, leak
from jiying.orders.models import Order
from jiying.orders.tests.build import District


def test_a_stranger_reports_and_gets_the_link_and_the_code(d: District, stranger: Any) -> None:
    answer = stranger.post("/orders", leak(reporter={"name": "王小明", "phone": "13812345678"}))
    assert answer.status_code == 201, answer.content
    order = answer.json()
    assert (order["state"], order["urgency"], order["estate"]["code"]) == ("submitted", "emergency", "E1")
    assert order["track_url"].startswith("/t/")
    assert len(order["arrival_code"]) == 4
    assert order["reporter"] == {"name": "王**", "phone": "138****5678"}
    assert answer.headers["Location"] == f"/api/v1/orders/{order['id']}"
    assert {promise["promise"] for promise in order["promises"]} >= {"sign", "respond_30"}


@pytest.mark.parametrize("role", ["worker", "manager", "company"])
def test_who_serves_a_company_gets_neither_link_nor_code(as_: Any, role: str) -> None:
    order = as_(role).post("/orders", leak()).json()
    assert "arrival_code" not in order
    assert "track_url" not in order
    assert order["channel"] == "counter"


@pytest.mark.parametrize(("role", "channel"), [("resident", "page"), ("operator", "phone"), ("committee", "phone")])
def test_residents_and_offices_get_both(as_: Any, role: str, channel: str) -> None:
    order = as_(role).post("/orders", leak()).json()
    assert order["arrival_code"]
    assert order["track_url"]
    assert order["channel"] == channel


def test_the_same_key_and_body_is_the_same_order(d: District, stranger: Any) -> None:
    key = fresh_key()
    first, second = stranger.post("/orders", leak(), key=key), stranger.post("/orders", leak(), key=key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Order.objects.count() == 1
