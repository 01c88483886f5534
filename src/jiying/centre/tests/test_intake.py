"""The call-taker's form: a call becomes an order, or joins one that is open."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jiying.centre.tests.calls import call, client_of
from jiying.core.text import initials
from jiying.estates.models import Estate
from jiying.orders.models import Event, EventText, Order
from jiying.orders.proof import arrival_code, track_token
from jiying.orders.tests.build import report, walk

pytestmark = pytest.mark.django_db


def test_a_call_becomes_an_order_and_the_code_is_there_to_read_out(d):
    client = client_of(d.users["operator"])
    answer = client.post("/centre/intake", call(d, building="1号楼", unit="301"))
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
    client_of(d.users["operator"]).post("/centre/intake", call(d, called_at=f"{called:%Y-%m-%dT%H:%M}"))
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
    answer = client_of(d.users["operator"]).post("/centre/intake", call(d, **wrong))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert "138 1234 5678" in page or "phone" in wrong
    assert "陈女士" in page
    assert not Order.objects.exists()


def test_the_same_form_twice_is_one_order_and_another_under_its_key_is_told_so(d):
    client = client_of(d.users["operator"])
    first, again = (client.post("/centre/intake", call(d)) for _sent in range(2))
    assert first["Location"] == again["Location"]
    other = client.post("/centre/intake", call(d, description="另一件事"))
    assert other.status_code == 409
    assert "已经登记了" in other.content.decode()
    assert Order.objects.count() == 1


def test_only_the_call_taker_gets_the_code_and_never_the_serving_company(d, front_desk):
    client = client_of(front_desk)
    answer = client.post("/centre/intake", call(d))
    order = Order.objects.get()
    page = client.get(answer["Location"]).content.decode()
    assert order.number in page
    assert "arrival-code" not in page
    assert track_token(order.pk) not in page
    for role in ("operator", "supervisor"):
        assert client_of(d.users[role]).get(answer["Location"]).status_code == 404


def test_a_companys_front_desk_registers_only_where_it_serves(d, front_desk):
    client = client_of(front_desk)
    found = client.get("/centre/intake/places", {"q": "花园"}).content.decode()
    assert d.estate.name in found
    assert d.estate2.name not in found
    assert client.post("/centre/intake", call(d, estate=d.estate2.code)).status_code == 422
    assert not Order.objects.exists()


def test_a_front_desk_sees_no_other_companys_history(d, front_desk):
    report(d, phone="13812345678", estate=d.estate2.code)
    page = client_of(front_desk).post("/centre/intake/beside", call(d)).content.decode()
    assert "data-order" not in page


def test_places_are_found_without_a_script(d):
    page = client_of(d.users["operator"]).post("/centre/intake", {**call(d, estate="", q="潍坊"), "step": "find"})
    assert page.status_code == 200
    assert f'value="{d.estate.code}"' in page.content.decode()


def _beside(client: Client, d, **more: str) -> tuple[str, str, str]:
    """The suggestion, the likely duplicates and the caller, as the form gets them."""
    answer = client.post("/centre/intake/beside", call(d, **more))
    assert answer.status_code == 200
    suggested, _, rest = answer.content.decode().partition('data-part="beside"')
    same, _, caller = rest.partition('data-test="caller"')
    return suggested, same, caller


def _orders_in(html: str) -> list[str]:
    return re.findall(r'data-order="([^"]+)"', html)


def test_likely_duplicates_stand_beside_the_most_alike_first_and_say_why(d):
    now = timezone.now()
    cause = report(d, category="leak", reported_at=now - timedelta(minutes=20))
    home = report(d, category="leak", building="1号楼", unit="301室", reported_at=now - timedelta(hours=5))
    report(d, category="leak", estate=d.estate2.code)
    report(d, category="lift", description="电梯异响", reported_at=now - timedelta(minutes=10))
    report(d, category="leak", reported_at=now - timedelta(days=6))
    walk(d, report(d, category="leak"), "cancel")
    client = client_of(d.users["operator"])
    _suggested, same, _caller = _beside(client, d, building="1号楼", unit="301")
    assert _orders_in(same) == [str(home.pk), str(cause.pk)]
    assert "同一户 · 同一类别" in same
    assert "同一类别 · 说法相" in same and "20 分钟前" in same


def test_many_reports_of_one_thing_at_one_estate_are_told_as_one_cause(d):
    client, now = client_of(d.users["operator"]), timezone.now()
    for minutes in (12, 7):
        report(d, category="water_pipe", description="家里停水了", reported_at=now - timedelta(minutes=minutes))
    assert "可能是同一原因" not in _beside(client, d, category="", description="停水了")[1]
    report(d, category="water_pipe", description="停水", reported_at=now - timedelta(minutes=2))
    same = _beside(client, d, category="", description="停水了")[1]
    assert "本小区 12 分钟内已有 3 件“水管”" in same
    assert "可能是同一原因" not in _beside(client, d, estate=d.estate2.code, category="", description="停水了")[1]


def test_the_caller_has_a_card_with_what_is_open_what_was_and_where(d):
    old = walk(d, report(d, phone="13812345678", name="陈女士"), "sign", "assign", "arrive", "done")
    mine = report(d, phone="13812345678", name="陈女士", category="lift", building="1号楼", unit="301")
    report(d, phone="13900000000")
    client = client_of(d.users["operator"])
    caller = _beside(client, d)[2]
    assert _orders_in(caller) == [str(mine.pk), str(old.pk)]
    assert caller.index("未结") < caller.index(str(mine.pk)) < caller.index("以前") < caller.index(str(old.pk))
    assert "近 90 天 2 次" in caller and "上次有人上门" in caller
    assert "陈**" in caller and "陈女士" not in caller and "13812345678" not in caller
    assert 'data-building="1号楼" data-unit="301"' in caller
    assert "第一次来电" in _beside(client, d, phone="13755556666")[2]
    assert "填好来电号码后" in _beside(client, d, phone="138")[2]


def test_words_suggest_a_category_with_the_reason_and_nothing_is_chosen_by_it(d):
    client = client_of(d.users["operator"])
    suggested, _same, _caller = _beside(client, d, category="", description="电梯里有人被困")
    assert 'data-category="lift"' in suggested and "被困 +5，电梯 +4" in suggested
    answer = client.post("/centre/intake", call(d, category="", description="电梯里有人被困"))
    assert answer.status_code == 422 and "请选择类别" in answer.content.decode()
    assert not Order.objects.exists()


def test_what_to_do_first_for_life_and_limb_stands_first(d):
    client = client_of(d.users["operator"])
    assert "不要扒门" in _beside(client, d, category="", description="电梯里有人被困")[1]
    assert "不要扒门" in _beside(client, d, category="lift", description="电梯按钮不亮")[1]
    assert "safety" not in _beside(client, d, category="environment", description="垃圾没人收")[1]


def test_without_a_script_buttons_take_the_suggestion_the_place_and_the_last_address(d):
    Estate.objects.filter(pk=d.estate.pk).update(initials=initials(d.estate.name))
    report(d, phone="13812345678", building="1号楼", unit="301")
    client = client_of(d.users["operator"])
    sent = call(d, category="", estate="", description="水管漏水，不急", urgency="")
    page = client.post("/centre/intake", {**sent, "step": "take"}).content.decode()
    assert '<option value="leak" selected>' in page and '<option value="ordinary" selected>' in page
    page = client.post("/centre/intake", {**sent, "step": "find", "q": "wfhy 1 502"}).content.decode()
    assert 'name="building" value="1号楼"' in page and 'name="unit" value="502"' in page
    page = client.post("/centre/intake", {**sent, "step": "before"}).content.decode()
    assert f'value="{d.estate.code}"' in page and 'name="unit" value="301"' in page
    assert Order.objects.count() == 1


def test_a_call_about_an_open_order_urges_it_with_what_was_said_and_makes_no_other(d):
    order = report(d)
    client = client_of(d.users["operator"])
    answer, again = (client.post(f"/centre/intake/{order.pk}/join", call(d, category="")) for _sent in range(2))
    assert answer["Location"] == again["Location"] == f"/centre/intake/{order.pk}/joined"
    assert Order.objects.count() == 1
    assert Event.objects.get(order=order, verb="urge").role == "operator"
    assert EventText.objects.get(order=order).text == "来电催办：水管爆了"
    assert order.number in client.get(answer["Location"]).content.decode()


def test_a_call_cannot_join_what_has_just_ended_and_keeps_what_was_typed(d):
    order = walk(d, report(d), "cancel")
    answer = client_of(d.users["operator"]).post(f"/centre/intake/{order.pk}/join", call(d))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "138 1234 5678" in page and "水管爆了" in page and 'role="alert"' in page


def test_a_call_joins_no_order_of_others(d, front_desk):
    order = report(d, estate=d.estate2.code)
    client = client_of(front_desk)
    assert client.post(f"/centre/intake/{order.pk}/join", call(d)).status_code == 404
    assert client.get(f"/centre/intake/{order.pk}/joined").status_code == 404
    assert not Event.objects.filter(verb="urge").exists()


@pytest.mark.parametrize("words", ["\x00", "%", "水" * 5000, "<script>", "'", "😀" * 300])
def test_whatever_is_typed_is_answered(d, words):
    client = client_of(d.users["operator"])
    for field in ("phone", "building", "unit", "description", "category", "urgency", "estate"):
        suggested, same, _caller = _beside(client, d, **{field: words})
        assert "<script>" not in suggested + same
    assert client.get("/centre/intake/places", {"q": words}).status_code == 200
