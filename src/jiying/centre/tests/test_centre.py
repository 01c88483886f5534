"""The wall and the call-taker's form."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.centre.board import BIG, board_of
from jiying.orders.models import Event, Order
from jiying.orders.proof import arrival_code, track_token
from jiying.orders.tests.build import District, district, report, walk
from jiying.people.models import Membership, User
from jiying.people.scopes import scope_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def d() -> District:
    return district()


def _client(user: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(User.objects.get(pk=user.pk), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def front_desk(d) -> User:
    Membership.objects.filter(user=d.users["company"], role="company").update(duty="front_desk")
    return d.users["company"]


def _call(d: District, **more: str) -> dict[str, str]:
    return {
        "phone": "138 1234 5678", "name": "陈女士", "estate": d.estate.code, "description": "水管爆了",
        "category": "leak", "urgency": "", "kind": "repair", "channel": "phone", "idempotency_key": "k1", **more,
    }  # fmt: skip


def test_a_matter_in_no_town_stands_on_the_wall_like_others(d):
    """Somebody gave an address that nobody could place: no estate, no company, no town."""
    for n in range(2 * BIG):
        order = report(d, estate=None, address=f"无名路 {n} 号")
        assert (order.town, order.company) == (None, None)
    answer = _client(d.users["operator"]).get("/centre")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("role", "wall", "intake"),
    [
        ("operator", 200, 200), ("supervisor", 200, 200), ("district", 200, 403), ("town", 403, 403),
        ("company", 403, 403), ("manager", 403, 403), ("committee", 403, 403), ("worker", 403, 403),
        ("resident", 403, 403),
    ],
)  # fmt: skip
def test_the_centre_is_for_the_centre(d, role, wall, intake):
    client = _client(d.users[role])
    assert client.get("/centre").status_code == wall
    for address in ("/centre/intake", "/centre/intake/places?q=花园"):
        assert client.get(address).status_code == intake
    assert client.post("/centre/intake/beside", {}).status_code == intake
    if intake == 403:
        assert client.post("/centre/intake", _call(d)).status_code == 403
        assert not Order.objects.exists()


def test_a_stranger_is_sent_to_sign_in(d):
    for address in ("/centre", "/centre/intake", "/centre/intake/places"):
        assert Client(HTTP_HOST="127.0.0.1").get(address)["Location"].startswith("/sign-in")


def test_the_wall_shows_unreached_emergencies_by_time_left_and_nothing_else(d):
    late = report(d, reported_at=timezone.now() - timedelta(minutes=50))
    waiting = [report(d, estate=d.estate2.code), walk(d, report(d), "sign", "assign", "depart")]
    reached = walk(d, report(d), "sign", "assign", "arrive")
    ordinary = report(d, urgency="ordinary")
    board = board_of(scope_of(d.users["operator"]), timezone.now())
    shown = [order.pk for order, _clock in board["big"]] + [order.pk for order in board["emergencies"]]
    assert shown[0] == late.pk
    assert set(shown) == {late.pk, *(order.pk for order in waiting)}
    assert board["emergency_n"] == 3
    assert all(clock is not None and clock.promise == "respond_30" for _order, clock in board["big"])
    page = _client(d.users["operator"]).get("/centre").content.decode()
    assert page.index(str(late.pk)) < page.index(str(waiting[0].pk))
    assert str(reached.pk) not in page[: page.index('class="wall-side"')]
    assert str(ordinary.pk) in page[page.index('class="wall-side"') :]


def test_what_is_stuck_stands_beside(d):
    unsigned = report(d, urgency="ordinary")
    nobody = report(d, estate=d.orphan.code)
    returned = walk(d, report(d), "sign")
    Order.objects.filter(pk=returned.pk).update(state="returned")
    stuck = report(d, urgency="ordinary")
    Order.objects.filter(pk=stuck.pk).update(state="paused", state_since=timezone.now() - timedelta(days=4))
    briefly = report(d, urgency="ordinary")
    Order.objects.filter(pk=briefly.pk).update(state="paused", state_since=timezone.now() - timedelta(hours=4))
    board = board_of(scope_of(d.users["operator"]), timezone.now())
    assert [row.pk for row in board["unsigned"].rows] == [unsigned.pk]
    assert {row.pk for row in board["nobody"].rows} == {nobody.pk, returned.pk}
    assert [row.pk for row in board["stuck"].rows] == [stuck.pk]
    assert board["fresh"].n == 5


def test_another_districts_centre_sees_none_of_it(d):
    report(d)
    board = board_of(scope_of(d.users["operator-2"]), timezone.now())
    assert (board["emergency_n"], board["fresh"].n, board["totals"]["open"]) in ((0, 0, 0), (1, 1, 1))
    assert bool(board["big"]) == Order.objects.visible_to(d.users["operator-2"]).exists()


def test_the_wall_asks_a_constant_number_of_questions(d):
    client = _client(d.users["operator"])

    def asked():
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/centre").status_code == 200
        return len(queries)

    for estate in (d.estate, d.orphan):
        report(d, estate=estate.code)
    asked()
    before = asked()
    for _more in range(BIG + 5):
        report(d)
    assert asked() == before <= 20


def test_a_call_becomes_an_order_and_the_code_is_there_to_read_out(d):
    client = _client(d.users["operator"])
    answer = client.post("/centre/intake", _call(d, building="1号楼", unit="301"))
    order = Order.objects.get()
    assert answer["Location"] == f"/centre/intake/{order.pk}"
    page = client.get(answer["Location"]).content.decode()
    assert order.number in page
    assert f'data-test="arrival-code">{arrival_code(order.pk, 1)}<' in page
    assert f"/t/{track_token(order.pk)}" in page
    assert (order.channel, order.urgency, order.reporter_id) == ("phone", "emergency", None)
    assert Event.objects.get(order=order).role == "operator"


def test_the_clock_starts_when_the_caller_rang(d):
    called = timezone.localtime() - timedelta(minutes=12)
    _client(d.users["operator"]).post("/centre/intake", _call(d, called_at=f"{called:%Y-%m-%dT%H:%M}"))
    order = Order.objects.get()
    assert order.reported_at == called.replace(second=0, microsecond=0)
    assert order.headline_due == order.reported_at + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"phone": "12"}, "电话号码不对"), ({"estate": ""}, "请填小区"), ({"estate": "nowhere"}, "服务范围"),
        ({"category": ""}, "请选择类别"), ({"category": "moon"}, "没有这个类别"),
        ({"building": "99号楼"}, "没有这栋楼"),
        ({"called_at": "2999-01-01T00:00"}, "将来"), ({"called_at": "soon"}, "来电时间看不懂"),
        ({"kind": "x"}, "没有这种类型"),
        ({"description": ""}, ""), ({"urgency": "panic"}, "紧急程度"),
    ],
)  # fmt: skip
def test_a_form_with_something_wrong_comes_back_filled_and_says_what(d, wrong, said):
    answer = _client(d.users["operator"]).post("/centre/intake", _call(d, **wrong))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert "138 1234 5678" in page or "phone" in wrong
    assert "陈女士" in page
    assert not Order.objects.exists()


def test_the_same_form_twice_is_one_order_and_another_under_its_key_is_told_so(d):
    client = _client(d.users["operator"])
    first, again = (client.post("/centre/intake", _call(d)) for _sent in range(2))
    assert first["Location"] == again["Location"]
    other = client.post("/centre/intake", _call(d, description="另一件事"))
    assert other.status_code == 409
    assert "已经登记了" in other.content.decode()
    assert Order.objects.count() == 1


def test_only_the_call_taker_gets_the_code_and_never_the_serving_company(d, front_desk):
    client = _client(front_desk)
    answer = client.post("/centre/intake", _call(d))
    order = Order.objects.get()
    page = client.get(answer["Location"]).content.decode()
    assert order.number in page
    assert "arrival-code" not in page
    assert track_token(order.pk) not in page
    for role in ("operator", "supervisor"):
        assert _client(d.users[role]).get(answer["Location"]).status_code == 404


def test_a_companys_front_desk_registers_only_where_it_serves(d, front_desk):
    client = _client(front_desk)
    found = client.get("/centre/intake/places", {"q": "花园"}).content.decode()
    assert d.estate.name in found
    assert d.estate2.name not in found
    assert client.post("/centre/intake", _call(d, estate=d.estate2.code)).status_code == 422
    assert not Order.objects.exists()


def test_beside_the_form_stand_the_callers_history_and_likely_duplicates(d):
    mine = report(d, phone="13812345678", category="lift", estate=d.estate2.code)
    same = report(d, category="leak")
    report(d, category="leak", estate=d.estate2.code)
    old = report(d, category="leak", reported_at=timezone.now() - timedelta(hours=30))
    page = _client(d.users["operator"]).post("/centre/intake/beside", _call(d)).content.decode()
    duplicates, history = page.split("来电人以前的报修")
    assert re.findall(r'data-order="([^"]+)"', duplicates) == [str(same.pk)]
    assert re.findall(r'data-order="([^"]+)"', history) == [str(mine.pk)]
    assert str(old.pk) not in page


def test_a_front_desk_sees_no_other_companys_history(d, front_desk):
    report(d, phone="13812345678", estate=d.estate2.code)
    page = _client(front_desk).post("/centre/intake/beside", _call(d)).content.decode()
    assert "data-order" not in page


def test_places_are_found_without_a_script(d):
    page = _client(d.users["operator"]).post("/centre/intake", {**_call(d, estate="", q="潍坊"), "step": "find"})
    assert page.status_code == 200
    assert f'value="{d.estate.code}"' in page.content.decode()
