"""`/centre/rules` moves open orders under the pack in force: a preview, then a job, by those who answer for it."""

from __future__ import annotations

import pytest

from jiying.centre.tests.calls import client_of
from jiying.exchange import jobs
from jiying.orders.models import Event
from jiying.orders.tests import repacks
from jiying.orders.tests.build import join, report, walk
from jiying.people.models import Audit, Organisation

pytestmark = pytest.mark.django_db

LONGER = (repacks.RESPOND, "limit: {amount: 45, unit: emergency_minutes}")


@pytest.fixture
def behind(d, tmp_path, monkeypatch):
    """Two open orders and a closed one of the example, and a pack that came into force after them."""
    orders = [report(d), report(d)]
    walk(d, report(d), "sign", "assign", "depart", "arrive", "done", "confirm", "close")
    with repacks.installation(tmp_path, monkeypatch):
        repacks.load(tmp_path, LONGER)
        yield orders


def page(d, role: str = "supervisor", lang: str = "zh") -> str:
    html = client_of(d.users[role]).get("/centre/rules", {"lang": lang}, follow=True).content.decode()
    return html.partition('data-test="moving"')[2].partition("</section>")[0]


def press(d, what: str, role: str = "supervisor", pack: str = "district@1") -> int:
    return client_of(d.users[role]).post(f"/centre/rules/{what}", {"pack": pack}).status_code


def moved() -> int:
    return Event.objects.filter(verb="repack").count()


def test_where_every_open_order_is_judged_by_the_pack_in_force_nothing_is_said(d):
    report(d)
    assert page(d) == ""


def test_a_supervisor_sees_how_many_are_behind_previews_and_moves_them(d, behind):
    assert "还有 2 张未结工单不按现行的 district@1 计时" in page(d) and "example@2026.2" in page(d)
    assert 'data-test="move"' not in page(d)
    assert press(d, "count") == 302 and "正在计算会改变什么" in page(d)
    jobs.work_off()
    html = page(d)
    assert "预览：2 张工单，其中 2 张的时限会变" in html and "30分钟到场" in html and moved() == 0
    assert press(d, "move") == 302 and press(d, "move") == 302 and "正在改按现行规则包计时" in page(d)
    jobs.work_off()
    assert moved() == 2
    assert "所有未结工单都按现行的 district@1 计时" in page(d)
    [event, _other] = Event.objects.filter(verb="repack")
    assert (event.by, event.role) == (str(d.users["supervisor"].pk), "rule")
    [audit] = Audit.objects.filter(action="repack")
    assert (audit.by, audit.about, audit.data) == (str(d.users["supervisor"].pk), "district@1", {"orders": 2})


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("supervisor", 302), ("district", 302), ("operator", 403), ("town", 403), ("company", 403), ("manager", 403),
        ("committee", 403), ("worker", 403), ("resident", 403),
    ],
)  # fmt: skip
def test_only_who_answers_for_the_district_moves_its_orders(d, behind, role, status):
    assert press(d, "move", role) == press(d, "count", role) == status
    jobs.work_off()
    assert moved() == (2 if status == 302 else 0)


def test_who_is_operator_in_one_district_and_supervisor_in_another_moves_only_the_other_s(d, behind):
    elsewhere = Organisation.objects.get(code="310115-elsewhere", kind="centre")
    for who, here, there in (("supervisor", "supervisor", "operator"), ("operator", "operator", "supervisor")):
        user = d.users[who]
        user.memberships.all().delete()
        join(user, elsewhere, there)
        join(user, Organisation.objects.get(code="310115", kind="centre"), here)
    # 310115 comes first of the two; who is only operator there gets the one they answer for.
    assert press(d, "move", "operator") == 302
    jobs.work_off()
    assert moved() == 0
    assert press(d, "move") == 302
    jobs.work_off()
    assert moved() == 2


def test_who_does_not_move_them_reads_how_many_are_behind_without_buttons(d, behind):
    for role in ("operator", "town"):
        assert "还有 2 张未结工单" in page(d, role) and "<form" not in page(d, role)


def test_a_pack_that_is_not_in_force_moves_nothing(d, behind):
    assert press(d, "move", pack="example@2026.1") == 302
    assert press(d, "move", pack="nobody@1") == 302
    jobs.work_off()
    assert moved() == 0
    assert client_of(d.users["supervisor"]).get("/centre/rules/move").status_code == 405


def test_the_page_says_it_in_english_too(d, behind):
    assert "2 open orders are not yet judged by district@1" in page(d, lang="en")
