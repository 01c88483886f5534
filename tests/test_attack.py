"""What hostile visitors and hostile insiders tried, and what each of them gets.

Every test here began as an attack that succeeded, or as one that must never begin to.
"""

from __future__ import annotations

import itertools
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from jiying.core import limits
from jiying.core.errors import BadInput, JiyingError, NotFound
from jiying.orders import followers
from jiying.orders.actions import act
from jiying.orders.actors import Actor
from jiying.orders.models import Order
from jiying.orders.proof import arrival_code, track_token
from jiying.orders.states import VERBS
from jiying.orders.tests.build import District, district, report, walk
from jiying.people.actions import issue_token
from jiying.people.models import User

#: Times at the edges of what a calendar, a zone or a database holds, and what is none.
TIMES = (
    "0001-01-01", "0001-01-01T00:00:00Z", "0001-01-10T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00+99:99", "2026-13-01",
    "２０２６-１１-０１", "NaN", "-1", "\x00", "",
)  # fmt: skip
ODD = (
    "\x00",
    "'",
    '"',
    "%",
    "*",
    'a"*',
    "<script>",
    "x" * 5000,
    "-1",
    "1e9",
    "NaN",
    "[]",
    "１２３４",
    "\u202e",
    "😀",
    "",
)
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**400, 1e308, "", "\x00", [], [[]], {}, {"a": 1}, "x" * 20_000, "<b>", "１２３４", ["a"] * 50
)  # fmt: skip
MARK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
STREAMS = ("/", "/report", "/desk", "/inbox", "/api/v1/me", "/api/v1/orders", "/t/x")


@pytest.fixture
def d(db: None) -> District:
    limits.forget()
    return district()


def _as(d: District, role: str, **more: Any) -> Client:
    client = Client(raise_request_exception=False, **more)
    client.force_login(d.users[role], backend="django.contrib.auth.backends.ModelBackend")
    return client


def _say(client: Client, order: Order, verb: str, data: Any, **more: Any) -> Any:
    version = Order.objects.values_list("version", flat=True).get(pk=order.pk)
    path = f"/api/v1/orders/{order.pk}/actions/{verb}"
    return client.post(path, json.dumps({"version": version, "data": data, **more}), content_type="application/json")


def test_no_question_breaks_a_list(d: District) -> None:
    report(d)
    client = _as(d, "district")
    lists = ("/desk", "/desk?state=all", "/district", "/api/v1/orders", "/api/v1/figures")
    for path in lists:
        join = "&" if "?" in path else "?"
        asked = [f"{name}={quote(value)}" for name in ("from", "to") for value in TIMES]
        asked += [f"from={quote(a)}&to={quote(b)}" for a, b in itertools.product(TIMES[:7], repeat=2)]
        names = ("cursor", "q", "limit", "state", "sort", "by", "worker", "town", "lang")
        asked += [f"{name}={quote(value)}" for name in names for value in ODD]
        asked += ["q=%ff%fe%80", "state=%c0%80"]
        for query in asked:
            assert client.get(f"{path}{join}{query}").status_code < 500, (path, query)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_forged_cursor_begins_somewhere(d: District, moment: str) -> None:
    report(d)
    client = _as(d, "town")
    for cursor in (f"d~emergency~{moment}~x", f"r~{moment}~x", "n~\x00", "d~~~~~"):
        for state in ("open", "all"):
            assert client.get(f"/desk?state={state}&cursor={quote(cursor)}").status_code == 200, cursor


@pytest.mark.parametrize("path", ["/report", "/desk", "/api/v1/orders", "/t/x"])
def test_a_query_of_ten_thousand_fields_is_refused(d: District, path: str) -> None:
    many = "&".join(f"a{number}=1" for number in range(10_000))
    assert Client(raise_request_exception=False).get(f"{path}?{many}").status_code == 400


def test_nul_in_cookies_and_names_is_nobody(d: District) -> None:
    client = Client(
        raise_request_exception=False, headers={"Cookie": 'sessionid="\\000aaaaaaaaaaaa"; jiying_lang="\\000"'}
    )
    for path in STREAMS:
        assert client.get(path).status_code < 500, path
    for name in ("\x00", "demo-\x00", "demo-" + "x" * 9999):
        assert Client(raise_request_exception=False).post("/demo/sign-in", {"username": name}).status_code == 404


