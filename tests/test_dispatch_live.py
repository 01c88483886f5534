"""The running system sends somebody by itself, and a person does it with one key."""

from __future__ import annotations

import json
import shutil
import sqlite3
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.served import Served, until
from tests.test_journey import DESK, SOON_MS, at, estate_of


@pytest.fixture(scope="module")
def demo(serve: Any, _seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A demo whose rule leaves people an hour, unless a test says otherwise; its workers are on duty at any hour."""
    home = tmp_path_factory.mktemp("dispatch") / "home"
    shutil.copytree(_seeded, home)
    grace(home, 3600)
    with closing(sqlite3.connect(home / "jiying.sqlite3")) as database, database:
        assert database.execute("update estates_shift set start_min = 0, end_min = 1440").rowcount > 10
    return serve(home, JIYING_DEMO="1")


def grace(home: Path, seconds: int) -> None:
    with closing(sqlite3.connect(home / "jiying.sqlite3", timeout=20)) as database, database:
        assert database.execute("update dispatch_policy set after_s = ?", [seconds]).rowcount == 1


def asked(served: Served, path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{served.url}/api/v1{path}", data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def reported(served: Served) -> dict[str, Any]:
    code, _name = estate_of(served, "demo-company")
    return asked(served, "/orders", {"category": "leak", "urgency": "emergency", "estate": code, "description": "漏水"})


def token_of(served: Served, user: str) -> str:
    return str(json.loads(served.run("token", user, "--json").stdout)["token"])


def test_an_emergency_is_assigned_through_the_event_log_and_the_company_still_signs(demo):
    grace(demo.home, 1)
    try:
        order, token = reported(demo), token_of(demo, "demo-company")
        path = f"/orders/{order['id']}"
        now = until("somebody is sent", lambda: (found := asked(demo, path, token=token)) and found["worker"] and found)
    finally:
        grace(demo.home, 3600)
    assert now["state"] == "assigned"
    event = next(one for one in now["events"] if one["verb"] == "assign")
    assert (event["role"], event["by"]["code"], event["data"]["advice"]["rank"]) == ("rule", "rule:dispatch", 1)
    # The version of the report, which a person may still hold in their hand.
    signed = asked(demo, f"{path}/actions/sign", {"version": order["version"]}, token)
    assert (signed["state"], signed["worker"]) == ("assigned", now["worker"])
    assert {"assign", "return"} <= set(signed["possible_verbs"])
    assert demo.run("verify-chain", order["id"], "--json").returncode == 0
    assert asked_readyz(demo)["followers"]["dispatch"] >= 0


def asked_readyz(served: Served) -> Any:
    return served.get("/readyz")[1]


@pytest.mark.needs_browser
def test_the_centre_sends_who_is_suggested_with_one_key(demo, browser):
    order, other = reported(demo), reported(demo)
    page = browser.new_context(viewport=DESK, locale="zh-CN", timezone_id="Asia/Shanghai").new_page()
    page.set_default_timeout(SOON_MS)
    page.goto(f"{demo.url}/sign-in")
    at(page, "demo-operator").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto(f"{demo.url}/desk/orders/{order['id']}")
    first = at(page, "suggestion").first
    expect(first).to_contain_text("公里")
    name = first.locator("strong").inner_text()
    page.keyboard.press("1")
    expect(page.locator(".timeline")).to_contain_text(name)
    expect(page.locator(".timeline")).to_contain_text("会水工")
    token = token_of(demo, "demo-operator")
    assert asked(demo, f"/orders/{order['id']}", token=token)["worker"]["name"] == name

    # Somebody else, with the reason, by keyboard alone; it stands on the timeline.
    page.goto(f"{demo.url}/desk/orders/{other['id']}")
    page.keyboard.press("a")
    form = page.locator('form[data-verb="assign"]:has([name="overrule"])')
    best = at(page, "suggestion").first.get_attribute("data-worker")
    values = form.locator('[name="worker"] option').evaluate_all("options => options.map(option => option.value)")
    form.locator('[name="worker"]').select_option(next(value for value in values if value and value != best))
    form.locator('[name="overrule"]').select_option("on_the_way")
    form.locator('[name="reason"]').fill("刚好在隔壁楼")
    page.keyboard.press("Enter")
    expect(page.locator(".timeline")).to_contain_text("没有按建议派：顺路")
    expect(page.locator(".timeline")).to_contain_text("刚好在隔壁楼")
    page.context.close()


@pytest.mark.needs_browser
def test_a_worker_goes_off_duty_on_the_telephone_and_is_no_longer_suggested(demo, browser):
    order, token = reported(demo), token_of(demo, "demo-company")
    path = f"/orders/{order['id']}/suggestions"
    page = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN").new_page()
    page.set_default_timeout(SOON_MS)
    page.goto(f"{demo.url}/sign-in")
    at(page, "demo-worker").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto(f"{demo.url}/worker")
    at(page, "duty-off").click()
    expect(at(page, "duty-on")).to_be_visible()
    assert asked(demo, path, token=token)["left_out"] == {"off_duty": 1}
    at(page, "duty-on").click()
    expect(at(page, "duty-off")).to_be_visible()
    assert "off_duty" not in asked(demo, path, token=token)["left_out"]
    page.context.close()
