"""The log says what happened to which order, and nothing about anybody."""

from __future__ import annotations

import io
import json
import logging
import re
import urllib.request
import uuid
from typing import Any
from unittest import mock
from urllib.error import HTTPError

import pytest
from django.db import transaction
from django.db.utils import DatabaseError
from django.test import Client

from jiying.core import journal
from jiying.orders import watcher
from jiying.orders.models import Order
from jiying.orders.proof import arrival_code, track_token
from jiying.orders.tests import build
from jiying.people.actions import issue_token

PHONE, NAME, WORDS, ROOM = "13898761234", "欧阳致远", "阳台三角梅那家", "在三楼东户七零一"
STREET, NOTE, COMMENT = "无名路九弄四号", "钥匙在门垫下面", "师傅很和气呢"
POINT = {"lon": 121.519999, "lat": 31.222222}
PERSONAL = (
    PHONE, "138 9876 1234", "1389876", "9876", NAME, "欧阳", WORDS, "三角梅", ROOM, STREET, NOTE, COMMENT, "519999",
    "%E4%B8%89%E8%A7%92%E6%A2%85",
)  # fmt: skip


@pytest.fixture
def lines(db: None) -> Any:
    """What the configured log would have written, line by line."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(journal.JsonLines())
    handler.addFilter(journal.Refusals())
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def _form(order: Order, **more: str) -> dict[str, Any]:
    order.refresh_from_db()
    return {"version": order.version, **more}


def _journey(d: build.District) -> Order:
    """One order through all doors, with people saying personal things wherever they can."""
    stranger = Client()
    report = {
        "estate": d.estate.code,
        "category": "leak",
        "description": WORDS,
        "unit": ROOM,
        "phone": PHONE,
        "name": NAME,
    }
    sent = stranger.post("/report", {**report, "key": uuid.uuid4().hex})
    assert sent.status_code == 302, sent.text
    order = Order.objects.get()
    track = f"/t/{track_token(order.pk)}"
    people = {role: Client() for role in ("company", "worker", "operator", "district")}
    for role, client in people.items():
        client.force_login(d.users[role], backend="django.contrib.auth.backends.ModelBackend")
    assert stranger.get(track).status_code == 200
    stranger.post(f"{track}/note", {"text": NOTE, "last4": PHONE[-4:]})
    stranger.get(f"/?track={track_token(order.pk)}")
    for client in (people["company"], people["operator"]):
        assert client.get(f"/desk/orders/{order.pk}").status_code == 200
        client.get("/desk", {"q": WORDS})
        client.get("/desk", {"q": PHONE})
    people["company"].post(f"/desk/orders/{order.pk}/sign", _form(order))
    people["company"].post(f"/desk/orders/{order.pk}/assign", _form(order, worker=str(d.worker.pk)))
    people["company"].post(f"/desk/orders/{order.pk}/telephone", {"reason": NOTE})
    people["worker"].get(f"/worker/orders/{order.pk}")
    people["worker"].post(f"/worker/orders/{order.pk}/depart", _form(order))
    point = f"{POINT['lon']},{POINT['lat']}"
    people["worker"].post(f"/worker/orders/{order.pk}/arrive", _form(order, code="0000", point=point))
    code = arrival_code(order.pk, 1)
    people["worker"].post(f"/worker/orders/{order.pk}/arrive", _form(order, code=code, point=point))
    people["worker"].post(f"/worker/orders/{order.pk}/done", _form(order, note=NOTE))
    people["operator"].get("/centre/intake/places", {"q": STREET})
    people["operator"].post("/centre/intake/beside", {"phone": PHONE, "words": WORDS})
    stranger.post(f"{track}/rate", {"satisfaction": "satisfied", "solved": "yes", "comment": COMMENT, "last4": "9999"})
    stranger.post("/sign-in", {"login": NAME, "password": PHONE})
    stranger.get(f"/{NAME}/{PHONE}")
    secret, _ends = issue_token(d.users["operator"])
    bearer = Client(headers={"Authorization": f"Bearer {secret}"})
    body = {"kind": "repair", "category": "leak", "address": STREET, "description": WORDS}
    body |= {"point": {**POINT, "crs": "x"}, "reporter": {"name": NAME, "phone": PHONE}}
    bearer.post("/api/v1/orders", json.dumps(body), content_type="application/json")
    bearer.get("/api/v1/orders", {"q": PHONE})
    bearer.get(f"/api/v1/track/{track_token(order.pk)}", {"last4": PHONE[-4:]})
    bearer.post(
        f"/api/v1/track/{track_token(order.pk)}/actions/confirm", b"{" + PHONE.encode(), content_type="application/json"
    )
    bearer.get(f"/api/v1/orders/{PHONE}")
    bearer.get(f"/api/v1/{STREET}")
    Client(headers={"Authorization": f"Bearer {PHONE}"}).get("/api/v1/me")
    Client(headers={"Host": "zhang-san-13898761234.example"}).get("/")
    order.refresh_from_db()
    return order


def test_a_journey_through_all_doors_leaves_its_orders_number_and_nothing_personal(lines):
    d = build.district()
    order = _journey(d)
    text = json.dumps(lines(), ensure_ascii=False)
    assert [value for value in PERSONAL if value in text] == []
    token = track_token(order.pk)
    assert token not in text
    assert token[:12] not in text
    told = {(line["route"], line.get("verb"), line.get("order")) for line in lines() if line["message"] == "request"}
    assert ("/worker/orders/<uuid:order_id>/<str:verb>", "arrive", order.number) in told
    assert ("/t/<str:token>", None, order.number) in told
    assert ("/report", None, order.number) in told
    by_worker = [line for line in lines() if line.get("verb") == "done"]
    assert [line["user"] for line in by_worker] == [str(d.users["worker"].pk)]
    assert all(
        {"time", "level", "logger", "request", "method", "route", "status", "ms"} <= line.keys() for line in lines()
    )


def test_every_answer_names_its_request_and_an_id_from_in_front_is_kept(lines):
    mine = uuid.uuid4().hex
    assert Client().get("/", headers={"X-Request-ID": mine}).headers["X-Request-ID"] == mine
    other = Client().get("/", headers={"X-Request-ID": PHONE}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", other)
    assert [line["request"] for line in lines()] == [mine, other]


def test_a_foreign_host_name_is_one_line_without_a_traceback(lines):
    assert Client(headers={"Host": "evil.example"}).get("/report").status_code == 400
    (line,) = lines()
    assert (line["status"], line["why"], "error" in line) == (400, "DisallowedHost", False)
    assert "evil" not in str(line)


def test_a_failure_is_told_with_its_place_and_without_what_anybody_said(lines):
    def fail(*_args: Any, **_more: Any) -> None:
        secret = PHONE
        try:
            int(f"{NAME} {secret}")
        except ValueError as error:
            raise RuntimeError(f"no place for {NAME}: '{WORDS}', {PHONE}") from error

    client = Client(raise_request_exception=False)
    with mock.patch("jiying.resident.tracking.by_track", fail):
        assert client.get("/t/0123456789abcdef0123456789abcdef").status_code == 500
    failed, request = lines()
    assert failed["request"] == request["request"]
    assert (failed["level"], failed["logger"], request["level"]) == ("error", "django.request", "warning")
    assert failed["route"] == "/t/<str:token>"
    assert failed["error"]["type"] == "RuntimeError"
    assert failed["error"]["cause"]["type"] == "ValueError"
    assert failed["error"]["trace"][-1].endswith(" fail")
    text = str(lines())
    assert [value for value in (*PERSONAL, "0123456789ab") if value in text] == []


def test_what_a_database_says_of_a_row_stays_out_of_the_log(lines):
    d = build.district()
    try:
        with transaction.atomic():
            Order.objects.create(pk=build.report(d).pk, number=NAME, district="1", reported_at=None, track=PHONE)
    except DatabaseError as error:
        logging.getLogger("jiying.test").error("refused", exc_info=error)
    (line,) = [line for line in lines() if "error" in line]
    assert line["error"]["type"] == "IntegrityError"
    assert [value for value in PERSONAL if value in str(line)] == []


def test_the_watcher_says_which_order_it_set_aside(lines):
    d = build.district()
    order = build.report(d)
    Order.objects.filter(pk=order.pk).update(next_at=order.reported_at)
    with mock.patch("jiying.orders.watcher.store.load_many", side_effect=RuntimeError("broken")):
        watcher.sweep()
    (line,) = [line for line in lines() if line["logger"] == "jiying.watcher"]
    assert (line["order"], line["level"]) == (order.number, "error")


def test_at_a_terminal_the_same_is_said_in_words():
    record = logging.LogRecord("jiying.request", logging.INFO, "", 0, "request", (), None)
    record.facts = {"status": 200}
    with journal.circumstances(order="R1"):
        said = journal.Words().format(record)
    assert re.fullmatch(r"\d\d:\d\d:\d\d info jiying.request request order=R1 status=200", said)


@pytest.mark.parametrize("address", ["/api/v1/estates", "/api/v1/nowhere", "/report"])
def test_too_many_parameters_are_refused_in_the_shape_and_language_of_the_door(db, address):
    query = "&".join(f"a{n}=1" for n in range(1200))
    answer = Client().get(f"{address}?{query}", headers={"Accept-Language": "en"})
    assert answer.status_code == 400
    if address.startswith("/api/"):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"].startswith("Too many parameters")
    else:
        assert "text/html" in answer.headers["Content-Type"]


def test_an_id_that_is_none_is_no_failure_of_the_back_office(db):
    from django.contrib.contenttypes.models import ContentType

    from jiying.people.models import User

    client = Client()
    client.force_login(
        User.objects.create(username="root", is_staff=True, is_superuser=True),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    kind = ContentType.objects.get_for_model(Order).pk
    assert client.get(f"/admin/r/{kind}/nothing/").status_code == 404


def test_a_served_installation_logs_to_the_file_named_and_nothing_personal(serve, tmp_path):
    path = tmp_path / "jiying.log"
    served = serve(JIYING_LOG=str(path))
    body = {"kind": "repair", "category": "leak", "address": STREET, "description": WORDS,
            "reporter": {"name": NAME, "phone": PHONE}}  # fmt: skip
    asked = urllib.request.Request(
        served.url + "/api/v1/orders", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked) as answer:
        made, number = json.load(answer), answer.headers["X-Request-ID"]
    served.get(f"/api/v1/track/{made['track_url'].rpartition('/')[2]}?last4={PHONE[-4:]}")
    with urllib.request.urlopen(served.url + "/healthz") as answer:
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    huge = urllib.request.Request(served.url + "/api/v1/orders", b"x" * 2_000_000)
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(huge)
    assert served.run("verify-chain").returncode == 0
    served.stop()
    told = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["order"] for line in told if line.get("request") == number] == [made["number"]]
    assert [line["status"] for line in told if line["request"] == refused.value.headers["X-Request-ID"]] == [413]
    everything = path.read_text("utf-8") + served.log()
    assert [value for value in (*PERSONAL, made["track_url"][-12:]) if value in everything] == []


def test_a_log_that_cannot_be_written_is_said_before_anything_starts(tmp_path):
    from tests.served import jiying

    done = jiying(tmp_path / "home", "migrate", JIYING_LOG=str(tmp_path / "no" / "such" / "file"))
    assert done.returncode == 2
    assert "JIYING_LOG" in done.stderr
    assert "Traceback" not in done.stderr
