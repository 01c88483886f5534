"""Ledgers with plain Chinese headers, by the mappings that ship."""

from __future__ import annotations

import pytest

from jiying.core.crypto import unseal
from jiying.core.mapping import MappingError, load
from jiying.estates.models import Company, Division, Estate, Worker
from jiying.exchange import actions, queries
from jiying.exchange.kinds import KINDS
from jiying.exchange.tests.tables import counts, write_csv
from jiying.orders.models import Order
from jiying.orders.tests.build import district

pytestmark = pytest.mark.django_db


def _in(tmp_path, kind, head, *rows):
    path = write_csv(tmp_path / f"{kind}.csv", head, *rows)
    return actions.apply(actions.stage(kind, path, load(f"{kind}-zh")).pk)


def test_a_district_is_built_from_its_ledgers_in_an_empty_home_and_taken_down_again(tmp_path):
    made = [
        _in(
            tmp_path, "divisions", ("区划代码", "名称"),
            ("310115", "浦东新区"), ("310115004", "潍坊新村街道"), ("310115004001", "潍坊一村居委会"),
        ),
        _in(tmp_path, "companies", ("统一社会信用代码", "企业名称"), ("91110000600037341L", "示例物业")),
        _in(tmp_path, "estates", ("小区名称", "地址", "户数", "街镇"), ("潍坊花园", "某路 1 弄", 500, "潍坊新村街道")),
        _in(
            tmp_path, "workers", ("姓名", "手机", "所属企业", "技能", "班次"),
            ("王师傅", "138 1234 5678", "示例物业", "水电、电梯", "07:30-16:30，22:00-06:00"),
        ),
        _in(
            tmp_path, "orders", ("工单编号", "报修时间", "小区", "类别", "内容", "报修人", "电话", "状态", "完工时间"),
            ("G1", "2024/3/1 9:00", "潍坊花园", "漏水", "水漏了", "李四", "13812345678", "已办结", "2024年3月1日15时"),
        ),
    ]  # fmt: skip
    assert [(imported.created, imported.rejected) for imported in made] == [(3, 0), (1, 0), (1, 0), (1, 0), (1, 0)]
    committee = Division.objects.get(code="310115004001")
    assert (committee.level, committee.parent.parent.code) == ("committee", "310115")
    worker = Worker.objects.get()
    assert worker.skills == ["electric", "lift", "water"]
    assert sorted(worker.shifts.values_list("start_min", "end_min")) == [(450, 990), (1320, 1800)]
    assert unseal(worker.phone, context=f"worker:{worker.pk}") == "+8613812345678"
    order = Order.objects.get()
    assert (order.category, order.state, order.estate, order.town.name) == (
        "leak", "closed", Estate.objects.get(), "潍坊新村街道",
    )  # fmt: skip

    for imported in reversed(made):
        assert queries.kept(actions.revert(imported.pk)) == {}
    for model in (Order, Worker, Estate, Company, Division):
        assert not model.objects.exists(), model


def test_a_worker_who_comes_again_is_the_same_and_gets_what_is_new(tmp_path):
    district()
    head = ("姓名", "手机", "所属企业", "技能", "班次")
    row = ("钱师傅", "13812345678", "示例物业一", "水工", "07:30-16:30")
    assert counts(_in(tmp_path, "workers", head, row)) == (1, 1, 0, 0, 0)
    assert counts(_in(tmp_path, "workers", head, row)) == (1, 0, 0, 1, 0)
    again = _in(tmp_path, "workers", head, ("钱师傅", "", "示例物业一", "电工", ""))
    assert counts(again) == (1, 0, 1, 0, 0)
    worker = Worker.objects.get(name="钱师傅")
    assert worker.skills == ["electric"] and worker.shifts.count() == 1
    actions.revert(again.pk)
    worker.refresh_from_db()
    assert worker.skills == ["water"]


@pytest.mark.parametrize(
    ("kind", "head", "row", "code"),
    [
        ("companies", ("统一社会信用代码", "企业名称"), ("91110000600037341X", "x"), "bad_uscc"),
        ("divisions", ("区划代码", "名称"), ("310115777001", "x"), "unknown_parent"),
        ("divisions", ("区划代码", "名称"), ("31", "x"), "required"),
        ("workers", ("姓名", "手机", "所属企业", "技能", "班次"), ("x", "12", "示例物业一"), "bad_phone"),
        ("workers", ("姓名", "手机", "所属企业", "技能", "班次"), ("x", "", "没有"), "unknown_company"),
        ("workers", ("姓名", "手机", "所属企业", "技能", "班次"), ("x", "", "示例物业一", "飞"), "unknown_skills"),
        ("workers", ("姓名", "手机", "所属企业", "技能", "班次"), ("x", "", "示例物业一", "", "早"), "bad_time"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(tmp_path, kind, head, row, code):
    district()
    assert queries.codes(_in(tmp_path, kind, head, row)) == {code: 1}


def test_a_mapping_is_clicked_together_and_says_what_it_wants(tmp_path):
    district()
    path = write_csv(tmp_path / "a.csv", ("小区编号", "小区名称", "所属街道", "户数"), ("A1", "新苑", "三林镇", "10"))
    sample = queries.sample(path)
    assert (sample.columns, sample.rows[0]["小区名称"]) == (["小区编号", "小区名称", "所属街道", "户数"], "新苑")
    suggested = queries.suggest("estates", sample.columns)
    assert suggested == {"code": "小区编号", "name": "小区名称", "households": "户数"}
    mapping = queries.clicked("estates", {"columns": {**suggested, "town": "所属街道"}})
    imported = actions.stage("estates", path, mapping)
    [shown] = queries.preview(imported)
    assert (shown.verdict, shown.values["town"]) == ("create", "310115130")
    assert actions.apply(imported.pk).created == 1
    with pytest.raises(MappingError, match="no table"):
        queries.clicked("estates", {"columns": {"code": "小区编号", "kind": {"from": "户数", "table": "kinds"}}})
    with pytest.raises(MappingError, match="缺少“小区名称”（name）"):
        actions.stage("estates", path, queries.clicked("estates", {"columns": {"code": "小区编号"}}))


def test_the_fields_of_the_docs_are_those_of_the_kinds(pytestconfig):
    page = (pytestconfig.rootpath / "docs" / "imports.md").read_text("utf-8")
    for kind, it in KINDS.items():
        line = next(line for line in page.splitlines() if line.startswith(f"| {kind} | **"))
        told = line.split("|")[2].replace("**", "").split()
        assert sorted(told) == sorted(field.name for field in it.fields), kind
        assert line.split("**")[1].split() == [field.name for field in it.fields if field.required], kind
