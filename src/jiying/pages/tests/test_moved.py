"""A timeline says what changed of the clocks, to the desk by its packs and to a resident in a plain sentence."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from jiying.orders import repacking
from jiying.orders.actions import act
from jiying.orders.models import Order
from jiying.orders.proof import track_token
from jiying.orders.tests import build, repacks
from jiying.orders.tests.build import report, walk

pytestmark = pytest.mark.django_db

DAYS = "limit: {amount: 3, unit: calendar_days}"


@pytest.fixture
def home(tmp_path, monkeypatch):
    with repacks.installation(tmp_path, monkeypatch) as folder:
        yield folder


@pytest.fixture
def d(db):
    return build.district()


def moved(d, home, *changes: tuple[str, str]) -> None:
    repacking.move(repacks.load(home, *changes), [d.division.code], by="rule:test", rest=lambda _s: None)


def timeline(client: Client, address: str, lang: str) -> str:
    page = client.get(address, {"lang": lang}, follow=True).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index('class="timeline"') :].partition("</ol>")[0]).split())


def desk(d, order: Order, lang: str = "zh", role: str = "operator") -> str:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(d.users[role])
    return timeline(client, f"/worker/orders/{order.pk}" if role == "worker" else f"/desk/orders/{order.pk}", lang)


def resident(order: Order, lang: str = "zh") -> str:
    return timeline(Client(HTTP_HOST="127.0.0.1"), f"/t/{track_token(order.pk)}", lang)


def test_the_desk_and_the_worker_read_which_pack_judges_now_and_what_changed(d, home):
    order = walk(d, report(d, category="drain", urgency="ordinary"), "sign", "assign")
    moved(d, home, (DAYS, "limit: {amount: 2, unit: calendar_days}"))
    for role in ("operator", "worker"):
        said = desk(d, order, role=role)
        assert "规则有变，时限重新计算" in said and "example@2026.2 → district@1" in said
        assert re.search(r"完工时限改到 .*（原为 .*）", said)
    said = desk(d, order, "en")
    assert "The rules changed; time limits were recomputed" in said
    assert re.search(r"Completion[^·]*: now due .* \(was .*\)", said)


def test_the_desk_reads_that_a_move_changed_no_limit(d, home):
    order = report(d)
    moved(d, home)
    assert "各项时限不变" in desk(d, order)


def test_a_resident_reads_of_a_move_only_where_a_time_they_were_told_changed(d, home):
    told = report(d, category="drain", urgency="ordinary")
    untold = report(d)
    moved(d, home, (DAYS, "limit: {amount: 4, unit: calendar_days}"))
    assert re.search(r"规则有变，时限重新计算 .*完工时限改到 .*（原为", resident(told))
    assert "now due" in resident(told, "en")
    assert "规则有变" not in resident(untold) and "@" not in resident(told)


def test_a_reclassification_says_what_it_changed_of_the_clocks(d, home):
    order = report(d, category="drain", urgency="ordinary")
    act(order.pk, "reclassify", by=d.actor("operator"), data={"urgency": "emergency"})
    said = desk(d, order)
    assert re.search(r"完工时限改到 .*（原为 .*30 分钟到场开始计时", said)
    assert "30 分钟到场开始计时" in resident(order)
