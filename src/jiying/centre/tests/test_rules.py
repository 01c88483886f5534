"""`/centre/rules`: what is in force, what were and will be, and what another pack changes."""

from __future__ import annotations

import pytest
from django.test import Client

from jiying.centre.tests.calls import client_of
from jiying.rules import loading, packs

pytestmark = pytest.mark.django_db


@pytest.fixture
def next_year(tmp_path, monkeypatch):
    """A pack of the district's own that begins next year, loaded by somebody."""
    monkeypatch.setenv("JIYING_HOME", str(tmp_path / "home"))
    text = (packs.SHIPPED / "example.yaml").read_text("utf-8")
    for old, new in (
        ("name: example", "name: pudong"),
        ('version: "2026.2"', 'version: "1"'),
        ("valid_from: 2026-01-01", "valid_from: 2099-01-01"),
        ("amount: 5, unit: working_days", "amount: 3, unit: working_days"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "pudong.yaml"
    path.write_text(text, "utf-8")
    loading.load(path, "李工")
    yield "pudong@1"
    packs._in_use.cache_clear()


def page(d, address: str = "/centre/rules", role: str = "supervisor") -> str:
    answer = client_of(d.users[role]).get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("operator", 200), ("supervisor", 200), ("district", 200), ("town", 200), ("company", 403),
        ("manager", 403), ("committee", 403), ("worker", 403), ("resident", 403),
    ],
)  # fmt: skip
def test_the_rules_are_for_those_who_judge_by_them(d, role, status):
    client = client_of(d.users[role])
    assert client.get("/centre/rules").status_code == status
    home = client.get("/centre" if role in ("operator", "supervisor", "district") else "/desk")
    assert (b'href="/centre/rules"' in home.content) == (status == 200)


def test_a_stranger_is_sent_to_sign_in():
    assert Client(HTTP_HOST="127.0.0.1").get("/centre/rules")["Location"].startswith("/sign-in")


def test_the_pack_in_force_is_told_in_words_with_its_label_and_sources(d):
    html = page(d)
    for said in (
        "example 2026.2", "示例，非官方", "30 分钟，日夜连续计时", "30 个工作分钟", "15 个工作日", "3 个自然日",
        "09:00–12:00、13:30–17:30", "等待配件", "假设，无人确认", "行动名称中的“30分钟响应”", "指挥中心",
    ):  # fmt: skip
        assert said in html, said
    assert 'data-test="changes"' not in html


def test_every_rule_has_its_row_and_every_pause_its_longest_time(d):
    pack, html = packs.named("example", "2026.2"), page(d)
    rows = html.partition('data-test="promises"')[2].partition("</table>")[0]
    assert rows.count('class="rules-limit"') == len(pack.promises)
    for reason in pack.pauses.values():
        assert reason.names.zh in html


def test_packs_that_were_are_and_will_be_are_listed_with_who_loaded_them(d, next_year):
    rows = page(d).partition('data-test="versions"')[2].partition("</table>")[0].split("data-pack=")[1:]
    told = {row.split('"')[1]: row for row in rows}
    assert list(told) == [next_year, "example@2026.2", "example@2026.1"]
    assert "尚未生效" in told[next_year] and "李工" in told[next_year]
    assert "现行" in told["example@2026.2"] and "随软件提供" in told["example@2026.2"]
    assert "已失效" in told["example@2026.1"] and "2025-12-31" in told["example@2026.1"]


def test_another_pack_is_shown_with_what_it_would_change(d, next_year):
    changes = page(d, f"/centre/rules?pack={next_year}").partition('data-test="changes"')[2].partition("</table>")[0]
    assert "reply.complaint 的时限" in changes
    assert "5 个工作日" in changes and "3 个工作日" in changes
    assert "respond_30" not in changes


def test_a_pack_that_is_not_there_is_not_found(d):
    client = client_of(d.users["supervisor"])
    for stamp in ("nobody@1", "example", "../../etc/passwd", "\x00"):
        assert client.get("/centre/rules", {"pack": stamp}).status_code == 404


def test_a_year_without_known_holidays_is_pointed_out(d, monkeypatch):
    monkeypatch.setattr("jiying.rules.calendars.library_knows", lambda _year: True)
    assert "节假日安排还不知道" not in page(d)
    monkeypatch.setattr("jiying.rules.calendars.library_knows", lambda _year: False)
    assert "节假日安排还不知道" in page(d)
