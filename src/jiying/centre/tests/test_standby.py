"""`/centre/standby`: who might wait elsewhere, for those who may ask."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.centre.tests.calls import client_of
from jiying.dispatch.models import Moving, Standby
from jiying.estates import actions as estates
from jiying.estates.models import Worker
from jiying.orders.tests.build import SKILLS

pytestmark = pytest.mark.django_db


def standby(d, worker: Worker, **more) -> Standby:
    now = timezone.now()
    plain = {
        "district": d.estate.district, "worker": worker, "estate": d.estate, "lon": 121.52, "lat": 31.222,
        "skill": "lock", "town": d.town2, "reach": 0.2, "metres": 3100, "minutes": 13,
        "until": now + timedelta(hours=5), "suggested_at": now,
    }  # fmt: skip
    return Standby.objects.create(**{**plain, **more})


@pytest.fixture
def one(d) -> Standby:
    """The company's second worker might wait elsewhere; the company is a station, which moves its people."""
    estates.give_mandate(d.company, "station", d.town, since=date(2020, 1, 1))
    Moving.objects.create(district=d.estate.district, posts=True)
    estates.switch_duty(d.mate, True, by=d.users["company"], until=timezone.now() + timedelta(hours=5))
    return standby(d, d.mate)


def page(d, who: str, lang: str = "zh") -> str:
    return client_of(d.users[who]).get("/centre/standby", {"lang": lang}, follow=True).content.decode()


def press(d, who: str, one: Standby, what: str, **form: str) -> int:
    return client_of(d.users[who]).post(f"/centre/standby/{one.pk}/{what}", form).status_code


def state(one: Standby) -> str:
    return Standby.objects.values_list("state", flat=True).get(pk=one.pk)


def test_it_says_who_where_and_why_with_a_button(d, one):
    html = page(d, "operator")
    for words in ("赵师傅", "潍坊花园", "3.1 公里，约 13 分钟", "门锁急修：三林镇现在没有人能在 30 分钟内赶到", "问他"):
        assert words in html
    english = page(d, "operator", "en")
    assert "3.1 km, about 13 min" in english and "within 30 minutes" in english


def test_one_is_asked_answers_on_the_telephone_and_it_is_taken_back(d, one):
    assert press(d, "operator", one, "ask") == press(d, "operator", one, "ask") == 302
    assert (
        state(one) == "asked"
        and "已问，等答复" in page(d, "manager")
        and 'data-test="standby-yes"' in page(d, "manager")
    )
    assert press(d, "manager", one, "answer", yes="yes") == 302
    assert state(one) == "accepted" and "起算到了" in page(d, "operator")
    assert press(d, "operator", one, "take-back") == 302
    assert state(one) == "ended" and "已收回" in page(d, "operator")


def test_a_company_sees_its_own_people_and_another_district_nobody(d, one):
    for who in ("company", "manager", "supervisor", "district"):
        assert 'data-test="standby-suggested"' in page(d, who), who
    for who in ("company-2", "manager-2", "operator-2", "district-2"):
        assert "赵师傅" not in page(d, who) and "现在没有人需要换地方等" in page(d, who), who
        for what in ("ask", "answer", "take-back"):
            assert press(d, who, one, what) == 404
    for who in ("worker", "resident", "town", "committee"):
        assert client_of(d.users[who]).get("/centre/standby").status_code == 403
        assert press(d, who, one, "ask") == 403
    assert state(one) == "suggested"


def test_what_is_refused_says_why_and_changes_nothing(d, one):
    estates.switch_duty(d.mate, False, by=d.users["company"])
    answer = client_of(d.users["operator"]).post(f"/centre/standby/{one.pk}/ask", follow=True)
    assert "他现在不在班。" in answer.text and state(one) == "suggested"


def test_a_full_page_asks_no_more_than_an_empty_one(d, one, django_assert_num_queries):
    client = client_of(d.users["operator"])
    client.get("/centre/standby")
    with CaptureQueriesContext(connection) as few:
        client.get("/centre/standby")
    for n in range(9):
        worker = estates.hire(
            d.company, name=f"工{n}", skills=SKILLS, shifts=[(0, 1440)], known_skills=SKILLS, home=d.estate
        )
        standby(d, worker, state=("suggested", "asked", "declined")[n % 3])
    with django_assert_num_queries(len(few)):
        client.get("/centre/standby")


def test_the_worker_reads_it_says_yes_and_later_no(d, one):
    Worker.objects.filter(pk=d.worker.pk).update(user=None)
    Worker.objects.filter(pk=d.mate.pk).update(user=d.users["worker"])
    client = client_of(d.users["worker"])
    assert 'data-test="standby"' not in client.get("/worker").text
    press(d, "operator", one, "ask")
    assert "请到 潍坊花园 附近待命" in client.get("/worker").text
    assert 'data-test="inbox-standby"' in client.get("/inbox").text
    assert client.get("/inbox/count").json() == {"count": 1}
    for _twice in range(2):
        assert client.post(f"/worker/standby/{one.pk}", {"yes": "yes"}).status_code == 302
    assert state(one) == "accepted" and "您在 潍坊花园 附近待命" in client.get("/worker").text
    assert client.get("/inbox/count").json() == {"count": 0}
    client.post(f"/worker/standby/{one.pk}", {"yes": "no"})
    assert state(one) == "declined" and 'data-test="standby"' not in client.get("/worker").text
    again = client.post(f"/worker/standby/{one.pk}", {"yes": "yes"}, follow=True)
    assert "已经不用去了" in again.text and state(one) == "declined"


def test_a_colleague_answers_for_nobody_else(d, one):
    press(d, "operator", one, "ask")
    for who in ("worker", "worker-2"):
        assert client_of(d.users[who]).post(f"/worker/standby/{one.pk}", {"yes": "no"}).status_code == 404
    assert state(one) == "asked"


def test_what_is_neither_yes_nor_no_is_not_taken_for_a_no(d, one):
    Worker.objects.filter(pk=d.worker.pk).update(user=None)
    Worker.objects.filter(pk=d.mate.pk).update(user=d.users["worker"])
    press(d, "operator", one, "ask")
    for form in ({}, {"yes": "maybe"}):
        assert press(d, "operator", one, "answer", **form) == 302
        told = client_of(d.users["worker"]).post(f"/worker/standby/{one.pk}", form, follow=True)
        assert "请选择去还是不去。" in told.text and state(one) == "asked"
