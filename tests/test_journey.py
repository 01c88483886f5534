"""One order from the first word to the last, in real browser windows that are open side by side.

A resident reports; the company's desk sees it come without reloading, signs and sends; the worker takes it
to the spot; the code on the resident's page proves it; the resident says it is not solved, and then that it
is; the centre closes; the district's figures count it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import expect
from python_calamine import CalamineWorkbook
from tests.served import Served

pytestmark = [pytest.mark.needs_browser, pytest.mark.filterwarnings("ignore")]

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
SOON_MS = 15_000


@pytest.fixture
def window(jiying_server: Served, browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a window of its own (its own cookies), signed in as a demo user or nobody."""
    contexts = []

    def opened(user: str = "", *, viewport: dict[str, int] = DESK) -> Any:
        context = browser.new_context(viewport=viewport, locale="zh-CN", timezone_id="Asia/Shanghai")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SOON_MS)
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.problems = problems
        if user:
            page.goto(f"{jiying_server.url}/sign-in")
            page.locator(f'[data-test="{user}"]').click()
            page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    yield opened
    for context in contexts:
        context.close()


def at(page: Any, name: str) -> Any:
    """The element that carries `data-test=name`."""
    return page.locator(f'[data-test="{name}"]')


def say(page: Any, verb: str, **fields: str) -> None:
    """Press a verb's button where it stands: at once, behind "more", or after its form is filled."""
    button, form = at(page, f"action-{verb}").first, page.locator(f'form:has([data-test="send-{verb}"])').first
    button.wait_for(state="attached")
    if not button.is_visible():
        page.locator("details:has(> summary)", has=button).first.locator("> summary").first.click()
    boxes = {name: form.locator(f'[name="{name}"]').first for name in fields}
    if not boxes or not all(box.is_visible() for box in boxes.values()):
        button.click()
    for name, box in boxes.items():
        box.fill(fields[name])
    send = at(page, f"send-{verb}").first
    if boxes or (send.count() and send.is_visible()):
        send.click()


def estate_of(served: Served, username: str) -> tuple[str, str]:
    """Code and name of an estate that a demo user's company serves."""
    with sqlite3.connect(served.home / "jiying.sqlite3") as database:
        row = database.execute(
            """select e.code, e.name from estates_estate e
               join estates_contract c on c.estate_id = e.id and c.valid_to is null
               join estates_company k on k.id = c.company_id
               join people_membership m on m.organisation_id = k.organisation_id
               join people_user u on u.id = m.user_id where u.username = ? and m.role = 'company' limit 1""",
            [username],
        ).fetchone()
    assert row is not None
    return row


def test_an_order_goes_from_the_first_word_to_the_last(jiying_server, window):
    code, name = estate_of(jiying_server, "demo-company")
    desk = window("demo-company")
    desk.goto(f"{jiying_server.url}/desk")
    wall = window("demo-operator")
    wall.goto(f"{jiying_server.url}/centre")

    # A resident reports, without an account.
    resident = window(viewport=PHONE)
    resident.goto(f"{jiying_server.url}/report?estate={code}")
    resident.locator('input[name="category"][value="leak"]').check(force=True)
    resident.locator('[name="description"]').fill("厨房水管爆了 <b>快</b> 🙏 JOURNEY")
    resident.locator('[name="phone"]').fill("138 1234 5678")
    at(resident, "report-submit").click()
    resident.wait_for_url(re.compile("/t/"))
    expect(at(resident, "countdown").first).to_contain_text(re.compile("还剩 (29|30) 分"))
    arrival = at(resident, "arrival-code").first.inner_text().replace(" ", "")
    assert re.fullmatch(r"\d{4}", arrival)
    link = resident.url.split("?")[0]

    # The desk and the wall see it come, without reloading.
    desk.get_by_text("有新的工单").first.click(timeout=SOON_MS)
    expect(desk.locator("body")).to_contain_text("JOURNEY", timeout=SOON_MS)
    expect(wall.locator("body")).to_contain_text(name, timeout=SOON_MS)

    # The company signs and sends its worker.
    desk.goto(f"{jiying_server.url}/desk?q=JOURNEY")
    at(desk, "order-row").first.click()
    desk.wait_for_url(re.compile("orders/|order="))
    order = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", desk.url)
    assert order is not None
    desk.goto(f"{jiying_server.url}/desk/orders/{order[0]}")
    say(desk, "sign")
    expect(desk.locator("body")).to_contain_text("已签收")
    expect(resident.locator("body")).to_contain_text("已签收", timeout=SOON_MS)

    # The worker takes it, goes, and proves to be there with the resident's code.
    worker = window("demo-worker", viewport=PHONE)
    worker.goto(f"{jiying_server.url}/worker/orders/{order[0]}")
    say(worker, "take")
    expect(at(worker, "action-depart").first).to_be_visible()
    say(worker, "depart")
    expect(at(worker, "action-arrive").first).to_be_visible()
    wrong = f"{(int(arrival) + 1) % 10_000:04}"
    say(worker, "arrive", code=wrong)
    expect(worker.locator("body")).to_contain_text("到场码不对")
    assert at(worker, "arrival-code").count() == 0
    say(worker, "arrive", code=arrival)
    expect(worker.locator("body")).to_contain_text("已到场")
    say(worker, "done", note="换了角阀")
    expect(worker.locator("body")).to_contain_text(re.compile("已完工|完工"), timeout=SOON_MS)
    expect(at(worker, "action-done")).to_have_count(0)

    # Not solved: it comes back and counts; then it is.
    resident.goto(link)
    say_resident(resident, "reopen", last4="5678", reason="还在滴")
    worker.goto(f"{jiying_server.url}/worker/orders/{order[0]}")
    say(worker, "arrive", code=at(resident, "arrival-code").first.inner_text().replace(" ", ""))
    expect(worker.locator("body")).to_contain_text("已到场")
    say(worker, "done", note="重新缠了生料带")
    expect(worker.locator("body")).to_contain_text(re.compile("已完工|完工"), timeout=SOON_MS)
    expect(at(worker, "action-done")).to_have_count(0)
    resident.goto(link)
    say_resident(resident, "confirm", last4="5678")
    expect(at(resident, "action-rate").first).to_be_visible()

    # The company cannot close what it repaired; the centre does.
    desk.goto(f"{jiying_server.url}/desk/orders/{order[0]}")
    assert at(desk, "action-close").count() == at(desk, "action-verify").count() == 0
    operator = window("demo-operator")
    operator.goto(f"{jiying_server.url}/desk/orders/{order[0]}")
    say(operator, "close")
    expect(operator.locator("body")).to_contain_text("已结案")

    # The district's figures are there, each with its formula.
    district = window("demo-district")
    district.goto(f"{jiying_server.url}/district")
    for figure in ("satisfaction", "responsiveness", "complaints", "arrived_30", "contacted_30"):
        expect(at(district, f"figure-{figure}").first).to_be_visible()

    done = jiying_server.run("verify-chain", order[0], "--json")
    assert done.returncode == 0, done.stdout
    for page in (resident, desk, wall, worker, operator, district):
        assert page.problems == []


