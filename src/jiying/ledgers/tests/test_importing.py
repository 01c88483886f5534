"""A ledger on its way in by the page: uploaded, mapped by clicking, looked at, written, taken back."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_tasks_db.models import DBTaskResult

from jiying.exchange import jobs
from jiying.exchange.models import Import
from jiying.orders.models import Order
from jiying.orders.tests.build import District, district
from jiying.people.models import User

pytestmark = pytest.mark.django_db(transaction=True)

HEADS = ["单号", "报修时间", "类别", "报修内容", "小区名称", "楼栋备注"]


@pytest.fixture
def d(transactional_db: None, settings: Any, tmp_path: Any) -> District:
    settings.HOME = tmp_path
    return district()


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def ledger(d: District) -> bytes:
    """Dates as dates and as text, a time that is none, an estate that is none."""
    book = openpyxl.Workbook()
    page = book.active
    page.append(HEADS)
    page.append(["A-1", datetime(2026, 3, 1, 8, 30), "漏水", "厨房漏水", d.estate.name, ""])  # noqa: DTZ001
    page.append(["A-2", "2026/3/1 9:05", "漏水", "卫生间漏水", d.estate.name, ""])
    page.append(["A-3", "上周三", "漏水", "客厅漏水", d.estate.name, ""])
    page.append(["A-4", "2026-03-02 10:00", "漏水", "阳台漏水", "没有的小区", ""])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def send(client: Client, content: bytes, name: str = "报修台账.xlsx", **more: str) -> Any:
    return client.post("/ledgers/import", {"kind": "orders", "file": SimpleUploadedFile(name, content), **more})


def token_of(answer: Any) -> str:
    return str(answer.text.split('name="token" value="')[1].split('"')[0])


def judged(client: Client, d: District) -> str:
    """The address of the ledger's import, its columns as they are guessed."""
    answer = send(client, ledger(d))
    assert answer.status_code == 200
    columns = {"external_id": "单号", "reported_at": "报修时间", "category": "类别", "description": "报修内容"}
    chosen = {f"col_{ours}": theirs for ours, theirs in {**columns, "estate": "小区名称"}.items()}
    answer = client.post("/ledgers/import/mapping", {"token": token_of(answer), "step": "judge", **chosen})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def test_a_ledger_is_mapped_judged_written_and_taken_back(d: District) -> None:
    client = client_of(d.users["district"])
    page = judged(client, d)
    text = client.get(page).text
    assert "import-staged" in text and not Order.objects.exists()
    assert '"count-created">2<' in text and '"count-rejected">2<' in text
    assert text.count('data-test="reject"') == 2
    for _click in range(2):
        assert client.post(f"{page}/apply").status_code == 302
    assert "data-moving" in client.get(page).text
    assert jobs.work_off() == 1
    assert "import-applied" in client.get(page).text
    assert set(Order.objects.values_list("external_id", flat=True)) == {"A-1", "A-2"}
    lines = client.get(f"{page}/rejects.csv").content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("row,field,value,code,reason,单号")
    assert [line.split(",")[0] for line in lines[1:]] == ["4", "5"]
    assert client.post(f"{page}/revert").status_code == 422
    assert client.post(f"{page}/revert", {"sure": "1"}).status_code == 302
    jobs.work_off()
    assert "import-reverted" in client.get(page).text
    assert not Order.objects.exists()


def test_the_heads_of_a_ledger_say_which_column_is_what(d: District) -> None:
    text = send(client_of(d.users["district"]), ledger(d)).text
    for ours, theirs in (("external_id", "单号"), ("reported_at", "报修时间"), ("category", "类别")):
        field = text.split(f'name="col_{ours}"')[1].split("</select>")[0]
        assert f'value="{theirs}" selected' in field


def test_what_the_mapping_leaves_out_is_said_and_the_choice_is_kept(d: District) -> None:
    client = client_of(d.users["district"])
    token = token_of(send(client, ledger(d)))
    answer = client.post(
        "/ledgers/import/mapping", {"token": token, "step": "judge", "col_external_id": "单号", "all_category": "leak"}
    )
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text and 'value="leak"' in answer.text
    assert not Import.objects.exists()


def test_a_file_is_taken_once_and_by_who_sent_it(d: District) -> None:
    client = client_of(d.users["district"])
    token = token_of(send(client, ledger(d)))
    other = client_of(d.users["town"]).post("/ledgers/import/mapping", {"token": token, "step": "judge"})
    assert other.status_code == 422
    assert client.post("/ledgers/import/mapping", {"token": token + "x", "step": "judge"}).status_code == 422


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.exe", b"MZ", "请选 Excel"),
        ("a.csv", b"\x90\xff\xff", "编码不是"),
        ("a.xlsx", b"PK\x03\x04 broken", "工作簿"),
        ("a.csv", b"", "没有表头"),
        ("a.csv", b'a,b\n"never closes,1\n', "第 2 行有一个引号"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_a_sentence(d: District, name: str, content: bytes, said: str) -> None:
    answer = send(client_of(d.users["district"]), content, name)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text and said in answer.text


def test_a_mapping_that_ships_needs_no_clicks_and_may_not_fit(d: District) -> None:
    answer = send(client_of(d.users["district"]), ledger(d), map="messages")
    assert answer.status_code == 422
    assert "表里没有" in answer.text and "has no column" not in answer.text


def test_imports_are_for_those_who_answer_for_a_place_and_a_town_sees_its_own(d: District) -> None:
    page = judged(client_of(d.users["district"]), d)
    assert client_of(d.users["town"]).get(page).status_code == 404
    assert client_of(d.users["town-2"]).post(f"{page}/apply").status_code == 404
    for who in ("company", "committee", "worker", "operator"):
        assert client_of(d.users[who]).get("/ledgers/import").status_code == 403
        assert client_of(d.users[who]).post(f"{page}/apply").status_code == 403


def test_one_that_was_discarded_can_no_longer_be_written(d: District) -> None:
    client = client_of(d.users["district"])
    page = judged(client, d)
    assert client.post(f"{page}/discard").status_code == 302
    assert client.post(f"{page}/apply").status_code == 422
    assert jobs.work_off() == 0 and not Order.objects.exists()


def test_a_job_that_was_lost_can_be_gone_on_with(d: District) -> None:
    client = client_of(d.users["district"])
    page = judged(client, d)
    client.post(f"{page}/apply")
    DBTaskResult.objects.all().delete()
    assert f'action="{page}/apply"' in client.get(page).text
    client.post(f"{page}/apply")
    assert jobs.work_off() == 1
    assert Order.objects.count() == 2
