"""The worker's pages: whose they are, what they show, and what is said when something cannot be."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.orders.models import Order
from jiying.orders.proof import arrival_code
from jiying.orders.tests import build
from jiying.people.actions import join
from jiying.people.models import User


def text(response) -> str:
    return response.content.decode()


def url(order: Order, verb: str = "") -> str:
    return f"/worker/orders/{order.pk}" + (f"/{verb}" if verb else "")


def now(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


@pytest.fixture
def assigned(d):
    """An emergency given to the worker."""
    return build.walk(d, build.report(d, unit="502 室", phone="13812345678", name="王小明"), "sign", "assign")


@pytest.fixture
def worker(client, d):
    """A browser in which the worker is signed in."""
    client.force_login(d.users["worker"])
    return client


@pytest.fixture
def colleague(d):
    """A browser of another worker of the same company."""
    user = User.objects.create(username="mate", name="赵师傅")
    join(user, d.company.organisation, "worker")
    d.mate.user = user
    d.mate.save()
    browser = Client()
    browser.force_login(user)
    return browser


def test_strangers_sign_in_first(client, d, assigned):
    for address in ("/worker", url(assigned)):
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer.url.startswith("/sign-in?next=/worker")
    assert client.post(url(assigned, "depart")).status_code == 302
    assert now(assigned).state == "assigned"


@pytest.mark.parametrize("role", ["resident", "manager", "company", "committee", "town", "operator", "district"])
def test_only_workers_have_a_worker_page(client, d, assigned, role):
    client.force_login(d.users[role])
    assert client.get("/worker").status_code == 403
    assert client.get(url(assigned)).status_code == 403
    assert client.post(url(assigned, "depart")).status_code == 403
    assert now(assigned).state == "assigned"


def test_another_companys_order_does_not_exist(client, d, assigned):
    client.force_login(d.users["worker-2"])
    assert client.get(url(assigned)).status_code == 404
    for verb in ("take", "depart", "note"):
        assert client.post(url(assigned, verb), {"text": "x"}).status_code == 404
    assert client.get(f"/worker/orders/{uuid.uuid4()}").status_code == 404


def test_what_a_worker_reported_at_home_is_no_order_of_theirs(worker, d):
    order = build.report(d, by=d.actor("worker"), estate="E2")
    Order.objects.filter(pk=order.pk).update(reporter=d.users["worker"])
    assert worker.get(url(order)).status_code == 404


def test_a_colleagues_order_does_not_exist_either(colleague, assigned):
    assert colleague.get(url(assigned)).status_code == 404


def test_my_orders_stand_by_time_left_above_those_to_take(worker, d):
    at = timezone.now()
    places = {"later": 5, "sooner": 20}
    for name, minutes in places.items():
        order = build.report(d, unit=name, reported_at=at - timedelta(minutes=minutes))
        build.walk(d, order, "sign", "assign")
    build.walk(d, build.report(d, unit="free", reported_at=at - timedelta(minutes=25)), "sign")
    page = text(worker.get("/worker"))
    assert page.index("sooner") < page.index("later") < page.index("free")
    assert page.count('data-test="order-row"') == 3
    assert 'data-test="action-take"' in page


def test_an_empty_list_says_what_would_stand_there(worker, d):
    assert "手上没有工单" in text(worker.get("/worker"))


def test_the_list_costs_the_same_with_five_and_with_twenty_five(worker, d):
    def many(n):
        for k in range(n):
            build.walk(d, build.report(d, unit=f"{k} 室"), "sign", *(["assign"] if k % 2 else []))

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert worker.get("/worker").status_code == 200
        return len(seen)

    many(5)
    worker.get("/worker")
    few = queries()
    many(20)
    assert queries() == few <= 16


def test_the_whole_way_by_plain_forms(worker, d, assigned):
    for verb, form in (
        ("depart", {}),
        ("contact", {}),
        ("arrive", {"code": arrival_code(assigned.pk, 1), "point": "121.520,31.222,15"}),
        ("make_safe", {"note": "关了总阀"}),
        ("done", {"note": "换了角阀"}),
    ):
        answer = worker.post(url(assigned, verb), {"version": now(assigned).version, **form})
        assert answer.status_code == 302, text(answer)
        page = text(worker.get(answer.url))
        assert ("已报完工：" if verb == "done" else "已记下") in page
    order = now(assigned)
    assert order.state == "done"
    arrival = order.events.get(verb="arrive")
    assert (arrival.data["proof"], arrival.data["accuracy_m"]) == ("A", 15)
    assert "已完工，等居民确认" in text(worker.get("/worker"))
    assert "换了角阀" in text(worker.get(url(assigned)))


def test_the_telephone_stays_masked(worker, assigned):
    page = text(worker.get(url(assigned)))
    assert "138****5678" in page
    assert "13812345678" not in page
    assert "王小明" not in page


def test_the_arrival_code_stands_on_no_page_of_the_worker(worker, assigned):
    code = arrival_code(assigned.pk, 1)
    page = text(worker.get(url(assigned))) + text(worker.get("/worker"))
    shown = re.sub(r'value="\w+"|\d{6}-\d{6}|[0-9a-f-]{36}|content="[^"]*"|data-\w+="[^"]*"|title="[^"]*"', "", page)
    assert not re.search(rf">\s*{code}\s*<", shown)


def test_a_wrong_code_is_told_at_its_field_and_five_close_it(worker, d, assigned):
    wrong = f"{(int(arrival_code(assigned.pk, 1)) + 1) % 10_000:04}"
    for left in (4, 3, 2, 1, 0):
        answer = worker.post(url(assigned, "arrive"), {"code": wrong, "version": now(assigned).version})
        assert answer.status_code == 422
        assert f"还可以试 {left} 次" in text(answer)
        assert re.search(rf'value="{wrong}"[^>]*aria-invalid="true"', text(answer))
    closed = worker.post(url(assigned, "arrive"), {"code": arrival_code(assigned.pk, 1)})
    assert "输错五次" in text(closed)
    assert now(assigned).state == "assigned"
    assert worker.post(url(assigned, "arrive"), {"code": ""}).status_code == 302, "without a code the way stays open"


def test_of_two_who_take_one_gets_it_and_the_other_is_told_who(worker, colleague, d):
    order = build.walk(d, build.report(d), "sign")
    seen = order.version
    assert colleague.post(url(order, "take"), {"version": seen}).status_code == 302
    late = worker.post(url(order, "take"), {"version": seen})
    assert late.status_code == 409
    assert "赵师傅 已经先接了这单" in text(late)
    assert now(order).worker == d.mate


def test_taking_twice_with_one_key_is_taking_once(worker, d):
    order = build.walk(d, build.report(d), "sign")
    form = {"version": order.version, "idempotency_key": "k1"}
    assert worker.post(url(order, "take"), form).status_code == 302
    assert order.events.filter(verb="take").count() == 1


def test_a_stale_page_shows_how_things_stand_and_keeps_the_words(worker, d, assigned):
    seen = assigned.version
    build.walk(d, assigned, "depart", "arrive")
    answer = worker.post(url(assigned, "note"), {"version": seen, "text": "需要两个人"})
    page = text(answer)
    assert answer.status_code == 409
    assert "下面是现在的情况" in page
    assert "已到场" in page
    assert "需要两个人" in page


def test_an_impossible_verb_says_so_on_the_present_page(worker, assigned):
    answer = worker.post(url(assigned, "done"), {"note": "修好了"})
    assert answer.status_code == 422
    assert 'role="alert"' in text(answer)
    assert now(assigned).state == "assigned"


@pytest.mark.parametrize("verb", ["sign", "close", "verify", "nonsense"])
def test_verbs_of_others_are_refused(worker, assigned, verb):
    assert worker.post(url(assigned, verb)).status_code in (403, 422)
    assert now(assigned).state == "assigned"


@pytest.mark.parametrize(
    ("form", "where"),
    [
        ({"until": "2099-01-01T10:00"}, "e-pause-reason"),
        ({"reason": "weather"}, "e-pause-until"),
        ({"reason": "weather", "until": "gestern"}, "e-pause-until"),
        ({"reason": "weather", "until": "2001-01-01T10:00"}, "e-pause-until"),
        ({"reason": "laziness", "until": "2099-01-01T10:00"}, "e-pause-reason"),
    ],
)
def test_a_pause_wants_a_reason_and_an_end(worker, assigned, form, where):
    answer = worker.post(url(assigned, "pause"), form)
    assert answer.status_code == 422
    assert f'id="{where}"' in text(answer)
    assert all(value in text(answer) for value in form.values() if value != "laziness")


def test_the_end_of_a_pause_is_read_in_the_districts_time(worker, assigned, monkeypatch):
    monkeypatch.setattr("jiying.worker.queries.zone_of", lambda _district: ZoneInfo("America/New_York"))
    until = (timezone.now() + timedelta(hours=30)).replace(microsecond=0, second=0)
    local = until.astimezone(ZoneInfo("America/New_York"))
    answer = worker.post(url(assigned, "pause"), {"reason": "weather", "until": f"{local:%Y-%m-%dT%H:%M}"})
    assert answer.status_code == 302
    assert datetime.fromisoformat(assigned.events.get(verb="pause").data["until"]) == until


def test_a_position_that_cannot_be_read_stops_nothing_silently(worker, assigned):
    answer = worker.post(url(assigned, "arrive"), {"point": "behind the house"})
    assert answer.status_code == 422
    assert "位置看不懂" in text(answer)
    assert "behind the house" not in text(answer)


@pytest.mark.parametrize("words", ["<b>粗</b>", "a\x00b", "🔧" * 10, "=cmd()"])
def test_strange_words_stay_words(worker, d, assigned, words):
    build.walk(d, assigned, "depart", "arrive")
    assert worker.post(url(assigned, "done"), {"note": words}).status_code == 302
    page = text(worker.get(url(assigned)))
    assert "<b>粗" not in page
    assert "\x00" not in page


def test_a_note_of_a_hundred_thousand_characters_is_refused_and_kept(worker, assigned):
    answer = worker.post(url(assigned, "note"), {"text": "长" * 100_000})
    assert answer.status_code == 422
    assert "长" * 100_000 in text(answer)


@pytest.mark.parametrize("version", ["x", "-1", "٣", "9" * 30, ""])
def test_a_version_that_is_none_is_no_server_error(worker, assigned, version):
    assert worker.post(url(assigned, "depart"), {"version": version}).status_code in (302, 409)


def test_the_page_speaks_english(worker, assigned):
    worker.cookies["jiying_lang"] = "en"
    assert "My orders" in text(worker.get("/worker"))
    assert "More" in text(worker.get(url(assigned)))
