"""A whole call in a real browser, by keyboard alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jiying.core.text import initials

pytestmark = pytest.mark.needs_browser

MOST_KEYS = 5
"""Keys of a call besides the words themselves; at two a second that leaves the twenty seconds to the words."""

COUNT = """
window.pressed = [];
document.addEventListener("keydown", (event) => {
  if (!["Control", "Shift", "Alt", "Meta"].includes(event.key)) window.pressed.push(event.key);
}, true);
"""


@pytest.fixture
def form(jiying_server: Any, browser: Any) -> Any:
    """The form as an operator opens it, with a count of the keys pressed; no mouse is used."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN", base_url=jiying_server.url)
    page = context.new_page()
    page.goto(f"{jiying_server.url}/sign-in")
    page.locator('[data-test="demo-operator"]').click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.add_init_script(COUNT)
    page.goto(f"{jiying_server.url}/centre/intake")
    yield page
    context.close()


def place_of(page: Any) -> tuple[str, str]:
    """Code and name of an estate, as the form finds them."""
    html = page.request.get("/centre/intake/places?q=村").text()
    found = re.search(r'value="([^"]+)" data-name="([^"]+)"', html)
    assert found is not None
    return found[1], found[2]


def focus(page: Any) -> str:
    name: str = page.evaluate("document.activeElement.name || document.activeElement.dataset.test || ''")
    return name


def value(page: Any, name: str) -> str:
    found: str = page.locator(f"[name={name}]").input_value()
    return found


def call(page: Any, phone: str, place: str, said: str) -> int:
    """Type a call up to its words; returns the keys that were words."""
    assert focus(page) == "phone"
    page.keyboard.type(phone)
    page.keyboard.press("Enter")
    assert focus(page) == "name"
    page.keyboard.press("Enter")
    assert focus(page) == "q"
    page.keyboard.type(place)
    page.keyboard.press("Enter")
    page.locator("[name=description]:focus").wait_for()
    page.keyboard.type(said)
    return len(phone) + len(place)


def test_a_call_is_an_order_with_few_keys_and_no_mouse(form):
    name = place_of(form)[1]
    typed = call(form, "13812345678", f"{initials(name)} 1 502", "厨房水管漏水")
    assert (value(form, "building"), value(form, "unit")) == ("1号楼", "502")
    form.locator('[data-suggestion][data-category="leak"]').wait_for()
    assert value(form, "category") == "", "nothing is chosen by itself"
    form.keyboard.press("F2")
    assert value(form, "category") == "leak"
    assert focus(form) == "description", "taking a suggestion moves nobody"
    pressed = form.evaluate("window.pressed")
    form.keyboard.press("Control+Enter")
    form.wait_for_url(re.compile("/centre/intake/[0-9a-f-]{36}$"))
    # Chinese characters reach the page without keys of their own here; the last two are Ctrl+Enter's.
    assert len(pressed) - typed + 1 <= MOST_KEYS, pressed
    assert form.locator("h1").inner_text().count("-") == 1


def test_the_second_call_about_the_same_matter_urges_it_by_keyboard(form):
    name = place_of(form)[1]
    for _call in range(2):
        call(form, "13812340000", f"{initials(name)} 2 301", "卫生间漏水")
        form.locator('[data-suggestion][data-category="leak"]').wait_for()
        if not _call:
            form.keyboard.press("F2")
            form.keyboard.press("Control+Enter")
            form.wait_for_url(re.compile("/centre/intake/[0-9a-f-]{36}$"))
            number = form.locator("h1").inner_text()
            form.keyboard.press("n")
            form.wait_for_url(re.compile("/centre/intake$"))
    form.locator("[data-join]").first.wait_for()
    form.keyboard.press("F8")
    assert focus(form) == "join"
    form.keyboard.press("Enter")
    form.wait_for_url(re.compile("/joined$"))
    assert form.locator('[data-test="joined-number"]').inner_text() == number


def test_the_callers_last_place_is_one_key(form):
    code, name = place_of(form)
    call(form, "13812349999", f"{initials(name)} 3 401", "电梯按钮不亮")
    form.locator('[data-suggestion][data-category="lift"]').wait_for()
    form.keyboard.press("F2")
    form.keyboard.press("Control+Enter")
    form.wait_for_url(re.compile("/centre/intake/[0-9a-f-]{36}$"))
    form.keyboard.press("n")
    form.wait_for_url(re.compile("/centre/intake$"))
    form.keyboard.type("13812349999")
    form.locator("[data-before]").wait_for()
    form.keyboard.press("F4")
    form.locator("[name=description]:focus").wait_for()
    assert (value(form, "q"), value(form, "building"), value(form, "unit")) == (name, "3号楼", "401")
    assert form.locator("[name=estate]:checked").get_attribute("value") == code


def test_keys_of_an_input_method_are_not_ours(form):
    form.locator("[name=q]").focus()
    compose = """(key) => document.activeElement.dispatchEvent(
        new KeyboardEvent("keydown", {key, isComposing: true, bubbles: true, cancelable: true}))"""
    assert form.evaluate(f"({compose})('Enter')"), "the input method's Enter is left alone"
    assert form.evaluate(f"({compose})('F2')")
    assert focus(form) == "q"


def test_no_field_moves_while_somebody_types(form):
    name = place_of(form)[1]
    tops = """[...document.querySelectorAll("[data-intake] :is(textarea, select, [data-test=intake-submit])")]
        .map((one) => one.getBoundingClientRect().top)"""
    before = form.evaluate(tops)
    form.locator("[name=q]").focus()
    form.keyboard.type(initials(name)[:2])
    form.locator("[data-found] li").first.wait_for()
    assert form.evaluate(tops) == before, "the list of places lies over the fields"
    form.keyboard.type(f"{initials(name)[2:]} 1 502")
    form.keyboard.press("Enter")
    form.locator("[name=description]:focus").wait_for()
    assert form.evaluate(tops) == before, "the chosen place has its line"
    form.keyboard.type("厨房水管漏水")
    form.locator("[data-suggestion]").wait_for()
    assert form.evaluate(tops) == before, "the suggestion has its line"


def test_no_telephone_number_stands_in_an_address(form):
    asked: list[str] = []
    form.on("request", lambda request: asked.append(request.url))
    name = place_of(form)[1]
    call(form, "13812345678", f"{initials(name)} 1 502", "漏水")
    form.locator("[data-suggestion]").wait_for()
    assert len(asked) > 1
    assert not [url for url in asked if "1381234" in url]
