"""The residents' pages in a real browser, with and without scripts."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs_browser


def new_page(browser, server, **how):
    page = browser.new_context(viewport={"width": 390, "height": 844}, **how).new_page()
    page.goto(f"{server.url}/report")
    return page


def choose_an_estate(page):
    page.locator("[data-find]").fill("村")
    page.locator(".found-place").first.click()
    page.locator(".chosen").wait_for()


def test_the_whole_report_works_without_a_script(jiying_server, browser):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{jiying_server.url}/report")
    page.locator("[data-find]").fill("村")
    page.locator("[data-find-button]").click()
    page.locator(".found-place").first.click()
    page.locator(".choice", has_text="电梯").click()
    assert page.locator("#safety-lift").is_visible(), "what to do for life and limb needs no script"
    page.locator("#f-phone").fill("13812345678")
    page.locator("#f-phone").press("Enter")
    assert "/t/" in page.url
    assert page.locator("[data-test=arrival-code]").inner_text().strip().isdigit()


def test_places_appear_while_typing_and_a_sign_proposes_its_urgency(jiying_server, browser):
    page = new_page(browser, jiying_server)
    page.locator("#f-unit").fill("502 室")
    page.locator("[data-find]").press_sequentially("村")
    page.locator(".found-place").first.click()
    page.locator(".chosen").wait_for()
    assert page.locator("#f-unit").input_value() == "502 室"
    page.locator(".choice", has_text="漏水").click()
    assert page.locator("[name=urgency]:checked").get_attribute("value") == "emergency"
    page.locator(".choice", has_text="不急").click()
    page.locator(".choice", has_text="停电").click()
    assert page.locator("[name=urgency]:checked").get_attribute("value") == "ordinary", "what was chosen stays"


def test_what_is_wrong_gets_the_focus_and_what_was_typed_stays(jiying_server, browser):
    page = new_page(browser, jiying_server)
    choose_an_estate(page)
    page.locator(".choice", has_text="门禁").click()
    page.locator("#f-description").fill("刷不开")
    page.locator("#f-phone").fill("12")
    page.locator("[data-test=report-submit]").click()
    page.locator("[data-summary]").wait_for()
    assert page.evaluate("document.activeElement.id") == "f-phone"
    assert page.locator("#f-description").input_value() == "刷不开"


def reported(browser, server):
    """A page of an order just reported."""
    page = new_page(browser, server)
    choose_an_estate(page)
    page.locator(".choice", has_text="门禁").click()
    page.locator("[data-test=report-submit]").click()
    page.wait_for_url("**/t/**")
    return page


def test_an_open_page_follows_what_happens_elsewhere(jiying_server, browser):
    page = reported(browser, jiying_server)
    other = browser.new_context().new_page()
    other.goto(page.url.partition("?")[0])
    other.locator("[data-test=action-urge]").click()
    other.locator("[data-test=send-urge]").click()
    page.locator(".timeline", has_text="催办").wait_for()


def test_nothing_is_replaced_while_one_is_writing(jiying_server, browser):
    page = reported(browser, jiying_server)
    page.clock.install()
    page.reload()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/t/" in request.url else None)
    page.locator("[data-test=action-note]").click()
    page.locator("[name=text]:visible").fill("门岗有钥匙")
    page.evaluate("document.dispatchEvent(new CustomEvent('jiying:order'))")
    page.clock.run_for(2000)
    assert page.locator("[name=text]:visible").input_value() == "门岗有钥匙"
    assert asked == []
    page.locator("[data-test=send-note]").click()
    page.locator(".timeline", has_text="门岗有钥匙").wait_for()