def test_no_data_of_a_verb_breaks_anything(d: District) -> None:
    """Every verb in every shape, said by an insider; then everybody's pages still stand."""
    order = walk(d, report(d, phone="13812345678"), "sign", "assign")
    client = _as(d, "operator")
    fields = ("reason", "worker", "code", "point", "until", "solved", "urgency", "text", "answer_by", "answers", "note")
    for verb in VERBS:
        for value in VALUES:
            assert _say(client, order, verb, value).status_code < 500, (verb, repr(value)[:40])
    for verb in ("arrive", "supervise", "note", "reclassify", "assign"):
        for name, value in itertools.product(fields, VALUES):
            assert _say(client, order, verb, {"text": "x", name: value}).status_code < 500, (verb, name)
    for part, value in itertools.product(("lon", "lat", "crs"), VALUES):
        point = {"lon": 121.5, "lat": 31.2, "crs": "WGS-84", part: value}
        assert _say(client, order, "arrive", {"point": point}).status_code < 500, (part, repr(value)[:40])
    _pages_stand(d, order)


@pytest.mark.parametrize("moment", TIMES)
def test_no_deadline_takes_anybodys_pages_down(d: District, moment: str) -> None:
    order = walk(d, report(d), "sign", "assign")
    client = _as(d, "town")
    assert _say(client, order, "supervise", {"text": "请说明", "answer_by": moment}).status_code == 422
    worker = _as(d, "worker")
    assert _say(worker, order, "pause", {"reason": "waiting_parts", "until": moment}).status_code == 422
    assert _say(worker, order, "depart", {}, at=moment).status_code == 422
    _pages_stand(d, order)


def _pages_stand(d: District, order: Order) -> None:
    followers.catch_up()
    for role, path in (
        ("company", f"/desk/orders/{order.pk}"), ("company", "/inbox"), ("town", "/desk"), ("operator", "/centre"),
        ("operator", f"/api/v1/orders/{order.pk}"), ("worker", "/worker"), ("worker", f"/worker/orders/{order.pk}"),
    ):  # fmt: skip
        assert _as(d, role).get(path).status_code in (200, 404), (role, path)
    assert Client().get(f"/t/{track_token(order.pk)}").status_code == 200


@pytest.mark.parametrize("body", [
    b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"NaN", b'{"kind":Infinity}', b"[]", b"1",
    b"\xff\xfe", b'{"description":"\\ud800"}', b'{"description":"\\u0000"}', b'{"version":' + b"1" * 5000 + b"}",
    b'{"kind":"repair","kind":[]}',
])  # fmt: skip
def test_no_body_is_more_than_refused(d: District, body: bytes) -> None:
    for path in ("/api/v1/orders", f"/api/v1/track/{track_token(report(d).pk)}/actions/note"):
        answer = Client(raise_request_exception=False).post(path, body, content_type="application/json")
        assert answer.status_code in (400, 422), path
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_no_field_of_a_report_breaks_anything(d: District) -> None:
    good = {"kind": "repair", "category": "leak", "description": "漏水", "estate": d.estate.code}
    names = (
        "kind", "category", "urgency", "estate", "building", "unit", "address", "point", "description", "reporter",
        "appointment", "called_at",
    )  # fmt: skip
    bodies = [{**good, name: value} for name in names for value in VALUES]
    bodies += [{**good, "reporter": {name: value}} for name in ("name", "phone") for value in VALUES]
    bodies += [
        {**good, "point": {"lon": 121.5, "lat": 31.2, name: value}} for name in ("lon", "crs") for value in VALUES
    ]
    bodies += [{**good, "called_at": at} for at in TIMES]
    bodies += [
        {**good, "urgency": "ordinary", "appointment": {"from": a, "to": b}}
        for a in TIMES[:8]
        for b in (*TIMES[:8], None)
    ]
    client = Client(raise_request_exception=False)
    for body in bodies:
        answer = client.post("/api/v1/orders", json.dumps(body), content_type="application/json")
        assert answer.status_code in (201, 422), (repr(body)[:200], answer.content[:200])
    assert _as(d, "operator").get("/centre").status_code == 200
    assert _as(d, "company").get("/desk?state=all").status_code == 200
    assert _as(d, "company").get("/api/v1/orders?limit=200").status_code == 200


