"""The wall and the call-taker's form."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.centre.board import BIG, board_of
from jiying.centre.tests.calls import call, client_of
from jiying.orders.models import Order
from jiying.orders.tests.build import report, walk
from jiying.people.scopes import scope_of

pytestmark = pytest.mark.django_db


def test_a_matter_in_no_town_stands_on_the_wall_like_others(d):
    """Somebody gave an address that nobody could place: no estate, no company, no town."""
    for n in range(2 * BIG):
        order = report(d, estate=None, address=f"无名路 {n} 号")
        assert (order.town, order.company) == (None, None)
    answer = client_of(d.users["operator"]).get("/centre")
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
    client = client_of(d.users[role])
    assert client.get("/centre").status_code == wall
    for address in ("/centre/intake", "/centre/intake/places?q=花园"):
        assert client.get(address).status_code == intake
    assert client.post("/centre/intake/beside", {}).status_code == intake
    if intake == 403:
        assert client.post("/centre/intake", call(d)).status_code == 403
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
    page = client_of(d.users["operator"]).get("/centre").content.decode()
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
    client = client_of(d.users["operator"])

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
    assert asked() == before <= 29
