"""Exports as people ask for them: what they see, masked, theirs alone, small at once and large by a job."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from jiying.exchange import exports, jobs
from jiying.exchange.models import Export
from jiying.orders import followers
from jiying.orders.tests.build import District, district, report, walk
from jiying.people.models import Audit, User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def d(transactional_db: None, settings: Any, tmp_path: Any) -> District:
    settings.HOME = tmp_path
    return district()


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def ask(client: Client, **wanted: str) -> Any:
    return client.post("/ledgers/exports", {"kind": "orders", "query": "", "format": "xlsx", **wanted})


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def table(answer: Any) -> list[dict[str, Any]]:
    rows = CalamineWorkbook.from_filelike(io.BytesIO(body(answer))).get_sheet_by_index(0).to_python()
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_a_company_takes_out_the_orders_its_desk_shows_and_no_others(d: District) -> None:
    mine = [report(d), walk(d, report(d), "sign")]
    report(d, estate=d.estate2.code)
    rows = table(ask(client_of(d.users["company"]), query="state=all"))
    assert {row["单号"] for row in rows} == {order.number for order in mine}
    assert {row["状态"] for row in rows} == {"待签收", "已签收"}
    rows = table(ask(client_of(d.users["company"]), query="state=submitted"))
    assert [row["单号"] for row in rows] == [mine[0].number]


def test_contacts_stay_masked_and_formulas_stay_text(d: District) -> None:
    report(d, name="陈阿姨", phone="13800138000", description='=HYPERLINK("x")')
    answer = ask(client_of(d.users["company"]), format="csv")
    text = body(answer).decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(text)))
    assert (row["报修人"], row["电话"]) == ("陈**", "138****8000")
    assert row["描述"].startswith("'=")
    assert "13800138000" not in text and "陈阿姨" not in text


def test_the_heads_speak_the_askers_language(d: District) -> None:
    report(d)
    client = client_of(d.users["company"])
    client.get("/desk?lang=en")
    (row,) = table(ask(client))
    assert not any("\u4e00" <= char <= "\u9fff" for head in row for char in head)


def test_every_export_is_on_the_audit_with_its_rows(d: District) -> None:
    report(d)
    ask(client_of(d.users["company"]), query="state=all")
    (row,) = Audit.objects.filter(action="export")
    assert (row.by, row.data["rows"]) == (str(d.users["company"].pk), 1)


def test_a_large_table_is_written_by_a_job_and_is_its_askers_alone(d: District, monkeypatch: Any) -> None:
    monkeypatch.setattr(exports, "AT_ONCE", 1)
    for _ in range(3):
        report(d)
    client = client_of(d.users["company"])
    page = ask(client).headers["Location"]
    # The second click is the same wish.
    assert ask(client).headers["Location"] == page
    assert "export-waiting" in client.get(page).text
    assert client.get(f"{page}/file").status_code == 410
    assert jobs.work_off() == 1
    assert "export-ready" in client.get(page).text
    assert len(table(client.get(f"{page}/file"))) == 3
    for other in ("company-2", "operator", "district"):
        assert client_of(d.users[other]).get(f"{page}/file").status_code == 404


def test_a_file_ends_with_its_day_and_with_a_change_of_reach(d: District) -> None:
    report(d)
    client = client_of(d.users["company"])
    assert ask(client).status_code == 200
    export = Export.objects.get()
    path = f"/ledgers/exports/{export.pk}/file"
    assert client.get(path).status_code == 200
    Export.objects.update(reach="another")
    assert client.get(path).status_code == 410
    Export.objects.update(reach=export.reach, expires_at=timezone.now() - timedelta(minutes=1))
    assert client.get(path).status_code == 410
    exports.tidy(timezone.now())
    assert not exports.path_of(export).exists()


def test_figures_go_out_with_their_denominators_formulas_and_pack(d: District) -> None:
    report(d)
    followers.catch_up()
    answer = ask(client_of(d.users["district"]), kind="figures", query="by=company&days=7")
    book = CalamineWorkbook.from_filelike(io.BytesIO(body(answer)))
    rows = book.get_sheet_by_index(0).to_python()
    heads = rows[0]
    mine = next(row for row in rows if row[0] == d.company.uscc)
    assert mine[heads.index("受理")] == 1
    # Nothing was rated: an empty cell, not 0 % and not 100 %.
    assert mine[heads.index("满意度")] == "" and mine[heads.index("满意度：分母")] == 0
    assert rows[-1][1] == "合计"
    notes = dict(book.get_sheet_by_index(1).to_python())
    assert "example" in notes["规则包"] and "÷" in notes["响应度"]


def test_figures_are_for_those_who_see_them_and_of_what_they_reach(d: District) -> None:
    report(d)
    report(d, estate=d.estate2.code)
    followers.catch_up()
    rows = table(ask(client_of(d.users["company"]), kind="figures", query="by=company"))
    assert {row["代码"] for row in rows} == {d.company.uscc, ""}
    assert ask(client_of(d.users["operator"]), kind="figures").status_code == 403


@pytest.mark.parametrize(("wanted", "status"), [({"kind": "nothing"}, 422), ({"format": "exe"}, 422)])
def test_what_cannot_be_exported_is_said(d: District, wanted: dict[str, str], status: int) -> None:
    answer = ask(client_of(d.users["company"]), **wanted)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
