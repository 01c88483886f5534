"""What the scripts promise, in a real browser."""

from __future__ import annotations

import pytest

pytestmark = [
    pytest.mark.needs_browser,
    pytest.mark.urls("jiying.pages.urls"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def page(browser, live_server, settings):
    settings.DEMO = True
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(f"{live_server.url}/styleguide")
    yield opened
    context.close()
    assert not complaints


def test_a_clock_counts_by_the_servers_time_and_not_by_the_phones(browser, live_server, settings):
    settings.DEMO = True
    context = browser.new_context()
    # A phone that is an hour fast.
    context.add_init_script("""
        const now = Date.now.bind(Date);
        Date.now = () => now() + 3600e3;
        Object.defineProperty(performance, "timeOrigin", { value: performance.timeOrigin + 3600e3 });
    """)
    page = context.new_page()
    page.goto(f"{live_server.url}/styleguide")
    page.evaluate("import('/static/pages/js/clock.js').then((clock) => clock.tick())")
    assert page.locator(".clock-row .clock-words").first.inner_text() == "还剩 23 分"
    context.close()


def test_a_clock_turns_from_running_to_late_in_colour_sign_and_word(page):
    page.evaluate("""import('/static/pages/js/clock.js').then((clock) => {
        clock.setServerNow(clock.serverNow() + 40 * 60e3);
        clock.tick();
    })""")
    first = page.locator(".clock-row").first
    assert "tone-late" in first.get_attribute("class")
    assert first.locator(".clock-words").inner_text().startswith("超时")
    assert first.locator(".ring-sign").get_attribute("d")


def test_what_was_typed_is_kept_when_the_network_fails_and_the_key_stays(page):
    page.keyboard.press("n")
    page.keyboard.type("jk? 水还在滴")
    form = page.locator("form[data-verb=note]:visible").first
    key = form.locator("[name=idempotency_key]").input_value()
    page.context.set_offline(True)
    form.locator("button").click()
    form.locator("[data-send-problem]").wait_for()
    assert form.locator("[name=text]").input_value() == "jk? 水还在滴"
    assert form.locator("[name=idempotency_key]").input_value() == key
    assert form.locator("button").is_enabled()


def test_a_form_pressed_twice_is_sent_once(page):
    sent: list[str] = []
    page.route("**/styleguide/sign", lambda route: sent.append(route.request.post_data or ""))
    page.evaluate("""() => {
        const button = document.querySelector('form[data-verb=sign] button');
        button.click();
        button.click();
    }""")
    page.wait_for_function("document.querySelector('form[data-verb=sign] button').disabled")
    page.evaluate("document.querySelector('form[data-verb=sign]').requestSubmit()")
    assert len(sent) == 1


def test_keys_walk_rows_and_list_themselves(page):
    for _ in range(2):
        page.keyboard.press("j")
    place = "[...document.querySelectorAll('[data-rows] [data-row]')].indexOf(document.activeElement)"
    assert page.evaluate(place) == 2
    page.keyboard.press("k")
    assert page.evaluate(place) == 1
    page.keyboard.press("?")
    assert "签收" in page.locator("#keys").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()


def test_a_lost_stream_is_said_quietly(page):
    strip = page.locator("[data-live-strip]")
    assert not strip.is_visible()
    page.evaluate("import('/static/pages/js/live.js').then((live) => live.connect('/no-stream'))")
    strip.wait_for()
    assert "正在重新连接" in strip.inner_text()


@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("query", ["", "?lang=en", "?type=large", "?lang=en&type=large"])
def test_nothing_is_wider_than_the_screen(page, width, query):
    page.set_viewport_size({"width": width, "height": 900})
    for address in ("/styleguide", "/", "/sign-in"):
        page.goto(_at(page, address + query))
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_targets_are_large_in_large_type(page):
    page.goto(_at(page, "/styleguide?type=large"))
    small = page.evaluate("""() => [...document.querySelectorAll('a.tool, button, summary, .input, .chip, .choice')]
        .filter((one) => one.getClientRects().length && one.getBoundingClientRect().height < 56)
        .map((one) => one.className)""")
    assert small == []


def _at(page, address: str) -> str:
    """`address` at the server of the open page."""
    scheme, _, rest = page.url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}{address}"
