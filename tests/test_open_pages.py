"""Open pages in a real browser hear what concerns them: between reading and stream too, and what leaves them."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from tests.served import Served
from tests.test_journey import SOON_MS, at, estate_of

pytestmark = [pytest.mark.needs_browser, pytest.mark.filterwarnings("ignore")]


class Interface:
    """The REST interface, as demo users call it."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self._tokens: dict[str, str] = {}

    def ask(self, path: str, user: str = "", body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if user:
            if user not in self._tokens:
                self._tokens[user] = self.served.run("token", user).stdout.strip()
            headers["Authorization"] = f"Bearer {self._tokens[user]}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.served.url}/api/v1{path}", data, headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return dict(json.load(answer))

    def report(self, description: str) -> dict[str, Any]:
        code, _name = estate_of(self.served, "demo-company")
        return self.ask("/orders", body={"category": "leak", "estate": code, "description": description})

    def say(self, order: dict[str, Any], verb: str, user: str, **data: Any) -> dict[str, Any]:
        version = self.ask(f"/orders/{order['id']}", "demo-operator")["version"]
        return self.ask(f"/orders/{order['id']}/actions/{verb}", user, {"version": version, "data": data})


@pytest.fixture
def interface(jiying_server: Served) -> Interface:
    return Interface(jiying_server)


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    context = browser.new_context(locale="zh-CN")
    opened = context.new_page()
    opened.set_default_timeout(SOON_MS)
    yield opened
    context.close()


def sign_in(page: Page, served: Served, user: str) -> None:
    page.goto(f"{served.url}/sign-in")
    at(page, user).click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def test_what_happens_between_the_page_and_its_stream_is_not_missed(jiying_server, interface, page):
    order = interface.report("BETWEEN")
    happened: list[str] = []
    # The browser waits while the route is decided: what takes long is done before.
    for user in ("demo-operator", "demo-company"):
        interface.ask("/me", user)

    def first_something_happens(route: Route) -> None:
        if not happened:
            happened.append(interface.say(order, "sign", "demo-company")["state"])
        route.continue_()

    page.route("**/live/events*", first_something_happens)
    page.goto(jiying_server.url + order["track_url"])
    expect(page.locator("main")).to_contain_text("已签收", timeout=SOON_MS)
    assert happened == ["signed"]


def test_what_somebody_else_was_given_leaves_the_list_of_those_who_could_have_taken_it(jiying_server, interface, page):
    order = interface.report("LEAVING")
    interface.say(order, "sign", "demo-company")
    sign_in(page, jiying_server, "demo-worker")
    page.goto(f"{jiying_server.url}/worker")
    expect(page.locator("main")).to_contain_text("LEAVING")
    workers = interface.ask("/workers?limit=200", "demo-operator")["items"]
    other = next(worker for worker in workers if worker["company"] != order["company"])
    interface.say(order, "assign", "demo-operator", worker=other["id"])
    expect(page.locator("main")).not_to_contain_text("LEAVING", timeout=SOON_MS)


def test_the_number_beside_the_inbox_goes_up_by_itself(jiying_server, interface, page):
    order = interface.report("BADGE")
    sign_in(page, jiying_server, "demo-company")
    page.goto(f"{jiying_server.url}/desk")
    badge = at(page, "inbox-count")
    before = int(badge.inner_text())
    later = "2099-01-01T00:00:00+08:00"
    interface.say(order, "supervise", "demo-town", text="请说明", answer_by=later)
    expect(badge).not_to_have_text(str(before), timeout=SOON_MS)
    assert re.fullmatch(r"\d+", badge.inner_text())
