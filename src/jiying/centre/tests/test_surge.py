"""`/centre/surge`: how many to recall, who is at home, and the switch by hand."""

from __future__ import annotations

import pytest
from django.utils import timezone

from jiying.core.crypto import seal
from jiying.dispatch import surges
from jiying.dispatch.keeping import Keeper
from jiying.dispatch.models import Surge, SurgeSwitch
from jiying.estates.actions import hire, switch_duty
from jiying.estates.models import Worker
from jiying.orders.tests.build import join, report
from jiying.people.models import Organisation

PHONE = "13800001234"


def test_the_centre_begins_one_for_a_reason_sees_it_on_the_wall_and_leaves_it_to_the_rule_again(d, client):
    client.force_login(d.users["operator"])
    assert 'data-test="surge"' not in client.get("/centre").text
    for _twice in range(2):
        assert client.post("/centre/surge/start", {"reason": "台风登陆"}).status_code == 302
    assert (Surge.objects.count(), SurgeSwitch.objects.count()) == (1, 1)
    assert 'data-test="surge"' in client.get("/centre").text
    page = client.get("/centre/surge").text
    assert "高峰中" in page and "人工开启：台风登陆" in page
    assert client.post("/centre/surge/rule").status_code == 302
    assert surges.switched(d.division.code, timezone.now()) is None
    assert "人工开启：" not in client.get("/centre/surge").text
    client.post("/centre/surge/stop", {"reason": "风停了"})
    assert Surge.objects.get().ended_at is not None
    assert 'data-test="surge"' not in client.get("/centre").text


def test_without_a_reason_nothing_is_switched_and_the_page_says_so(d, client):
    client.force_login(d.users["supervisor"])
    answer = client.post("/centre/surge/start", {"reason": " "})
    assert answer.status_code == 422 and "field-error" in answer.text
    assert client.post("/centre/surge/paint", {"reason": "x"}).status_code == 404
    assert not Surge.objects.exists()


def test_the_district_looks_on_and_another_district_s_operator_switches_their_own(d, client):
    client.force_login(d.users["district"])
    assert "surge-switch" not in client.get("/centre/surge").text
    for change in ("start", "stop", "rule"):
        assert client.post(f"/centre/surge/{change}", {"reason": "x"}).status_code == 403
    client.force_login(d.users["operator-2"])
    assert "王师傅" not in client.get("/centre/surge").text
    client.post("/centre/surge/start", {"reason": "我们区"})
    assert surges.running(d.division.code) is None


def test_who_is_officer_here_and_operator_elsewhere_switches_only_there(d, client):
    user = d.users["operator"]
    user.memberships.all().delete()
    join(user, Organisation.objects.get(code="310115", kind="centre"), "district")
    join(user, Organisation.objects.get(code="310115-elsewhere", kind="centre"), "operator")
    client.force_login(user)
    assert client.post("/centre/surge/start", {"reason": "x"}).status_code == 302
    assert surges.running(d.division.code) is None
    assert [one.district for one in Surge.objects.all()] == ["310115-elsewhere"]


def test_it_says_how_many_are_wanted_and_who_is_off_duty_without_telephones(d, client):
    elsewhere = hire(d.company2, name="下班的", skills=["lift"], shifts=[], known_skills=["lift"], home=d.estate2)
    Worker.objects.filter(pk=elsewhere.pk).update(phone=seal(PHONE, context=f"worker:{elsewhere.pk}"))
    switch_duty(d.mate, False, by=d.users["company"])
    for _ in range(4):
        report(d)
    Keeper().keep(timezone.now())
    client.force_login(d.users["operator"])
    page = client.get("/centre/surge").text
    kept = Surge.objects.get()
    assert f'data-test="recall">{kept.most_recalled}<' in page and kept.most_recalled > 0
    assert page.count('data-test="crew"') == 2
    first = page.partition('data-test="crew"')[2].partition('data-test="crew"')
    assert "赵师傅" in first[0] and "离岗" in first[0] and "王师傅" not in page
    assert "下班的" in first[2] and "电梯 1 人" in first[2] and "离岗" not in first[2]
    assert PHONE not in page
    wall = client.get("/centre").text
    assert f"还要召回约 <strong>{kept.most_recalled}</strong> 人" in wall


@pytest.mark.parametrize("role", ["town", "company", "manager", "worker", "resident"])
def test_nobody_else_gets_in(d, client, role):
    client.force_login(d.users[role])
    assert client.get("/centre/surge").status_code == 403
    assert client.post("/centre/surge/start", {"reason": "x"}).status_code == 403
    assert not Surge.objects.exists()
