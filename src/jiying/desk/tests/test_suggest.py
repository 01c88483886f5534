"""Suggestions and duty at the desk: what is shown to whom, and what a press does."""

from __future__ import annotations

import re

import pytest

from jiying.desk.tests.test_desk import _client, _form
from jiying.dispatch import surges
from jiying.dispatch.models import Policy
from jiying.dispatch.tests.town import station
from jiying.estates.actions import switch_duty
from jiying.estates.models import DutyChange
from jiying.orders.models import Event, Order
from jiying.orders.tests.build import District, district, report, walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def d() -> District:
    return district()


def suggested(page: str) -> list[str]:
    return re.findall(r'data-test="suggestion" data-worker="([^"]+)"', page)


def test_the_desk_suggests_whom_to_send_with_one_sentence_each(d):
    order = walk(d, report(d), "sign")
    page = _client(d.users["company"]).get(f"/desk/orders/{order.pk}").text
    assert suggested(page) == [str(d.worker.pk), str(d.mate.pk)]
    assert "0.0 公里，约 2 分钟；本小区的人；会水工；十分钟内还有 1 位能到" in page


def test_a_company_is_shown_nobody_else_s_people_and_the_centre_is(d):
    _company, other = station(d)
    order = walk(d, report(d), "sign")
    assert str(other.pk) not in _client(d.users["company"]).get(f"/desk/orders/{order.pk}").text
    assert suggested(_client(d.users["operator"]).get(f"/desk/orders/{order.pk}").text)[-1] == str(other.pk)


def test_one_press_sends_who_is_suggested_and_keeps_why(d):
    order = walk(d, report(d), "sign")
    client = _client(d.users["company"])
    hidden = _form(client.get(f"/desk/orders/{order.pk}").text, "assign")
    client.post(f"/desk/orders/{order.pk}/assign", {**hidden, "worker": str(d.worker.pk)})
    event = Event.objects.get(order=order, verb="assign")
    assert (event.data["advice"]["rank"], event.data["advice"]["overrules"]) == (1, False)
    page = client.get(f"/desk/orders/{order.pk}").text
    assert "会水工" in page
    assert "没有按建议派" not in page


def test_sending_somebody_else_is_told_on_the_timeline_with_its_reason(d):
    order = walk(d, report(d), "sign")
    client = _client(d.users["company"])
    hidden = _form(client.get(f"/desk/orders/{order.pk}").text, "assign")
    more = {"worker": str(d.mate.pk), "overrule": "knows_place", "reason": "上周是他修的"}
    client.post(f"/desk/orders/{order.pk}/assign", {**hidden, **more})
    page = client.get(f"/desk/orders/{order.pk}").text
    assert "没有按建议派：熟悉现场" in page
    assert "上周是他修的" in page


def test_from_the_wall_one_comes_back_to_the_wall(d):
    order = report(d)
    client = _client(d.users["operator"])
    page = client.get("/centre").text
    assert 'data-test="to-send"' in page
    hidden = _form(page, "assign")
    assert hidden["worker"] == str(d.worker.pk)
    assert client.post(f"/desk/orders/{order.pk}/assign", hidden).headers["Location"] == "/centre"
    assert Order.objects.get(pk=order.pk).worker_id == d.worker.pk


def test_who_only_watches_the_wall_gets_no_button(d):
    report(d)
    page = _client(d.users["supervisor"]).get("/centre").text
    assert "王师傅" in page
    assert 'data-test="send-to"' not in page


def test_where_nobody_can_go_the_page_says_why(d):
    order = walk(d, report(d), "sign")
    d.company.workers.update(skills=["lift"])
    page = _client(d.users["company"]).get(f"/desk/orders/{order.pk}").text
    assert "没有合适的人" in page
    assert "工种不符 2 人" in page


def test_where_the_district_wants_no_suggestions_there_are_none(d):
    Policy.objects.create(district=d.division.code, mode="off")
    order = walk(d, report(d), "sign")
    page = _client(d.users["company"]).get(f"/desk/orders/{order.pk}").text
    assert suggested(page) == []
    assert "王师傅 · 在班" in page


@pytest.mark.parametrize("role", ["company", "manager"])
def test_a_company_switches_its_people_on_and_off_duty_and_it_is_kept_who_did(d, role):
    client = _client(d.users[role])
    client.post(f"/desk/workers/{d.mate.pk}/duty", {"on": "no"})
    change = DutyChange.objects.get()
    assert (change.worker, change.on, change.by) == (d.mate, False, d.users[role])
    order = walk(d, report(d), "sign")
    assert suggested(client.get(f"/desk/orders/{order.pk}").text) == [str(d.worker.pk)]
    client.post(f"/desk/workers/{d.mate.pk}/duty", {"on": "yes"})
    assert len(suggested(client.get(f"/desk/orders/{order.pk}").text)) == 2
    assert DutyChange.objects.count() == 2


def test_another_company_s_people_are_not_theirs_to_switch(d):
    client = _client(d.users["company"])
    assert client.post(f"/desk/workers/{d.worker2.pk}/duty", {"on": "no"}).status_code == 404
    assert str(d.worker2.pk) not in client.get("/desk/workers").text
    assert not DutyChange.objects.exists()


def test_in_a_surge_the_desk_says_what_goes_first_and_calls_for_those_off_duty(d):
    urgent, usual = walk(d, report(d), "sign"), walk(d, report(d, urgency="ordinary"), "sign")
    operator, company = _client(d.users["operator"]), _client(d.users["company"])

    def pages() -> list[str]:
        return [operator.get(f"/desk/orders/{one.pk}").text for one in (urgent, usual)]

    assert not any("急修高峰" in page for page in pages())
    assert 'data-test="recall"' not in company.get("/desk/workers").text
    surges.switch(d.division.code, True, by=d.users["operator"], reason="台风")
    first, second = pages()
    assert "请去的人先控险，后修复" in first and "急修先派，这一单靠后" not in first
    assert "急修先派，这一单靠后" in second and "先控险" not in second
    assert "您的人都已在班" in company.get("/desk/workers").text
    switch_duty(d.mate, False, by=d.users["company"])
    assert "下面有 1 人不在班" in company.get("/desk/workers").text
    surges.switch(d.division.code, False, by=d.users["operator"], reason="结束")
    assert not any("急修高峰" in page for page in pages())
