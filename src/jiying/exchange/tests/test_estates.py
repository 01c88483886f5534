"""Estates come in, come again, and go out."""

from __future__ import annotations

import pytest
from django.utils import timezone

from jiying.core.errors import BadInput, NotYours
from jiying.core.geo import Point, distance_m, from_gcj02
from jiying.estates.models import Contract, Estate
from jiying.estates.queries import serving_company
from jiying.exchange import actions, queries
from jiying.exchange.models import Import, Stage
from jiying.exchange.tests.tables import ESTATE_HEAD, ESTATES, brought_in, counts, mapping, write_csv
from jiying.orders.tests.build import district, report

pytestmark = pytest.mark.django_db

ROW = ("A1", "新苑", "三林镇", "长清路 1 弄", "1,200", "示例物业二", "121.5043", "31.1421")


def test_an_estate_comes_in_with_its_point_its_town_and_its_contract(tmp_path):
    d = district()
    imported = brought_in("estates", write_csv(tmp_path / "a.csv", ESTATE_HEAD, ROW), ESTATES)
    assert (imported.stage, counts(imported)) == (Stage.APPLIED, (1, 1, 0, 0, 0))
    estate = Estate.objects.get(code="A1")
    assert (estate.name, estate.households, estate.town, estate.crs) == ("新苑", 1200, d.town2, "GCJ-02")
    said = from_gcj02(121.5043, 31.1421)
    assert distance_m(Point(estate.lon, estate.lat), said) < 1
    assert distance_m(Point(estate.lon, estate.lat), Point(121.5043, 31.1421)) > 300
    assert serving_company(estate, timezone.localdate(imported.began_at)) == d.company2


def test_the_same_file_again_changes_nothing_and_a_changed_row_only_what_it_says(tmp_path):
    district()
    path = write_csv(tmp_path / "a.csv", ESTATE_HEAD, ROW)
    brought_in("estates", path, ESTATES)
    assert counts(brought_in("estates", path, ESTATES)) == (1, 0, 0, 1, 0)
    assert Contract.objects.filter(estate__code="A1").count() == 1
    write_csv(path, ESTATE_HEAD, ("A1", "新苑二期", "三林镇", "", "", "", "", ""))
    assert counts(brought_in("estates", path, ESTATES)) == (1, 0, 1, 0, 0)
    estate = Estate.objects.get(code="A1")
    assert (estate.name, estate.address, estate.households) == ("新苑二期", "长清路 1 弄", 1200)


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        (("", "新苑", "三林镇"), "code", "required"),
        (("A1", "", "三林镇"), "name", "required"),
        (("A1", "新苑", "某镇"), "town", "unknown_town"),
        (("A1", "新苑", ""), "town", "unknown_town"),
        (("A1", "新苑", "三林镇", "", "一千"), "households", "bad_number"),
        (("A1", "新苑", "三林镇", "", "", "没有的公司"), "company", "unknown_company"),
        (("A1", "新苑", "三林镇", "", "", "", "106.9", "27.7"), "lon,lat", "bad_point"),
        (("A1", "新苑", "三林镇", "", "", "", "0", "0"), "lon,lat", "bad_point"),
        (("A1", "新苑", "三林镇", "", "", "", "121.5", ""), "lon,lat", "bad_point"),
    ],
)
def test_a_row_that_cannot_be_taken_says_which_field_and_why(tmp_path, row, field, code):
    district()
    imported = actions.stage("estates", write_csv(tmp_path / "a.csv", ESTATE_HEAD, row), mapping(ESTATES))
    [shown] = queries.preview(imported)
    assert (shown.line, shown.verdict, shown.field, shown.code) == (2, "reject", field, code)
    assert shown.reason and shown.source["小区名称"] == row[1]
    assert actions.apply(imported.pk).created == 0


def test_a_row_that_stands_twice_is_taken_once(tmp_path):
    district()
    imported = brought_in("estates", write_csv(tmp_path / "a.csv", ESTATE_HEAD, ROW, ROW), ESTATES)
    assert counts(imported) == (2, 1, 0, 0, 1)
    assert queries.codes(imported) == {"duplicate": 1}


def test_a_revert_deletes_what_was_made_and_restores_what_was_changed(tmp_path):
    d = district()
    old = (d.estate.code, "改了名", "潍坊新村街道", "新地址", "700")
    imported = brought_in("estates", write_csv(tmp_path / "a.csv", ESTATE_HEAD, ROW, old), ESTATES)
    assert counts(imported) == (2, 1, 1, 0, 0)
    reverted = actions.revert(imported.pk)
    assert (reverted.stage, queries.kept(reverted)) == (Stage.REVERTED, {})
    assert not Estate.objects.filter(code="A1").exists()
    d.estate.refresh_from_db()
    assert (d.estate.name, d.estate.address, d.estate.households) == ("潍坊花园", "", 500)
    assert actions.revert(imported.pk).stage == Stage.REVERTED
    with pytest.raises(BadInput, match="已撤销"):
        actions.apply(imported.pk)


def test_what_has_been_built_on_stays_and_says_so(tmp_path):
    d = district()
    imported = brought_in("estates", write_csv(tmp_path / "a.csv", ESTATE_HEAD, ROW, ("A2", "别苑", "三林镇")), ESTATES)
    report(d, estate="A1")
    reverted = actions.revert(imported.pk)
    assert list(Estate.objects.filter(code__in=("A1", "A2")).values_list("code", flat=True)) == ["A1"]
    assert sum(queries.kept(reverted).values()) == 1


def test_what_was_changed_again_since_is_not_restored(tmp_path):
    d = district()
    path = write_csv(tmp_path / "a.csv", ESTATE_HEAD, (d.estate.code, "改了名", "潍坊新村街道"))
    imported = brought_in("estates", path, ESTATES)
    Estate.objects.filter(pk=d.estate.pk).update(name="又改了")
    assert sum(queries.kept(actions.revert(imported.pk)).values()) == 1
    d.estate.refresh_from_db()
    assert d.estate.name == "又改了"


def test_a_town_officer_imports_into_their_own_town_only(tmp_path):
    d = district()
    path = write_csv(
        tmp_path / "a.csv", ESTATE_HEAD, ROW, ("A2", "近苑", "潍坊新村街道"), (d.estate2.code, "x", "潍坊新村街道")
    )
    imported = actions.stage("estates", path, mapping(ESTATES), by=d.users["town"])
    assert queries.codes(imported) == {"not_yours": 2}
    assert [shown.key for shown in queries.preview(imported, verdict="create")] == ["A2"]
    assert imported.by == d.users["town"]


@pytest.mark.parametrize("role", ["resident", "worker", "manager", "company", "committee", "operator"])
def test_others_may_not_import(tmp_path, role):
    d = district()
    with pytest.raises(NotYours):
        actions.stage("estates", write_csv(tmp_path / "a.csv", ESTATE_HEAD, ROW), mapping(ESTATES), by=d.users[role])
    assert not Import.objects.exists()


def test_an_import_is_seen_by_the_district_and_by_the_town_whose_it_is(tmp_path):
    d = district()
    path = write_csv(tmp_path / "a.csv", ESTATE_HEAD, ("A2", "近苑", "潍坊新村街道"))
    actions.stage("estates", path, mapping(ESTATES), by=d.users["town"])
    seen = {name for name, user in d.users.items() if queries.imports(user).exists()}
    assert seen == {"town", "district", "supervisor"}
