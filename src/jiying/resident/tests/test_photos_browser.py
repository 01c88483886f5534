"""A photo that breaks off half-way, in a real browser: the report is safe, the photo comes again and is there once."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from jiying.core.tests import snaps
from jiying.resident.tests.test_browser import choose_an_estate, new_page

pytestmark = pytest.mark.needs_browser
PHOTOS = "**/t/*/photos"


def files(*sizes: tuple[int, int]) -> list[dict]:
    noted = {"taken": "2026:11:25 14:03:00", "lon": 121.5205, "lat": 31.222}
    return [
        {"name": f"IMG_{n}.jpg", "mimeType": "image/jpeg", "buffer": snaps.jpeg(*size, turned=6, **noted)}
        for n, size in enumerate(sizes)
    ]


def fill(page, *sizes: tuple[int, int]) -> None:
    choose_an_estate(page)
    page.locator(".choice", has_text="漏水").click()
    page.locator("#f-phone").fill("13812345678")
    page.locator("[data-test=photo-report]").set_input_files(files(*sizes))
    page.locator(f"[data-test=photo-sending] >> nth={len(sizes) - 1}").wait_for()


def kept(server, number: str) -> list[tuple]:
    """The photos of an order: width, height, whether time and distance were noted."""
    with sqlite3.connect(server.home / "jiying.sqlite3") as db:
        return db.execute(
            "SELECT a.width, a.height, a.taken_at IS NOT NULL, a.distance_m IS NOT NULL FROM orders_attachment a"
            " JOIN orders_order o ON o.id = a.order_id WHERE o.number = ? ORDER BY a.id",
            (number,),
        ).fetchall()


def number_on(page) -> str:
    return page.locator(".received strong").inner_text()


def test_a_photo_is_made_smaller_on_the_phone_and_keeps_what_the_camera_noted(jiying_server, browser):
    page = new_page(browser, jiying_server)
    sent: list[int] = []
    page.on(
        "request", lambda one: sent.append(int(one.headers.get("content-length", 0))) if "/photos" in one.url else None
    )
    fill(page, (4000, 3000))
    page.locator("[data-test=report-submit]").click()
    page.wait_for_url("**/t/**")
    page.locator("[data-test=photo]").wait_for()
    # The browser turned it upright and halved it; time and position came along all the same.
    assert kept(jiying_server, number_on(page)) == [(1536, 2048, 1, 1)]


def test_an_upload_that_breaks_off_is_tried_again_by_itself_and_arrives_once(jiying_server, browser):
    page = new_page(browser, jiying_server)
    broken: list[str] = []

    def once(route) -> None:
        if not broken:
            broken.append(route.request.headers["idempotency-key"])
            # The server has it, but its answer never reaches the phone: the worst of the moments to break off at.
            route.fetch()
            route.abort("connectionreset")
        else:
            assert route.request.headers["idempotency-key"] == broken[0]
            route.continue_()

    page.route(PHOTOS, once)
    fill(page, (800, 600))
    page.locator("[data-test=report-submit]").click()
    page.wait_for_url("**/t/**")
    number = number_on(page)
    said = page.locator("[data-test=photo-sending]", has_text="没有传上去")
    said.wait_for()
    assert f"报修已收到，编号 {number}" in said.inner_text()
    assert page.locator("[data-test=photo-retry]").is_visible()
    page.locator("[data-test=photo]").wait_for()
    assert len(kept(jiying_server, number)) == 1


def test_a_photo_outlives_the_page_it_was_chosen_on(jiying_server, browser):
    page = new_page(browser, jiying_server)
    page.route(PHOTOS, lambda route: route.abort("internetdisconnected"))
    fill(page, (800, 600))
    page.locator("[data-test=report-submit]").click()
    page.wait_for_url("**/t/**")
    page.locator("[data-test=photo-retry]").wait_for()
    number, address = number_on(page), page.url
    page.close()
    assert kept(jiying_server, number) == []
    later = page.context.new_page()
    later.goto(address)
    later.locator("[data-test=photo]").wait_for()
    assert len(kept(jiying_server, number)) == 1


def test_the_button_sends_at_once(jiying_server, browser):
    page = new_page(browser, jiying_server)
    page.clock.install()
    page.route(PHOTOS, lambda route: route.abort("internetdisconnected"))
    fill(page, (800, 600))
    # From here the page's clock stands still: nothing is tried again by itself.
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    page.locator("[data-test=report-submit]").click()
    page.wait_for_url("**/t/**")
    retry = page.locator("[data-test=photo-retry]")
    retry.wait_for()
    page.unroute(PHOTOS)
    retry.click()
    page.locator(".photo-item[data-is=sent], [data-test=photo]").first.wait_for()
    assert len(kept(jiying_server, number_on(page))) == 1


def test_a_file_that_is_no_photo_says_so_and_holds_up_nothing(jiying_server, browser):
    page = new_page(browser, jiying_server)
    choose_an_estate(page)
    page.locator(".choice", has_text="漏水").click()
    wrong = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": b"MZ\x90\x00 not a photo"}
    page.locator("[data-test=photo-report]").set_input_files([wrong])
    page.locator("[data-test=photo-sending]").wait_for()
    page.locator("[data-test=report-submit]").click()
    page.wait_for_url("**/t/**")
    page.locator("[data-test=photo-sending]", has_text="没有收下").wait_for()
    assert kept(jiying_server, number_on(page)) == []


def test_photos_survive_a_form_that_was_refused(jiying_server, browser):
    page = new_page(browser, jiying_server)
    fill(page, (800, 600))
    page.locator("#f-phone").fill("12")
    page.locator("[data-test=report-submit]").click()
    page.locator("[data-summary]").wait_for()
    assert page.locator("[data-test=photo-sending]").count() == 1
    page.locator("#f-phone").fill("13812345678")
    page.locator("[data-test=report-submit]").click()
    page.wait_for_url("**/t/**")
    page.locator("[data-test=photo]").wait_for()
    assert len(kept(jiying_server, number_on(page))) == 1
