"""The tracking page: what a link shows to whom, and what may be done with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jiying.dispatch import surges
from jiying.orders import repacking, watcher
from jiying.orders.actions import act
from jiying.orders.models import Order
from jiying.orders.proof import arrival_code, track_token
from jiying.orders.tests import build, repacks

PHONE = "13812345678"
LAST4 = "5678"


def url(order: Order, verb: str = "") -> str:
    return f"/t/{track_token(order.pk)}" + (f"/{verb}" if verb else "")


def text(response) -> str:
    return response.content.decode()


def state(order: Order) -> str:
    return Order.objects.get(pk=order.pk).state


@pytest.fixture
def done(d):
    """An order with a telephone that the worker reports done."""
    order = build.report(d, phone=PHONE, name="王小明", unit="502 室")
    return build.walk(d, order, "sign", "assign", "depart", "arrive", "done")


@pytest.mark.parametrize("token", ["0" * 32, "x", "a" * 500, "..", "%00", "王"])
def test_a_guessed_link_is_a_friendly_404_that_tells_nothing(client, d, token):
    build.report(d)
    answer = client.get(f"/t/{token}")
    assert answer.status_code == 404
    assert client.post(f"/t/{token}/cancel").status_code == 404


def test_a_link_is_neither_passed_on_nor_kept(client, d):
    answer = client.get(url(build.report(d)))
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "noindex" in answer.headers["X-Robots-Tag"]


def test_a_passed_on_link_shows_the_progress_and_nothing_of_the_person(client, d):
    order = build.report(d, phone=PHONE, name="王小明", unit="502 室")
    page = text(client.get(url(order)))
    for hidden in (PHONE, "王小明", "502 室", "厨房水管爆了", 'data-test="arrival-code"'):
        assert hidden not in page
    assert 'data-test="countdown"' in page


def test_a_passed_on_link_repeats_nobodys_words(client, d):
    order = build.walk(d, build.report(d, phone=PHONE), "sign", "assign", "depart", "arrive")
    act(order.pk, "done", by=d.actor("worker"), data={"note": "五楼王家的角阀换了"})
    act(order.pk, "reopen", by=d.actor("track"), data={"reason": "王家还在漏"})
    assert "王家" not in text(client.get(url(order)))
    client.post(url(order, "show-code"), {"last4": LAST4})
    page = text(client.get(url(order)))
    assert "五楼王家的角阀换了" in page
    assert "王家还在漏" in page


def test_without_a_telephone_the_link_is_all_there_is(client, d):
    order = build.report(d)
    assert arrival_code(order.pk, 1) in text(client.get(url(order)))


def test_the_last_four_digits_open_the_code_for_this_browser_only(client, d):
    order = build.report(d, phone=PHONE)
    wrong = client.post(url(order, "show-code"), {"last4": "0000"})
    assert wrong.status_code == 422
    assert "电话后四位不对" in text(wrong)
    client.post(url(order, "show-code"), {"last4": LAST4})
    assert 'data-test="arrival-code"' in text(client.get(url(order)))
    assert 'data-test="arrival-code"' not in text(Client().get(url(order)))


def test_five_wrong_guesses_close_the_door_for_an_hour_even_to_the_right_digits(client, d):
    order = build.report(d, phone=PHONE)
    for n in range(5):
        client.post(url(order, "show-code"), {"last4": f"000{n}"})
    shut = client.post(url(order, "show-code"), {"last4": LAST4})
    assert shut.status_code == 422
    assert "一小时后" in text(shut)


@pytest.mark.parametrize("verb", ["confirm", "reopen", "rate"])
def test_delicate_verbs_want_the_digits_and_keep_what_was_typed(client, done, verb):
    typed = {"solved": "yes", "reason": "还在滴水", "satisfaction": "fairly", "comment": "来得快"}
    refused = client.post(url(done, verb), typed)
    assert refused.status_code == 422
    assert "请输入报修电话的后四位" in text(refused)
    if verb != "confirm":
        assert ("还在滴水" if verb == "reopen" else "来得快") in text(refused)
    assert state(done) == "done"
    assert client.post(url(done, verb), {**typed, "last4": LAST4}).status_code == 302
    assert Order.objects.get(pk=done.pk).version == done.version + 1


def test_cancelling_wants_the_digits_and_is_called_withdrawn(client, d):
    order = build.report(d, phone=PHONE)
    assert client.post(url(order, "cancel")).status_code == 422
    client.post(url(order, "cancel"), {"last4": LAST4})
    page = text(client.get(url(order)))
    assert "已撤回" in page
    assert "注销" not in page


def test_anybody_with_the_link_may_urge_and_leave_a_note(client, d):
    order = build.report(d, phone=PHONE)
    assert client.post(url(order, "urge"), {"text": "水漫出来了"}).status_code == 302
    assert client.post(url(order, "note"), {"text": ""}).status_code == 422
    assert client.post(url(order, "note"), {"text": "门禁密码问门岗"}).status_code == 302


def test_a_rating_without_a_face_is_refused_at_the_faces(client, done):
    refused = client.post(url(done, "rate"), {"last4": LAST4, "solved": "yes", "comment": "谢谢"})
    assert refused.status_code == 422
    assert 'id="e-satisfaction"' in text(refused)
    assert "谢谢" in text(refused)


def test_a_rating_counts_once_however_often_it_is_sent(client, done):
    form = {"last4": LAST4, "satisfaction": "satisfied", "solved": "yes", "idempotency_key": "k1"}
    assert client.post(url(done, "rate"), form).status_code == 302
    assert client.post(url(done, "rate"), form).status_code == 302
    assert done.events.filter(verb="rate").count() == 1


@pytest.mark.parametrize("verb", ["sign", "arrive", "close", "verify", "nonsense"])
def test_a_link_says_no_verbs_of_others(client, d, verb):
    order = build.report(d)
    assert client.post(url(order, verb), {}).status_code == 422
    assert state(order) == "submitted"


def test_a_verb_that_came_too_late_says_how_things_stand(client, d):
    order = build.walk(d, build.report(d), "sign", "assign", "depart", "arrive")
    answer = client.post(url(order, "cancel"))
    assert answer.status_code == 422
    assert "王师傅已到场" in text(answer)


@pytest.mark.parametrize("words", ["<img src=x onerror=alert(1)>", "🙏", "a\x00b"])
def test_strange_words_stay_words(client, d, words):
    order = build.report(d)
    assert client.post(url(order, "note"), {"text": words}).status_code == 302
    page = text(client.get(url(order)))
    assert "<img src=x" not in page
    assert "\x00" not in page


def test_a_note_of_a_hundred_thousand_characters_is_refused_and_kept(client, d):
    answer = client.post(url(build.report(d), "note"), {"text": "啊" * 100_000})
    assert answer.status_code == 422
    assert "太长了" in text(answer)
    assert "啊" * 100_000 in text(answer)


def test_what_staff_write_for_one_another_is_not_told(client, d):
    order = build.report(d)
    act(order.pk, "note", by=d.actor("company"), data={"text": "此人常投诉"})
    act(order.pk, "return", by=d.actor("company"), data={"reason": "不归我们"})
    page = text(client.get(url(order)))
    assert "此人常投诉" not in page
    assert "不归我们" not in page
    assert "物业企业 留言" not in page
    assert "重新安排" in page


def test_a_worker_is_a_surname(client, d):
    d.worker.name = "王小虎"
    d.worker.save()
    order = build.walk(d, build.report(d), "sign", "assign", "depart")
    page = text(client.get(url(order)))
    assert "王师傅已出发" in page
    assert "王小虎" not in page
    assert "Technician Wang is on the way" in text(client.get(url(order), {"lang": "en"}))


def test_late_is_said_plainly_with_who_was_told(client, d):
    now = timezone.now()
    order = build.report(d, reported_at=now - timedelta(minutes=40))
    watcher.sweep(now)
    page = text(client.get(url(order)))
    assert "说好 30 分钟内到，师傅还没有到场" in page
    assert "已经告诉：" in page
    assert "街镇房办" in page
    assert "超时 10 分" in page
    assert "还没有联系" not in page, "who waits at the door for somebody does not count calls"


def test_after_a_late_arrival_the_page_says_by_how_much(client, d):
    order = build.report(d, reported_at=timezone.now() - timedelta(minutes=40))
    order = build.walk(d, order, "sign", "assign", "depart", "arrive")
    page = text(client.get(url(order)))
    assert "晚到了 10 分钟" in page
    assert "还没有到场" not in page


def test_a_new_round_has_a_new_code(client, done):
    client.post(url(done, "reopen"), {"last4": LAST4, "reason": "还在漏"})
    page = text(client.get(url(done)))
    assert arrival_code(done.pk, 2) in page
    assert "会再来一次" in page


def test_the_page_costs_few_queries_however_long_the_story(client, d, django_assert_max_num_queries):
    order = build.walk(d, build.report(d), "sign", "assign", "depart", "arrive", "done", "confirm", "close", "rate")
    client.get(url(order))
    # One of them, two on PostgreSQL, asks where the log stands, from which the stream goes on.
    with django_assert_max_num_queries(10):
        client.get(url(order))


def test_writing_through_a_link_has_a_limit_too(client, d, settings):
    settings.PUBLIC_RATE = "1/min"
    order = build.report(d)
    assert client.post(url(order, "urge")).status_code == 302
    refused = client.post(url(order, "note"), {"text": "还有一件"})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"]
    assert "还有一件" in text(refused)


def test_ten_minutes_after_the_breach_there_is_a_reason_and_a_new_time(client, d):
    now = timezone.now()
    order = build.report(d, reported_at=now - timedelta(minutes=41))
    watcher.sweep(now)
    page = text(client.get(url(order)))
    told = page[page.index('data-test="why-late"') :]
    assert told.index("物业还没有签收。") < told.index("新的时间：最晚")
    assert "说明了原因，给出新的时间" in page


def test_the_words_of_who_explains_are_for_the_reporter_and_the_new_time_for_all(client, d):
    now = timezone.now()
    order = build.report(d, phone=PHONE, reported_at=now - timedelta(minutes=35))
    new_time = (now + timedelta(minutes=20)).isoformat()
    act(order.pk, "note", by=d.actor("company"), data={"text": "师傅堵在高架上", "new_time": new_time})
    page = text(client.get(url(order)))
    assert "新的时间：最晚" in page
    assert "高架" not in page
    client.post(url(order, "show-code"), {"last4": LAST4})
    assert '<p data-test="why-late">师傅堵在高架上</p>' in text(client.get(url(order)))


def test_a_new_time_that_has_passed_too_is_said_plainly(client, d, monkeypatch):
    now = timezone.now()
    order = build.report(d, reported_at=now - timedelta(minutes=80))
    watcher.sweep(now - timedelta(minutes=40))
    page = text(client.get(url(order)))
    assert "也过了，很对不起" in page
    assert "新的时间：最晚" not in page[: page.index('id="story-title"')]


@pytest.fixture
def loosened(tmp_path, monkeypatch):
    """Puts every open order under a pack by which emergencies have twice as long to be completed; returns how many."""
    with repacks.installation(tmp_path, monkeypatch) as home:
        day = "limit: {amount: 1440, unit: emergency_minutes}\n    pausable: true"

        def move() -> int:
            pack = repacks.load(home, (day, day.replace("1440", "2880")))
            return repacking.move(pack, ["310115"], by="rule:test").changed

        yield move


def test_a_limit_that_another_pack_loosens_takes_no_apology_away(client, d, loosened):
    now = timezone.now()
    order = build.report(d, reported_at=now - timedelta(minutes=41))
    watcher.sweep(now)
    before = text(client.get(url(order)))
    assert loosened() == 1
    page = text(client.get(url(order)))
    for told in ("说好 30 分钟内到，师傅还没有到场", 'data-test="new-time"', 'data-test="why-late"'):
        assert told in before
        assert told in page, told


def test_a_late_arrival_stays_told_after_another_pack_loosened_the_rest(client, d, loosened):
    order = build.report(d, reported_at=timezone.now() - timedelta(minutes=40))
    order = build.walk(d, order, "sign", "assign", "depart", "arrive")
    assert loosened() == 1
    assert "晚到了 10 分钟" in text(client.get(url(order)))


def test_in_a_surge_who_waits_with_an_ordinary_order_is_told_that_emergencies_go_first(client, d):
    usual, urgent = build.report(d, urgency="ordinary"), build.report(d)
    asked = build.report(d, kind="complaint", category="complaint")

    def told() -> set[object]:
        return {one.pk for one in (usual, urgent, asked) if 'data-test="behind"' in text(client.get(url(one)))}

    assert told() == set()
    surges.switch(d.division.code, True, by=d.users["operator"], reason="台风")
    assert told() == {usual.pk}
    build.walk(d, usual, "sign", "assign")
    assert told() == set(), "somebody has it"


def test_of_a_limit_that_has_passed_nobody_is_told_that_it_goes_on(client, d):
    now = timezone.now()
    fresh, late = build.report(d, urgency="ordinary"), build.report(d, urgency="ordinary", now=now - timedelta(days=20))
    watcher.sweep(now)
    surges.switch(d.division.code, True, by=d.users["operator"], reason="台风")
    told = {one.pk: text(client.get(url(one))) for one in (fresh, late)}
    assert "时限没有变" in told[fresh.pk]
    assert 'data-test="behind"' in told[late.pk] and "时限没有变" not in told[late.pk]