def say_resident(page: Any, verb: str, **fields: str) -> None:
    """A delicate verb on the tracking page."""
    form = page.locator(f'form[action$="/{verb}"]').first
    if not form.is_visible():
        at(page, f"action-{verb}").first.click()
    for name, value in fields.items():
        box = form.locator(f'[name="{name}"]')
        if box.count():
            box.first.fill(value)
    form.locator("button").last.click()
    expect(form).to_have_count(0, timeout=SOON_MS)


def test_a_link_that_is_passed_on_shows_the_progress_only(jiying_server, window):
    code, _name = estate_of(jiying_server, "demo-company")
    resident = window(viewport=PHONE)
    resident.goto(f"{jiying_server.url}/report?estate={code}")
    resident.locator('[name="description"]').fill("私事 SECRET")
    resident.locator('[name="phone"]').fill("13812345678")
    at(resident, "report-submit").click()
    resident.wait_for_url(re.compile("/t/"))
    stranger = window(viewport=PHONE)
    stranger.goto(resident.url.split("?")[0])
    assert at(stranger, "arrival-code").count() == 0
    assert "SECRET" not in stranger.content()
    assert "13812345678" not in stranger.content()


def test_a_ledger_is_mapped_looked_at_written_and_taken_out_again(jiying_server, window, tmp_path):
    """The district's office brings in a ledger from Excel by clicking; the desk shows it, and an export holds it."""
    _code, estate = estate_of(jiying_server, "demo-company")
    book = openpyxl.Workbook()
    book.active.append(["工单编号", "登记日期", "项目", "情况说明", "哪个小区", "备注"])
    told = "=厨房漏水，台账第一行"
    rows = [
        ["台账-1", datetime.fromisoformat("2026-03-01T08:30:00"), "漏水", told, estate],
        ["台账-2", "2026/3/1 9:05", "停电", "楼道没电", estate],
        ["台账-3", "上周三", "漏水", "客厅漏水", estate],
        ["台账-4", "2026-03-02 10:00", "漏水", "阳台漏水", "没有的小区"],
    ]
    for row in rows:
        book.active.append(row)
    # A formula would have no value: it is text that looks like one.
    book.active["D2"].data_type = "s"
    book.save(tmp_path / "维修台账.xlsx")

    office = window("demo-district")
    office.goto(f"{jiying_server.url}/ledgers")
    at(office, "import").click()
    office.locator("input[type=file]").set_input_files(tmp_path / "维修台账.xlsx")
    at(office, "import-form").locator("button").click()
    mapped = {"external_id": "工单编号", "reported_at": "登记日期", "category": "项目", "description": "情况说明"}
    for ours, theirs in {**mapped, "estate": "哪个小区"}.items():
        office.locator(f'[name="col_{ours}"]').select_option(theirs)
    at(office, "judge").click()
    expect(at(office, "count-created")).to_have_text("2")
    expect(at(office, "count-rejected")).to_have_text("2")
    expect(at(office, "reject")).to_have_count(2)
    at(office, "apply").click()
    at(office, "import-applied").wait_for()
    with office.expect_download() as rejected:
        at(office, "rejects").click()
    lines = rejected.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["4", "5"]

    # The company's desk has both, and takes them out as they are shown.
    desk = window("demo-company")
    desk.goto(f"{jiying_server.url}/desk?state=all&q=台账第一行")
    expect(at(desk, "order-row")).to_have_count(1, timeout=SOON_MS)
    at(desk, "export").locator("summary").click()
    with desk.expect_download() as taken:
        at(desk, "export-xlsx").click()
    heads, *found = CalamineWorkbook.from_path(str(taken.value.path())).get_sheet_by_index(0).to_python()
    assert [row[heads.index("描述")] for row in found] == [f"'{told}"]
    assert found[0][heads.index("报修时间")].isoformat() == "2026-03-01T08:30:00"
    assert office.problems == [] and desk.problems == []