def test_what_people_write_is_never_markup(d: District) -> None:
    type(d.estate).objects.filter(pk=d.estate.pk).update(name=MARK)
    for role in ("worker", "company", "operator"):
        User.objects.filter(pk=d.users[role].pk).update(name=MARK)
    type(d.worker).objects.filter(pk=d.worker.pk).update(name=MARK)
    order = walk(d, report(d, description=MARK, name=MARK[:40], unit=MARK[:20], phone="13812345678"), "sign", "assign")
    order = act(order.pk, "note", by=d.actor("operator"), data={"text": MARK})
    act(order.pk, "supervise", by=d.actor("town"), data={"text": MARK, "answer_by": _later()})
    followers.catch_up()
    places = f"/report/places?q={quote('<script>')}"
    for role, path in (
        ("company", f"/desk/orders/{order.pk}"), ("operator", "/centre"), ("operator", "/desk"), ("company", "/inbox"),
        ("worker", "/worker"), ("worker", f"/worker/orders/{order.pk}"), ("district", "/district"), ("worker", places),
        ("resident", f"/t/{track_token(order.pk)}"), ("resident", f"/?track={quote(MARK)}"),
        ("company", f"/desk?q={quote(MARK)}"), ("resident", f"/report?q={quote(MARK)}&description={quote(MARK)}"),
        ("resident", f"/report?lang={quote(MARK)}"), ("operator", f"/centre/intake/places?q={quote('<script>')}"),
    ):  # fmt: skip
        text = _as(d, role).get(path).content.decode()
        assert "<script>alert" not in text, (role, path)
        assert "<img src=x" not in text, (role, path)


def _later() -> str:
    return (timezone.now() + timedelta(hours=2)).isoformat()


def test_a_form_without_its_token_does_nothing(d: District) -> None:
    order = walk(d, report(d), "sign", "assign")
    token = track_token(order.pk)
    for role, path in (
        ("company", f"/desk/orders/{order.pk}/urge"), ("company", f"/desk/orders/{order.pk}/telephone"),
        ("worker", f"/worker/orders/{order.pk}/depart"), ("resident", f"/t/{token}/cancel"), ("resident", "/report"),
        ("operator", "/centre/intake"), ("operator", "/centre/intake/beside"), ("company", "/inbox/read"),
        ("company", "/sign-out"), ("company", "/demo/sign-in"), ("company", "/sign-in"),
        ("company", f"/api/v1/orders/{order.pk}/actions/urge"), ("company", "/api/v1/orders"),
    ):  # fmt: skip
        client = _as(d, role, enforce_csrf_checks=True)
        assert client.post(path, {"version": order.version}).status_code == 403, path
    order.refresh_from_db()
    assert order.state == "assigned"
    assert Order.objects.count() == 1


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(d: District, target: str) -> None:
    user = User.objects.create_user("clerk", password="langes-passwort-1")
    client = Client()
    answer = client.post("/sign-in", {"login": "clerk", "password": "langes-passwort-1", "next": target})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_session_gets_a_new_name_when_somebody_signs_in(d: District) -> None:
    User.objects.create(username="demo-town")
    client = Client()
    session = client.session
    session["planted"] = "x"
    session.save()
    client.cookies["sessionid"] = planted = str(session.session_key)
    assert client.post("/demo/sign-in", {"username": "demo-town"}).status_code == 302
    assert client.cookies["sessionid"].value != planted
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_one_click_never_opens_the_back_office(d: District) -> None:
    User.objects.create(username="demo-root", is_superuser=True, is_staff=True)
    User.objects.create(username="demo-boss", is_superuser=True)
    User.objects.create(username="demo-gone", is_active=False)
    for name in ("demo-root", "demo-boss", "demo-gone", "town", "demo-", "DEMO-ROOT"):
        assert Client().post("/demo/sign-in", {"username": name}).status_code == 404, name


def test_whoever_left_is_out(d: District) -> None:
    order = walk(d, report(d), "sign")
    token, _expires = issue_token(d.users["company"])
    bearer = Client(headers={"Authorization": f"Bearer {token}"})
    session = _as(d, "company")
    assert bearer.get(f"/api/v1/orders/{order.pk}").status_code == 200
    d.users["company"].memberships.update(valid_to=timezone.localdate())
    assert bearer.get(f"/api/v1/orders/{order.pk}").status_code == 404
    assert session.get("/desk").status_code == 403
    User.objects.filter(pk=d.users["company"].pk).update(is_active=False)
    assert bearer.get("/api/v1/me").status_code == 401
    assert session.get("/desk").status_code == 302


def test_a_worker_struck_off_takes_no_order(d: District) -> None:
    order = walk(d, report(d), "sign")
    type(d.worker).objects.filter(pk=d.worker.pk).update(active=False)
    with pytest.raises(JiyingError):
        act(order.pk, "take", by=d.actor("worker"))
    with pytest.raises(BadInput):
        act(order.pk, "assign", by=d.actor("company"), data={"worker": str(d.worker.pk)})


