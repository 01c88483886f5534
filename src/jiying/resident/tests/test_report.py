"""Reporting without sign-in: what is taken, what is refused, and that nothing typed is lost."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from jiying.estates.models import Building, Estate
from jiying.orders.contacts import phone_of
from jiying.orders.models import Order
from jiying.orders.proof import arrival_code, track_token

FORM = {"estate": "E1", "category": "leak", "description": "厨房水管爆了", "phone": "13812345678", "name": "王小明"}


def send(client, **fields):
    return client.post("/report", {"idempotency_key": "k" * 32, **FORM, **fields})


def the_order() -> Order:
    return Order.objects.with_names().get()


def text(response) -> str:
    return response.content.decode()


def test_a_stranger_reports_and_lands_on_the_tracking_page_with_code_and_link(client, d):
    answer = send(client)
    order = the_order()
    assert answer.status_code == 302
    assert answer.url == f"/t/{track_token(order.pk)}?new=1"
    page = text(client.get(answer.url))
    assert arrival_code(order.pk, 1) in page
    assert 'data-test="track-url"' in page
    assert f"http://testserver/t/{track_token(order.pk)}" in page
    assert 'data-test="countdown"' in page
    assert (order.category, order.urgency, order.channel, order.estate.code) == ("leak", "emergency", "page", "E1")
    assert phone_of(order) == "+8613812345678"


def test_the_same_form_sent_twice_is_one_order(client, d):
    first, second = send(client), send(client)
    assert first.url == second.url
    assert Order.objects.count() == 1


def test_the_same_form_with_other_words_asks_before_it_becomes_a_second_order(client, d):
    send(client)
    answer = send(client, description="电梯坏了")
    assert answer.status_code == 409
    assert "刚才那一份已经收到了" in text(answer)
    assert "电梯坏了" in text(answer)
    key = re.search(r'name="idempotency_key" value="(\w+)"', text(answer))[1]
    assert key != "k" * 32
    assert send(client, description="电梯坏了", idempotency_key=key).status_code == 302
    assert Order.objects.count() == 2


def test_a_sign_alone_is_a_report_in_its_words(client, d):
    send(client, description="  ")
    assert the_order().text.description == "漏水"


def test_a_sentence_alone_is_a_report_of_another_kind(client, d):
    send(client, category="")
    assert the_order().category == "other"


def test_a_complaint_is_a_complaint(client, d):
    send(client, category="complaint")
    assert the_order().kind == "complaint"


def test_the_resident_says_how_urgent_it_is_else_the_category_does(client, d):
    send(client, urgency="ordinary")
    assert the_order().urgency == "ordinary"
    send(client, idempotency_key="other", category="drain")
    assert Order.objects.get(category="drain").urgency == "ordinary"


def test_neither_sign_nor_sentence_is_refused_at_its_field_with_everything_kept(client, d):
    answer = send(client, category="", description="", unit="502 室")
    page = text(answer)
    assert answer.status_code == 422
    assert 'id="e-description"' in page
    assert re.search(r'id="f-description"[^>]*aria-invalid="true"[^>]*autofocus', page)
    for kept in ("502 室", "13812345678", "王小明", 'name="estate" value="E1"'):
        assert kept in page
    assert not Order.objects.exists()


@pytest.mark.parametrize("phone", ["123", "138123456789", "abc", "１３８", "13812345678 转 5"])
def test_a_telephone_that_is_none_is_refused_at_its_field(client, d, phone):
    answer = send(client, phone=phone)
    assert answer.status_code == 422
    assert 'id="e-phone"' in text(answer)
    assert "厨房水管爆了" in text(answer)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"estate": "NOPE"}, "e-estate"),
        ({"building": "99号楼"}, "e-building"),
        ({"category": "dragons"}, "e-category"),
        ({"urgency": "yesterday"}, "e-urgency"),
        ({"estate": "", "point": "here"}, "e-point"),
        ({"estate": "", "point": "31.2,121.5"}, "e-point"),
        ({"estate": "", "point": "0,0"}, "e-point"),
        ({"estate": "", "point": "nan,nan"}, "e-point"),
        ({"estate": ""}, "e-estate"),
        ({"name": "王" * 61}, "e-name"),
        ({"unit": "5" * 61}, "e-unit"),
        ({"estate": "", "address": "路" * 201}, "e-address"),
    ],
)
def test_every_wrong_field_is_told_at_its_place(client, d, wrong, where):
    answer = send(client, **wrong)
    assert answer.status_code == 422
    assert f'id="{where}"' in text(answer)
    assert "厨房水管爆了" in text(answer)
    assert not Order.objects.exists()


def test_an_address_or_a_position_will_do_without_an_estate(client, d):
    assert send(client, estate="", address="潍坊路 100 号门口").status_code == 302
    assert send(client, estate="", point="121.519,31.225,20", idempotency_key="b").status_code == 302
    assert Order.objects.filter(town=d.town, estate=None).count() == 1


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", "=1+1", "💧💦🚰", "水\x00管\x07爆了", "\u202e倒过来"])
def test_strange_words_stay_words(client, d, words):
    answer = send(client, description=words)
    assert answer.status_code == 302
    page = text(client.get(answer.url))
    assert "<script>alert" not in page
    assert not set("\x00\x07\u202e") & set(page)


def test_a_hundred_thousand_characters_are_refused_not_cut(client, d):
    answer = send(client, description="水" * 100_000)
    assert answer.status_code == 422
    assert "太长了" in text(answer)
    assert "水" * 100_000 in text(answer)


@pytest.mark.parametrize("name", ["estate", "building", "category", "q", "point", "idempotency_key"])
def test_nul_bytes_in_any_field_are_no_server_error(client, d, name):
    assert send(client, **{name: "E1\x00\x01"}).status_code in (302, 422)


def test_the_code_of_a_sign_fills_in_estate_and_building(client, d):
    page = text(client.get("/report", {"estate": "E1", "building": "1号楼"}))
    assert 'name="estate" value="E1"' in page
    assert "<option selected>1号楼</option>" in page


def test_the_code_of_an_unknown_sign_says_so_and_offers_the_search(client, d):
    page = text(client.get("/report", {"estate": "GONE"}))
    assert "没有认出二维码" in page
    assert "data-find" in page


def test_places_are_found_by_name_and_by_initials_without_a_script(client, d):
    Estate.objects.filter(code="E2").update(initials="slhy")
    for asked in ("三林", "slhy"):
        assert 'value="E2"' in text(client.get("/report", {"q": asked}))
        assert 'value="E2"' in text(client.get("/report/places", {"q": asked}))
    assert "没有找到" in text(client.get("/report", {"q": "火星"}))
    assert client.get("/report/places", {"q": "a\x00b%_'"}).status_code == 200


def test_finding_and_choosing_a_place_keeps_what_was_typed(client, d):
    found = text(client.post("/report", {**FORM, "estate": "", "q": "三林", "step": "find"}))
    assert 'value="E2"' in found
    assert "厨房水管爆了" in found
    chosen = text(client.post("/report", {**FORM, "estate": "", "pick": "E2"}))
    assert 'name="estate" value="E2"' in chosen
    assert "13812345678" in chosen
    assert not Order.objects.exists()


def test_words_in_the_search_box_alone_ask_to_choose(client, d):
    page = text(send(client, estate="", q="三林"))
    assert "请从下面选择您的小区" in page
    assert 'value="E2"' in page


def test_buildings_are_listed_as_people_count(client, d):
    Building.objects.bulk_create(Building(estate=d.estate, name=f"{n}号楼") for n in (10, 2))
    page = text(client.get("/report/where", {"estate": "E1"}))
    assert re.findall(r"<option>(\d+)号楼", page) == ["1", "2", "10"]


def test_danger_is_told_before_anything_else(client, d):
    page = text(client.get("/report"))
    assert 'aria-describedby="safety-fire_safety"' in page
    assert "119" in page
    assert len(re.findall(r'name="category"', page)) == 12


def test_too_many_reports_from_one_address_wait_and_lose_nothing(client, d, settings):
    settings.PUBLIC_RATE = "2/min"
    client.get("/report")
    for n in range(2):
        assert send(client, idempotency_key=f"n{n}").status_code == 302
    refused = send(client, idempotency_key="n2", description="第三件")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert "第三件" in text(refused)
    assert send(client, idempotency_key="n1").status_code == 302, "a repeat of what was taken is no new report"
    assert Order.objects.count() == 2


def test_a_post_without_the_forms_own_token_is_refused(d):
    assert Client(enforce_csrf_checks=True).post("/report", FORM).status_code == 403
    assert not Order.objects.exists()


def test_who_is_signed_in_as_a_resident_is_the_reporter(client, d):
    client.force_login(d.users["resident"])
    send(client)
    assert the_order().reporter == d.users["resident"]


def test_the_page_speaks_english(client, d):
    client.cookies["jiying_lang"] = "en"
    assert "Say it in a sentence" in text(client.get("/report"))
    assert "Please choose an estate" in text(send(client, estate=""))


def test_a_key_of_the_form_belongs_to_the_browser_it_was_given_to(client, d):
    other = Client()
    for browser in (client, other):
        browser.get("/report")
    assert send(client).status_code == send(other).status_code == 302
    assert Order.objects.count() == 2, "the same key and words from somebody else are another report"
    assert send(client).status_code == 302
    assert Order.objects.count() == 2, "from the same browser they are the same"
