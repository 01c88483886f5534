"""`GET /orders/{id}/suggestions`: who could be sent, told to those who assign."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from jiying.dispatch.keeping import Keeper
from jiying.dispatch.tests.town import station
from jiying.orders.tests.build import District, report, walk


def test_the_best_comes_first_with_numbers_and_a_sentence(d: District, as_: Any) -> None:
    order = walk(d, report(d), "sign")
    said = as_("company").get(f"/orders/{order.pk}/suggestions").json()
    assert (said["engine"], said["mode"], said["left_out"]) == ("nearest-1", "suggest", {})
    first = said["items"][0]
    assert first["worker"] == {"id": str(d.worker.pk), "name": "王师傅"}
    assert first["company"] == {"code": d.company.uscc, "name": d.company.name}
    assert {name: first[name] for name in ("rank", "tier", "home", "load", "metres", "minutes")} == {
        "rank": 1, "tier": "team", "home": True, "load": 0, "metres": 0, "minutes": 2,
    }  # fmt: skip
    assert first["why"].startswith("0.0 公里，约 2 分钟")


def test_a_company_is_told_of_its_own_people_and_the_centre_of_all_tiers(d: District, as_: Any) -> None:
    _company, other = station(d)
    order = walk(d, report(d), "sign")
    ours = as_("manager").get(f"/orders/{order.pk}/suggestions").json()["items"]
    assert {row["tier"] for row in ours} == {"team"}
    everybody = as_("operator").get(f"/orders/{order.pk}/suggestions").json()["items"]
    assert [row["tier"] for row in everybody] == ["team", "team", "station"]
    assert everybody[-1]["worker"]["id"] == str(other.pk)


@pytest.mark.parametrize(
    ("role", "status"),
    [("worker", 403), ("town", 403), ("committee", 403), ("district", 403), ("company-2", 404), ("operator-2", 404)],
)
def test_others_are_not_told(d: District, as_: Any, role: str, status: int) -> None:
    order = walk(d, report(d), "sign", "assign")
    assert as_(role).get(f"/orders/{order.pk}/suggestions").status_code == status


def test_advice_cannot_be_forged(d: District, as_: Any) -> None:
    order = walk(d, report(d), "sign")
    forged = {"worker": str(d.mate.pk), "advice": {"rank": 1, "overrules": False}, "instead_of": "x"}
    assert as_("company").act(order, "assign", forged).status_code == 200
    events = as_("company").get(f"/orders/{order.pk}").json()["events"]
    data = next(event["data"] for event in events if event["verb"] == "assign")
    assert data["advice"]["rank"] == 2
    assert data["advice"]["overrules"] is True
    assert "instead_of" not in data


def test_whoever_watches_over_a_district_reads_whether_a_surge_runs(d: District, as_: Any) -> None:
    (quiet,) = as_("operator").get("/surge").json()["items"]
    assert (quiet["district"], quiet["running"], quiet["load"], quiet["recall"]) == (d.division.code, False, None, None)
    for _ in range(4):
        report(d)
    Keeper().keep(timezone.now())
    for role in ("operator", "supervisor", "district"):
        (told,) = as_(role).get("/surge").json()["items"]
        assert told["running"] is True and told["by_hand"] is None
        assert told["on_duty"] == 3 and told["load"] > 0.8
        assert told["recall"] > 0 and told["recall_by_skill"]["water"] > 0
    (theirs,) = as_("operator-2").get("/surge").json()["items"]
    assert theirs["running"] is False and theirs["district"] != d.division.code


@pytest.mark.parametrize("role", ["town", "company", "manager", "worker", "resident"])
def test_of_a_surge_nobody_else_reads(d: District, as_: Any, role: str) -> None:
    assert as_(role).get("/surge").status_code == 403
