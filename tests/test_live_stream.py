"""The stream at /live/events: who hears what, and what happens when something breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date

import pytest
from django.contrib.sessions.models import Session
from tests.listening import Listening

from jiying.live import asgi, hub
from jiying.orders.actions import act
from jiying.orders.models import Event
from jiying.orders.proof import arrival_code, track_token
from jiying.orders.tests.build import District, district, report, walk
from jiying.people.actions import issue_token, leave
from jiying.people.models import Membership, Token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def d(transactional_db) -> District:
    return district()


@pytest.fixture
def live(transactional_db) -> Iterator[Listening]:
    listening = Listening()
    yield listening
    listening.close()


def test_an_operator_hears_of_an_order_at_once_and_where_it_stands(d, live):
    talk = live.open(user=d.users["operator"])
    order = report(d, name="陈阿姨", phone="13800138000")
    heard = talk.next()
    assert (heard["verb"], heard["order_state"], heard["number"]) == ("report", "submitted", order.number)
    assert heard["town"] == {"code": d.town.code, "name": d.town.name}
    assert heard["company"]["code"] == d.company.uscc
    assert heard["headline_promise"]
    assert heard["headline_due"].endswith("+08:00")
    event = Event.objects.get()
    assert heard["_id"] == f"{event.xid}-{event.seq}"
    walk(d, order, "sign", "assign")
    assert [talk.next()["verb"] for _ in range(2)] == ["sign", "assign"]


def test_no_personal_text_and_no_code_is_on_the_stream(d, live):
    talk = live.open(user=d.users["operator"])
    order = report(d, name="陈阿姨", phone="13800138000")
    order = walk(d, order, "sign", "assign")
    act(order.pk, "note", by=d.actor("worker"), data={"text": "钥匙在门口"})
    heard = str([talk.next() for _ in range(4)])
    for secret in (
        "厨房水管爆了",
        "陈阿姨",
        "13800138000",
        "钥匙在门口",
        arrival_code(order.pk, 1),
        track_token(order.pk),
    ):
        assert secret not in heard


def test_another_towns_orders_are_not_heard(d, live):
    talk = live.open(user=d.users["town-2"])
    report(d)
    theirs = report(d, estate=d.estate2.code)
    assert talk.next()["order"] == str(theirs.pk)
    assert talk.silent()


def test_a_bearer_token_opens_the_stream_and_an_expired_one_does_not(d, live):
    secret, _until = issue_token(d.users["company"])
    talk = live.open(authorization=f"Bearer {secret}")
    report(d)
    assert talk.next()["verb"] == "report"
    Token.objects.update(expires_at="2024-01-01T00:00:00Z")
    assert live.open(authorization=f"Bearer {secret}").status == 401


def test_a_tracking_link_hears_its_own_order_in_outline(d, live):
    order = report(d)
    # Even for who is signed in and might hear more.
    talk = live.open(f"track={track_token(order.pk)}", user=d.users["operator"])
    report(d)
    walk(d, order, "sign")
    heard = talk.next()
    assert heard["order_state"] == "signed"
    assert set(heard) == {
        "_id", "version", "verb", "milestone", "at", "order_state", "number", "headline_promise", "headline_due",
    }  # fmt: skip


@pytest.mark.parametrize("query", ["", "track=0123456789abcdef0123456789abcdef", "track=x"])
def test_a_stranger_is_told_to_sign_in(d, live, query):
    talk = live.open(query)
    assert talk.status == 401
    assert talk.problem["code"] == "sign_in_required"
    headers = dict(talk.answer["headers"])
    assert headers[b"content-type"] == b"application/problem+json"


def test_refusals_speak_the_askers_language(d, live):
    assert "Sign in" in live.open(accept_language="en-GB,en").problem["detail"]
    assert "登录" in live.open().problem["detail"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"path": "/live/other"}, 404), ({"method": "POST"}, 405), ({"host": "evil.example"}, 400)],
)
def test_what_is_no_stream_is_refused(d, live, asked, status):
    talk = live.open(**asked)
    assert talk.status == status
    assert talk.problem["status"] == status


@pytest.mark.parametrize("by_header", [True, False])
def test_who_comes_back_hears_exactly_what_was_missed(d, live, by_header):
    talk = live.open(user=d.users["operator"])
    order = report(d)
    first = talk.next()
    live.leave(talk)
    walk(d, order, "sign", "assign")
    report(d, estate=d.estate2.code)
    asked = {"last_event_id": first["_id"]} if by_header else {"query": f"last_event_id={first['_id']}"}
    talk = live.open(user=d.users["operator"], **asked)
    assert [talk.next()["verb"] for _ in range(3)] == ["sign", "assign", "report"]
    talk.next("ready")
    walk(d, order, "depart")
    assert talk.next()["verb"] == "depart"
    assert talk.silent()


def test_who_broke_off_before_the_first_event_misses_nothing(d, live):
    talk = live.open(user=d.users["operator"], ready=False)
    mark = talk.next("ready")["_id"]
    live.leave(talk)
    report(d)
    talk = live.open(user=d.users["operator"], last_event_id=mark)
    assert talk.next()["verb"] == "report"


def test_what_is_missed_is_replayed_in_scope_only(d, live):
    talk = live.open(user=d.users["town-2"], ready=False)
    mark = talk.next("ready")["_id"]
    live.leave(talk)
    report(d)
    theirs = report(d, estate=d.estate2.code)
    talk = live.open(user=d.users["town-2"], last_event_id=mark)
    assert talk.next()["order"] == str(theirs.pk)
    talk.next("ready")


def test_too_much_missed_means_load_anew(d, live, monkeypatch):
    monkeypatch.setattr(asgi, "REPLAYED", 2)
    order = walk(d, report(d), "sign", "assign")
    talk = live.open(user=d.users["operator"], last_event_id="0-0")
    assert talk.next("reset")["reason"] == "too_far"
    talk.next("ready")
    walk(d, order, "depart")
    assert talk.next()["verb"] == "depart"


@pytest.mark.parametrize("last", ["abc", "5", "9223372036854775807-1", "99999999999999999999-1", "-1--1"])
def test_a_cursor_from_nowhere_means_load_anew(d, live, last):
    report(d)
    talk = live.open(user=d.users["operator"], last_event_id=last)
    talk.next("reset")
    talk.next("ready")
    report(d)
    assert talk.next()["verb"] == "report"


def test_a_page_that_does_not_read_is_let_go_and_told_to_load_anew(d, live, monkeypatch):
    monkeypatch.setattr(hub, "QUEUE", 3)
    slow = live.open(user=d.users["operator"], hold=True)
    quick = live.open(user=d.users["town"])
    assert slow.status == 200
    order = walk(d, report(d), "sign", "assign", "depart", "contact", "arrive")
    for _ in range(6):
        assert quick.next()["order"] == str(order.pk)
    live.say(slow.hold.set)
    slow.next("ready")
    assert slow.next("reset")["reason"] == "slow"
    assert slow.finished.wait(10)


def test_signing_out_ends_the_stream(d, live, monkeypatch):
    monkeypatch.setattr(hub, "CHECK_EVERY_S", 0.3)
    talk = live.open(user=d.users["operator"])
    other = live.open(user=d.users["town"])
    Session.objects.filter(pk=_key(talk, live)).delete()
    assert talk.finished.wait(10)
    assert not other.finished.is_set()


def _key(talk, live) -> str:
    """The session of the first client that joined."""
    clients = sorted(live.stream.hub.clients, key=lambda client: client.checked)
    return clients[0].credential.secret


def test_the_end_of_a_membership_ends_the_stream(d, live, monkeypatch):
    monkeypatch.setattr(hub, "CHECK_EVERY_S", 0.3)
    talk = live.open(user=d.users["town"])
    leave(Membership.objects.get(user=d.users["town"], role="town"), on=date(2024, 1, 1))
    assert talk.finished.wait(10)


def test_workers_are_told_when_one_of_them_takes_an_order(d, live):
    d.mate.user = d.users["resident-2"]
    d.mate.save()
    member = Membership.objects.get(user=d.users["worker"], role="worker")
    Membership.objects.create(user=d.users["resident-2"], organisation=member.organisation, role="worker")
    talk = live.open(user=d.users["resident-2"])
    order = report(d)
    order = walk(d, order, "sign")
    # Read late, even the report is of an order that lies open by then.
    while talk.next()["verb"] != "sign":
        pass
    walk(d, order, "take")
    gone = talk.next("gone")
    assert (gone["order"], set(gone)) == (str(order.pk), {"order", "number", "_id"})
    walk(d, order, "depart")
    another = walk(d, report(d), "sign")
    assert talk.next()["order"] == str(another.pk)


def test_two_processes_tell_the_same(d, live):
    second = Listening()
    talks = [live.open(user=d.users["operator"]), second.open(user=d.users["operator"])]
    order = walk(d, report(d), "sign")
    heard = [[talk.next()["_id"] for _ in range(2)] for talk in talks]
    assert heard[0] == heard[1]
    # Who moves from one to the other goes on where they were.
    second.leave(talks[1])
    walk(d, order, "assign")
    moved = live.open(user=d.users["operator"], last_event_id=heard[1][1])
    assert moved.next()["verb"] == "assign"
    second.close()


def test_a_slow_database_keeps_nobody_else_waiting(d, live, monkeypatch):
    entered, release = threading.Event(), threading.Event()

    def stuck(credential):
        entered.set()
        release.wait(20)

    monkeypatch.setattr(asgi, "identify", stuck)
    held = threading.Thread(target=lambda: live.open(user=d.users["operator"], ready=False).status)
    held.start()
    assert entered.wait(10)
    assert live.open(path="/live/other").status == 404
    release.set()
    held.join(20)


def test_one_caller_cannot_hold_every_stream(d, live, monkeypatch):
    monkeypatch.setattr(hub, "MAX_EACH", 1)
    token = track_token(report(d).pk)
    assert live.open(f"track={token}").status == 200
    busy = live.open(f"track={token}")
    assert busy.status == 503
    assert busy.problem["code"] == "busy"


def test_a_sign_of_life_carries_the_position(d, live, monkeypatch):
    monkeypatch.setattr(asgi, "HEARTBEAT_S", 0.05)
    talk = live.open(user=d.users["town-2"])
    report(d)
    position = Event.objects.values_list("xid", "seq").get()
    seen = {talk.frames.get(timeout=10).get("id")}
    while f"{position[0]}-{position[1]}" not in seen:
        seen.add(talk.frames.get(timeout=10).get("id"))


def test_nobody_left_means_no_reading(d, live):
    talk = live.open(user=d.users["operator"])
    assert len(live.stream.hub.clients) == 1
    live.leave(talk)
    assert not live.stream.hub.clients
    again = live.open(user=d.users["operator"])
    report(d)
    assert again.next()["verb"] == "report"