def test_the_arrival_code_is_not_found_by_trying(d: District) -> None:
    order = walk(d, report(d), "sign", "assign")
    right = arrival_code(order.pk, 1)
    client = _as(d, "worker")
    wrong = (f"{number:04}" for number in range(10_000) if f"{number:04}" != right)
    for code in itertools.islice(wrong, 5):
        assert _say(client, order, "arrive", {"code": code}).status_code == 422
    assert _say(client, order, "arrive", {"code": right}).status_code == 422
    # Other verbs and other people's mouths ask no further question.
    assert _say(_as(d, "operator"), order, "arrive", {"code": right}).status_code == 422
    assert _say(client, order, "depart", {"code": right}).status_code == 200
    order.refresh_from_db()
    assert order.state == "en_route"


def test_another_callers_key_is_another_key(d: District) -> None:
    body = json.dumps({"kind": "repair", "category": "leak", "description": "漏水", "estate": d.estate.code})
    made = set()
    for role in ("company", "resident", "resident-2"):
        token, _expires = issue_token(d.users[role])
        client = Client(headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "1"})
        made.add(client.post("/api/v1/orders", body, content_type="application/json").json()["id"])
    for address in ("10.0.0.1", "10.0.0.2"):
        client = Client(headers={"Idempotency-Key": "1"}, REMOTE_ADDR=address)
        made.add(client.post("/api/v1/orders", body, content_type="application/json").json()["id"])
    assert len(made) == 5


def test_part_of_a_link_and_a_number_open_nothing(d: District) -> None:
    order = report(d)
    token = track_token(order.pk)
    for guess in (token[:-1], token + "0", token[:16], token.upper(), order.number, str(order.pk), order.pk.hex):
        if guess != token:
            assert Client().get(f"/t/{guess}").status_code == 404, guess
            assert Client().get(f"/api/v1/track/{guess}").status_code == 404, guess


def test_a_claimed_address_does_not_loosen_the_limit(d: District, settings: Any) -> None:
    settings.PUBLIC_RATE = "3/min"
    body = json.dumps({"kind": "repair", "category": "leak", "description": "漏水", "estate": d.estate.code})
    claims = [
        {"X-Forwarded-For": f"9.9.9.{n}", "X-Real-IP": f"9.9.9.{n}", "Forwarded": f"for=9.9.9.{n}"} for n in range(5)
    ]
    codes = [
        Client(headers=c).post("/api/v1/orders", body, content_type="application/json").status_code for c in claims
    ]
    assert codes == [201, 201, 201, 429, 429]


def test_a_method_by_header_is_no_method(d: District) -> None:
    order = report(d)
    client = _as(d, "operator")
    answer = client.get(f"/desk/orders/{order.pk}/sign", headers={"X-HTTP-Method-Override": "POST"})
    assert answer.status_code == 405
    assert client.get(f"/desk/orders/{order.pk}/sign?_method=POST").status_code == 405


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1@evil.example", "evil.example:80"])
def test_another_name_gets_no_page(d: District, host: str) -> None:
    for path in ("/", "/sign-in", "/api/v1/catalogue", f"/t/{track_token(report(d).pk)}"):
        answer = Client(raise_request_exception=False, headers={"Host": host}).get(path)
        assert answer.status_code == 400, path
        assert "evil.example" not in answer.content.decode()


@pytest.mark.parametrize("path", [
    "/static/../../config/settings.py", "/static/%2e%2e/%2e%2e/config/settings.py",
    "/static/vendor/..%2f..%2fconfig/settings.py", "/static//etc/passwd", "/%00", "/t/%00", "/t/%ff%fe",
    "/t/" + "a" * 5000, "/desk/orders/1/%00", "/api/v1/orders/%00",
])  # fmt: skip
def test_a_crooked_path_leads_nowhere(d: District, path: str) -> None:
    assert Client(raise_request_exception=False).get(path).status_code in (302, 401, 404, 405)
    assert _as(d, "operator").get(path).status_code in (404, 405)


def test_every_page_says_that_it_is_not_to_be_framed_or_scripted_from_elsewhere(d: District) -> None:
    order = report(d)
    for path in ("/", "/report", "/sign-in", f"/t/{track_token(order.pk)}", "/nothing", "/api/v1/docs"):
        answer = Client().get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"<[a-z]+[^>]*\son[a-z]+=|<script(?![^>]*\ssrc=)", answer.content.decode()), path


def test_a_stranger_says_no_verb_without_a_link(d: District) -> None:
    order = report(d)
    for verb in VERBS:
        with pytest.raises(NotFound):
            act(order.pk, verb, by=Actor.of(AnonymousUser()))
