"""Refusals that belong to no single endpoint: shape, language, tokens, JSON that is none, unknown addresses."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from jiying.api.tests.calls import Api, leak
from jiying.orders.models import Order
from jiying.orders.tests.build import District
from jiying.people.actions import issue_token
from jiying.people.models import Token


def _is_problem(answer: Any, status: int, code: str) -> None:
    document = json.loads(answer.content)
    assert (answer.status_code, document["code"]) == (status, code), document
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert document.keys() >= {"type", "title", "status", "detail", "code", "errors"}
    assert document["status"] == status
    assert document["type"] == f"/api/v1/docs#{code}"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"hello",
        b"kind=repair&category=leak",
        b'{"description": "\xff\xfe"}',
        b'{"description": "\\ud83d"}',
        b'{"\\udc00": 1}',
        b'{"point": {"lon": NaN, "lat": Infinity}}',
        b"[" * 100_000,
        b'{"data":' * 60 + b"1" + b"}" * 60,
        b'{"version": ' + b"9" * 5000 + b"}",
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_json_is_refused(d: District, as_: Any, raw: bytes) -> None:
    _is_problem(Api().post("/orders", raw=raw), 400, "bad_json")
    _is_problem(as_("company").post("/orders", raw=raw), 400, "bad_json")


@pytest.mark.parametrize("raw", [b"[]", b"null", b"1", b'"x"', b"true"])
def test_json_that_is_no_object_is_refused(d: District, raw: bytes) -> None:
    _is_problem(Api().post("/orders", raw=raw), 422, "invalid")


def test_brackets_in_words_are_words(d: District, stranger: Api) -> None:
    assert stranger.post("/orders", leak(description="[[{{" * 500)).status_code == 201


@pytest.mark.parametrize("path", ["/", "/nowhere", "/orders/x/y/z", "/track/", "/orders/", "/docs/more"])
def test_an_unknown_address_is_a_problem(db: None, path: str) -> None:
    _is_problem(Api().get(path), 404, "not_found")
    _is_problem(Api().post(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("put", "/orders"), ("delete", "/orders"), ("post", "/me"), ("patch", "/catalogue")]
)
def test_a_method_that_is_not_taken_names_those_that_are(db: None, method: str, path: str) -> None:
    answer = getattr(Client(), method)(f"/api/v1{path}")
    _is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"]


@pytest.mark.parametrize("given", ["Bearer nonsense", "Bearer ", "Bearer 令牌", "Basic YTpi", "nonsense"])
@pytest.mark.parametrize("path", ["/me", "/orders", "/estates"])
def test_a_wrong_token_is_refused_everywhere(db: None, given: str, path: str) -> None:
    answer = Client(headers={"Authorization": given.encode().decode("latin1")}).get(f"/api/v1{path}")
    _is_problem(answer, 401, "bad_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_token_and_one_of_somebody_who_left_are_refused(d: District) -> None:
    user = d.users["operator"]
    api = Api(user)
    assert api.get("/me").status_code == 200
    user.is_active = False
    user.save()
    _is_problem(api.get("/me"), 401, "bad_token")
    user.is_active = True
    user.save()
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    _is_problem(api.get("/me"), 401, "bad_token")


@pytest.mark.parametrize("path", ["/me", "/orders", "/workers", "/figures"])
def test_without_sign_in_private_addresses_ask_for_it(db: None, path: str) -> None:
    _is_problem(Api().get(path), 401, "sign_in_required")


def test_writes_by_session_want_the_csrf_token_and_others_do_not(d: District) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(d.users["resident"], backend="django.contrib.auth.backends.ModelBackend")
    body = json.dumps(leak())
    assert client.get("/api/v1/me").json()["role"] == "resident"
    _is_problem(client.post("/api/v1/orders", body, content_type="application/json"), 403, "csrf_failed")
    assert Order.objects.count() == 0
    client.get("/sign-in?lang=en")
    client.get("/admin/login/")
    token = {"X-CSRFToken": client.cookies["csrftoken"].value}
    mine = client.post("/api/v1/orders", body, content_type="application/json", headers=token)
    assert mine.status_code == 201
    assert Order.objects.get().reporter == d.users["resident"]
    for headers in ({}, {"Authorization": f"Bearer {issue_token(d.users['resident'])[0]}"}):
        plain = Client(enforce_csrf_checks=True, headers=headers)
        assert plain.post("/api/v1/orders", body, content_type="application/json").status_code == 201


@pytest.mark.parametrize(
    ("headers", "query", "words"),
    [
        ({}, "", "没有找到"),
        ({"Accept-Language": "en-GB,en;q=0.9"}, "", "Not found"),
        ({"Accept-Language": "zh-CN,en;q=0.5"}, "", "没有找到"),
        ({}, "?lang=en", "Not found"),
        ({"Accept-Language": "en"}, "?lang=zh", "没有找到"),
    ],
)
def test_problems_speak_the_askers_language(db: None, headers: dict[str, str], query: str, words: str) -> None:
    answer = Client(headers=headers).get(f"/api/v1/nowhere{query}")
    assert answer.json()["title"] == words


def test_field_messages_speak_english_too(d: District) -> None:
    problem = Api(language="en").post("/orders", leak(description="", reporter={"phone": "1"})).json()
    for text in (problem["title"], *(error["message"] for error in problem["errors"])):
        assert text.isascii(), text


def test_a_fault_of_ours_is_told_without_its_insides(d: District, caplog: Any) -> None:
    with (
        caplog.at_level(logging.CRITICAL, "jiying.api"),
        mock.patch("jiying.api.orders.accept_one", side_effect=RuntimeError("secret /etc/shadow")),
    ):
        answer = Api().post("/orders", leak())
    _is_problem(answer, 500, "failed")
    assert "secret" not in answer.content.decode()


def test_a_busy_database_says_try_again(d: District) -> None:
    with mock.patch("jiying.api.orders.accept_one", side_effect=OperationalError("database is locked")):
        answer = Api().post("/orders", leak())
    _is_problem(answer, 503, "busy")
    assert answer.headers["Retry-After"] == "1"


def test_a_body_beyond_djangos_limit_is_too_large(d: District, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    _is_problem(Api().post("/orders", leak(description="长" * 200)), 413, "too_large")
