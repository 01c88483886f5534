"""POST /api/v1/orders/{id}/actions/{verb}: versions, keys, times, what a refusal tells."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jiying.api.tests.calls import fresh_key
from jiying.api.tests.ways import ready_for
from jiying.estates import actions as estates
from jiying.orders.models import Event
from jiying.orders.proof import arrival_code
from jiying.orders.tests.build import SKILLS, District
from jiying.people.actions import join
from jiying.people.models import User


def test_a_version_is_wanted_and_is_a_number(d: District, as_: Any) -> None:
    order = ready_for(d, "sign")
    path = f"/orders/{order.pk}/actions/sign"
    for body, code in (({}, "required"), ({"version": "1"}, "invalid"), ({"version": True}, "invalid")):
        answer = as_("company").post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["errors"][0]["field"] == "version"


def test_a_stale_version_is_refused_with_the_order_as_it_is(d: District, as_: Any) -> None:
    order = ready_for(d, "assign")
    answer = as_("company").post(f"/orders/{order.pk}/actions/return", {"version": 1, "data": {"reason": "远"}})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "stale_version")
    assert (problem["order"]["state"], problem["order"]["version"]) == ("signed", order.version)
    assert "assign" in problem["order"]["possible_verbs"]


def test_an_impossible_verb_names_the_possible_ones(d: District, as_: Any) -> None:
    answer = as_("company").act(ready_for(d, "depart"), "refuse", {"rule": "第 3 条"})
    assert (answer.status_code, answer.json()["code"]) == (422, "impossible_verb")
    assert "assign" in answer.json()["possible_verbs"]


def test_the_second_taker_is_told_who_was_first(d: District, as_: Any) -> None:
    mate = User.objects.create(username="mate", name="孙师傅")
    join(mate, d.company.organisation, "worker")
    estates.hire(d.company, name="孙师傅", skills=SKILLS, shifts=[(0, 1440)], known_skills=SKILLS, user=mate)
    d.users["mate"] = mate
    order = ready_for(d, "take")
    body = {"version": order.version}
    assert as_("worker").post(f"/orders/{order.pk}/actions/take", body).status_code == 200
    late = as_("mate").post(f"/orders/{order.pk}/actions/take", body)
    assert (late.status_code, late.json()["code"]) == (409, "stale_version")
    assert late.json()["order"]["worker"] == {"id": str(d.worker.pk), "name": "王师傅"}
    assert late.json()["order"].keys() == {"id", "number", "state", "version", "worker"}
    assert "王师傅" in late.json()["detail"]


def test_a_repeated_action_is_done_once(d: District, as_: Any) -> None:
    order = ready_for(d, "sign")
    company, key, body = as_("company"), fresh_key(), {"version": order.version}
    path = f"/orders/{order.pk}/actions/sign"
    first, again = company.post(path, body, key=key), company.post(path, body, key=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert Event.objects.filter(order=order, verb="sign").count() == 1
    other = company.post(f"/orders/{order.pk}/actions/note", {**body, "data": {"text": "别的"}}, key=key)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")


@pytest.mark.parametrize("at", ["yesterday", 17, "2026-13-01T00:00:00Z", "2026-11-24T10:00:00", {}])
def test_a_time_that_is_none_is_refused(d: District, as_: Any, at: Any) -> None:
    answer = as_("company").act(ready_for(d, "sign"), "sign", at=at)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_time")


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=-400)])
def test_a_time_in_the_future_or_before_the_report_is_refused(d: District, as_: Any, ahead: timedelta) -> None:
    at = (timezone.now() + ahead).isoformat()
    answer = as_("company").act(ready_for(d, "sign"), "sign", at=at)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_time")
    assert answer.json()["errors"][0]["field"] == "at"


def test_five_wrong_arrival_codes_close_that_door(d: District, as_: Any) -> None:
    order = ready_for(d, "arrive")
    right = arrival_code(order.pk, 1)
    wrong = f"{(int(right) + 1) % 10_000:04}"
    worker = as_("worker")
    for _try in range(5):
        answer = worker.act(order, "arrive", {"code": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_code")
    refused = worker.act(order, "arrive", {"code": right})
    assert refused.json()["code"] == "bad_code"
    assert worker.act(order, "arrive").json()["state"] == "on_site"


def test_an_action_that_takes_the_order_away_still_answers(d: District, as_: Any) -> None:
    order = ready_for(d, "depart")
    answer = as_("company").act(order, "return", {"reason": "不是本小区"})
    assert answer.json()["state"] == "returned"
    assert answer.json()["worker"] is None


def test_no_answer_to_company_or_worker_holds_the_arrival_code(d: District, as_: Any) -> None:
    order = ready_for(d, "depart")
    code = arrival_code(order.pk, 1)
    for role in ("worker", "company", "manager"):
        for answer in (
            as_(role).get(f"/orders/{order.pk}"),
            as_(role).get("/orders"),
            as_(role).act(order, "note", {"text": "?"}),
        ):
            assert f'"{code}"' not in answer.content.decode()
            assert "arrival_code" not in answer.content.decode()


def test_an_order_that_does_not_exist_is_not_found(as_: Any) -> None:
    for order in (uuid.uuid4(), "no-uuid", "0"):
        answer = as_("operator").post(f"/orders/{order}/actions/sign", {"version": 1})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
