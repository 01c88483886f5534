"""POST /api/v1/orders."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from jiying.api.tests.calls import Api, fresh_key, leak
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


def test_the_same_key_with_another_body_is_refused(d: District, stranger: Any) -> None:
    key = fresh_key()
    stranger.post("/orders", leak(), key=key)
    for other in (leak(description="别的"), leak(description="")):
        answer = stranger.post("/orders", other, key=key)
        assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")


def test_keys_belong_to_their_caller(d: District, as_: Any, stranger: Any) -> None:
    key = fresh_key()
    ids = {
        asker.post("/orders", leak(), key=key).json()["id"] for asker in (as_("resident"), as_("operator"), stranger)
    }
    ids.add(Api(address="10.0.0.9").post("/orders", leak(), key=key).json()["id"])
    assert len(ids) == 4


def test_a_repeat_stays_a_repeat_when_the_appointment_has_passed(d: District, stranger: Any) -> None:
    key, now = fresh_key(), timezone.now()
    window = {"from": (now + timedelta(hours=1)).isoformat(), "to": (now + timedelta(hours=2)).isoformat()}
    body = leak(category="other", urgency="ordinary", appointment=window)
    first = stranger.post("/orders", body, key=key)
    assert first.status_code == 201, first.json()
    with mock.patch("django.utils.timezone.now", return_value=now + timedelta(hours=5)):
        again = stranger.post("/orders", body, key=key)
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "a\tb"])
def test_a_key_that_cannot_be_used_is_refused_rather_than_ignored(d: District, stranger: Any, key: str) -> None:
    answer = stranger.post("/orders", leak(), **{"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_key")


def test_strangers_are_limited_by_address_and_repeats_are_not_punished(
    d: District, as_: Any, stranger: Any, settings: Any
) -> None:
    settings.PUBLIC_RATE = "2/min"
    key = fresh_key()
    assert stranger.post("/orders", leak(), key=key).status_code == 201
    assert stranger.post("/orders", leak()).status_code == 201
    refused = stranger.post("/orders", leak())
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert stranger.post("/orders", leak(), key=key).status_code == 200
    assert Api(address="10.0.0.9").post("/orders", leak()).status_code == 201
    assert as_("resident").post("/orders", leak()).status_code == 201


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"category": "volcano"}, "category", "unknown_category"),
        ({"category": ["leak"]}, "category", "unknown_category"),
        ({"kind": "miracle"}, "kind", "unknown_kind"),
        ({"urgency": "tomorrow"}, "urgency", "unknown_urgency"),
        ({"estate": "E99"}, "estate", "unknown_estate"),
        ({"estate": {"code": "E1"}}, "estate", "unknown_estate"),
        ({"estate": "E1\x00"}, "estate", "unknown_estate"),
        ({"building": "99号楼"}, "building", "unknown_building"),
        ({"reporter": {"phone": "12345"}}, "reporter.phone", "bad_phone"),
        ({"reporter": {"phone": 13812345678}}, "reporter.phone", "bad_phone"),
        ({"reporter": "王小明"}, "reporter", "invalid"),
        ({"point": {"lon": 31.2, "lat": 121.5}}, "point", "bad_point"),
        ({"point": {"lon": 125.0, "lat": 31.2}}, "point", "bad_point"),
        ({"point": {"lon": "x", "lat": 31.2}}, "point", "bad_point"),
        ({"point": {"lon": 121.5, "lat": 31.2, "crs": "BD-09"}}, "point", "bad_point"),
        ({"point": [121.5, 31.2]}, "point", "bad_point"),
        ({"description": ""}, "description", "required"),
        ({"description": "\x00\x00"}, "description", "required"),
        ({"description": 7}, "description", "invalid"),
        ({"description": "长" * 100_000}, "description", "too_long"),
        ({"appointment": "tomorrow", "urgency": "ordinary"}, "appointment", "bad_time"),
        ({"appointment": {"from": "x", "to": "y"}, "urgency": "ordinary"}, "appointment.from", "bad_time"),
        ({"called_at": "2020-01-01T00:00:00+08:00"}, "called_at", "bad_time"),
    ],
)
def test_a_wrong_field_is_named_with_its_code(
    d: District, stranger: Any, fields: dict[str, Any], field: str, code: str
) -> None:
    answer = stranger.post("/orders", leak(**fields))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]
    assert problem["errors"][0]["message"]
    assert Order.objects.count() == 0


def test_all_wrong_fields_are_told_at_once(d: District, stranger: Any) -> None:
    problem = stranger.post("/orders", leak(category="volcano", reporter={"phone": "1"}, description="")).json()
    assert problem["code"] == "invalid"
    assert {error["field"] for error in problem["errors"]} == {"category", "reporter.phone", "description"}


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "水管🚰爆了", "a\x00b\x1bc", "'; --"]
)
def test_odd_words_are_kept_as_words(d: District, as_: Any, stranger: Any, text: str) -> None:
    order = stranger.post("/orders", leak(description=text)).json()
    kept = as_("operator").get(f"/orders/{order['id']}").json()["description"]
    assert kept == text.replace("\x00", "").replace("\x1b", "")


def test_a_call_starts_its_clocks_when_it_rang(d: District, as_: Any) -> None:
    rang = timezone.now() - timedelta(minutes=12)
    order = as_("operator").post("/orders", leak(called_at=rang.isoformat())).json()
    assert datetime.fromisoformat(order["reported_at"]) == rang


def test_members_that_nobody_knows_are_ignored(d: District, stranger: Any) -> None:
    answer = stranger.post(
        "/orders", leak(channel="device", reported_at="1999-01-01T00:00:00Z", state="closed", colour=1)
    )
    assert (answer.status_code, answer.json()["channel"], answer.json()["state"]) == (201, "page", "submitted")
