"""GET /api/v1/track/{token} and what its holder may do."""

from __future__ import annotations

from typing import Any

import pytest

from jiying.api.tests.calls import Api, fresh_key
from jiying.api.tests.ways import data_for, ready_for
from jiying.orders.models import Event, OrderText
from jiying.orders.proof import arrival_code, track_token
from jiying.orders.tests.build import District

PHONE = "13812345678"
DELICATE = ("confirm", "reopen", "rate", "cancel")


def _path(order: Any, verb: str = "") -> str:
    return f"/track/{track_token(order.pk)}" + (f"/actions/{verb}" if verb else "")


def test_a_link_that_was_passed_on_shows_the_progress_only(d: District, stranger: Api) -> None:
    order = ready_for(d, "done", phone=PHONE, name="王小明", unit="301", description="我家厨房漏水")
    shown = stranger.get(_path(order))
    told = shown.json()
    assert (told["state"], told["needs_last4"], told["arrival_code"]) == ("on_site", True, None)
    assert [event["verb"] for event in told["events"]] == ["report", "sign", "assign", "arrive"]
    text = shown.content.decode()
    for private in (PHONE, "5678", "王小明", "王*", "301", "我家厨房", arrival_code(order.pk, 1) + '"', "hash", "data"):
        assert private not in text, private
    assert shown.headers["Referrer-Policy"] == "no-referrer"


def test_the_last_four_digits_show_the_rest(d: District, stranger: Api) -> None:
    order = ready_for(d, "depart", phone=PHONE, unit="301")
    by_query, by_header = stranger.get(_path(order), last4="5678"), _with_header(order, "5678")
    for told in (by_query.json(), by_header.json()):
        assert (told["needs_last4"], told["arrival_code"], told["unit"]) == (False, arrival_code(order.pk, 1), "301")
        assert told["reporter"]["phone"] == "138****5678"


def _with_header(order: Any, last4: str) -> Any:
    from django.test import Client

    return Client(headers={"X-Last4": last4}).get(f"/api/v1{_path(order)}")


def test_without_a_telephone_the_link_is_the_proof(d: District, stranger: Api) -> None:
    told = stranger.get(_path(ready_for(d, "depart"))).json()
    assert (told["needs_last4"], told["description"]) == (False, "厨房水管爆了")
    assert told["arrival_code"]


@pytest.mark.parametrize(
    "token", ["0" * 32, "x", "x" * 5000, "%00", "令牌令牌令牌令牌令牌令牌令牌令牌", "..%2f..%2fetc"]
)
def test_a_guessed_link_finds_nothing(d: District, stranger: Api, token: str) -> None:
    ready_for(d, "sign")
    for answer in (stranger.get(f"/track/{token}"), stranger.post(f"/track/{token}/actions/urge")):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("verb", DELICATE)
def test_delicate_verbs_want_the_last_four_digits(d: District, stranger: Api, verb: str) -> None:
    order = ready_for(d, verb, phone=PHONE)
    for last4 in ("0000", None, "", 5678, ["5678"]):
        answer = stranger.post(_path(order, verb), {"last4": last4, "data": data_for(d, verb)})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_code"), last4
    answer = stranger.post(_path(order, verb), {"last4": "5678", "data": data_for(d, verb)})
    assert answer.status_code == 200, answer.json()
    assert answer.json()["needs_last4"] is False


@pytest.mark.parametrize("verb", ["urge", "note"])
def test_the_others_do_not(d: District, stranger: Api, verb: str) -> None:
    order = ready_for(d, verb, phone=PHONE)
    answer = stranger.post(_path(order, verb), {"data": {"text": "快一点"}})
    assert (answer.status_code, answer.json()["needs_last4"]) == (200, True)
    assert "快一点" not in answer.content.decode()


def test_five_wrong_digits_close_the_link_for_a_while(d: District, stranger: Api) -> None:
    order = ready_for(d, "cancel", phone=PHONE)
    for n in range(5):
        assert stranger.get(_path(order), last4=f"000{n}").json()["code"] == "bad_code"
    assert stranger.get(_path(order), last4="5678").json()["code"] == "bad_code"
    assert stranger.post(_path(order, "cancel"), {"last4": "5678"}).json()["code"] == "bad_code"
    assert stranger.get(_path(order)).status_code == 200
    OrderText.objects.update(last4_locked_until=None)
    assert stranger.get(_path(order), last4="5678").status_code == 200


def test_not_solved_brings_the_order_back(d: District, stranger: Api) -> None:
    order = ready_for(d, "confirm")
    told = stranger.post(_path(order, "confirm"), {"data": {"solved": False, "reason": "还在漏"}}).json()
    assert (told["state"], told["reopened"]) == ("assigned", 1)
    assert told["arrival_code"] == arrival_code(order.pk, 2)


def test_a_repeated_urge_is_one_and_other_urges_are_limited(d: District, stranger: Api, settings: Any) -> None:
    settings.PUBLIC_RATE = "1/min"
    order, key = ready_for(d, "urge"), fresh_key()
    for _time in range(3):
        assert stranger.post(_path(order, "urge"), key=key).status_code == 200
    assert Event.objects.filter(order=order, verb="urge").count() == 1
    refused = stranger.post(_path(order, "urge"))
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"]


def test_a_session_does_not_matter_at_the_link(d: District) -> None:
    """The worker who opens the link in their own browser is its holder, no more, and needs no CSRF token."""
    from django.test import Client

    order = ready_for(d, "depart", phone=PHONE)
    client = Client(enforce_csrf_checks=True)
    client.force_login(d.users["worker"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/api/v1{_path(order)}").json()["arrival_code"] is None
    urged = client.post(f"/api/v1{_path(order, 'urge')}", "{}", content_type="application/json")
    assert urged.status_code == 200
    assert Event.objects.get(order=order, verb="urge").role == "resident"
