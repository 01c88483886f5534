"""GET /api/v1/orders, /estates and /workers: filters, pages, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.api.listing import write_cursor
from jiying.api.tests.calls import Api
from jiying.estates import actions as estates
from jiying.estates.models import Estate
from jiying.estates.queries import zone_of
from jiying.orders.models import Order
from jiying.orders.tests.build import SKILLS, District, report, walk


def _ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [row["id"] for row in answer.json()["items"]]


def _walk_pages(api: Api, path: str, **query: Any) -> list[list[str]]:
    pages, cursor = [], ""
    while cursor is not None:
        answer = api.get(path, **query, **({"cursor": cursor} if cursor else {}))
        pages.append(_ids(answer))
        cursor = answer.json()["next"]
    return pages


def test_pages_hold_every_order_once_the_latest_first(d: District, as_: Any) -> None:
    orders = [report(d) for _n in range(7)]
    same = timezone.now() - timedelta(hours=1)
    Order.objects.filter(pk__in=[order.pk for order in orders[:4]]).update(reported_at=same)
    pages = _walk_pages(as_("operator"), "/orders", limit=3)
    assert [len(page) for page in pages] == [3, 3, 1]
    flat = [order for page in pages for order in page]
    wanted = Order.objects.order_by("-reported_at", "-pk").values_list("pk", flat=True)
    assert flat == [str(pk) for pk in wanted]


def test_what_arrives_meanwhile_moves_no_page(d: District, as_: Any) -> None:
    first = [report(d) for _n in range(4)]
    api = as_("operator")
    page = api.get("/orders", limit=2).json()
    report(d)
    rest = _ids(api.get("/orders", limit=2, cursor=page["next"]))
    assert rest == [str(order.pk) for order in (first[1], first[0])]


@pytest.mark.parametrize("path", ["/orders", "/estates", "/workers"])
def test_a_page_costs_the_same_however_long(d: District, as_: Any, path: str) -> None:
    zone_of(d.division.code)
    counted = []
    for many in (3, 27):
        for n in range(many):
            order = report(d)
            if n % 3:
                walk(d, order, "sign", "assign")
            name = f"小区{many}-{n}"
            Estate.objects.create(
                code=name, name=name, district=d.division.code, town=d.town, committee=d.committee, lon=121.5, lat=31.2
            )
            estates.hire(d.company, name=name, skills=SKILLS, shifts=[(0, 600)], known_skills=SKILLS, home=d.estate)
        api = as_("operator")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(_ids(api.get(path, limit=200))) >= many
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 8, counted


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "signed"}, {"a"}),
        ({"state": "submitted,cancelled"}, {"b", "c", "d"}),
        ({"state": "open"}, {"a", "b", "d"}),
        ({"state": "open,cancelled"}, {"a", "b", "c", "d"}),
        ({"kind": "complaint"}, {"b"}),
        ({"urgency": "ordinary"}, {"b"}),
        ({"estate": "E2"}, {"d"}),
        ({"estate": "nowhere"}, set()),
        ({"town": "310115130"}, {"d"}),
        ({"company": "91110000600037341L"}, {"a", "b", "c"}),
        ({"q": "吵"}, {"b"}),
        ({"q": "三林"}, {"d"}),
        ({"q": "100%"}, set()),
        ({"kind": "repair", "estate": "E1", "state": "open"}, {"a"}),
        ({"town": "x\x00y"}, set()),
        ({"q": "\x00"}, {"a", "b", "c", "d"}),
    ],
)
def test_filters(d: District, as_: Any, query: dict[str, str], expected: set[str]) -> None:
    named = {
        "a": walk(d, report(d), "sign"),
        "b": report(d, kind="complaint", category="other", urgency="ordinary", description="楼上太吵"),
        "c": walk(d, report(d), "cancel"),
        "d": report(d, estate="E2"),
    }
    found = _ids(as_("operator").get("/orders", **query))
    assert {name for name, order in named.items() if str(order.pk) in found} == expected
    assert len(found) == len(expected)


def test_orders_of_a_worker_and_of_a_time(d: District, as_: Any) -> None:
    mine, other = walk(d, report(d), "sign", "assign"), report(d)
    Order.objects.filter(pk=other.pk).update(reported_at="2026-01-31T16:00:00Z")
    api = as_("operator")
    assert _ids(api.get("/orders", worker=str(d.worker.pk))) == [str(mine.pk)]
    february = {"from": "2026-02-01", "to": "2026-02-02"}
    assert _ids(api.get("/orders", **february)) == [str(other.pk)], "the day is the district's, not UTC's"
    assert _ids(api.get("/orders", to="2026-02-01T00:00:00+08:00")) == []
    unescaped = api._client.get("/api/v1/orders?from=2026-02-01T00:00:00+08:00&to=2026-02-01T00:00:01+08:00")
    assert _ids(unescaped) == [str(other.pk)]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "0"}, "invalid"),
        ({"limit": "201"}, "invalid"),
        ({"limit": "-1"}, "invalid"),
        ({"limit": "ten"}, "invalid"),
        ({"limit": "١٠"}, "invalid"),
        ({"state": "lost"}, "unknown_state"),
        ({"kind": "lost"}, "unknown_kind"),
        ({"urgency": "lost"}, "unknown_urgency"),
        ({"worker": "nobody"}, "invalid"),
        ({"from": "yesterday"}, "bad_time"),
        ({"to": "0001-01-01"}, "bad_time"),
        ({"to": "2026-02-30"}, "bad_time"),
        ({"q": "长" * 5000}, "too_long"),
        ({"cursor": "nonsense"}, "bad_cursor"),
        ({"cursor": "令牌"}, "bad_cursor"),
        ({"cursor": "WyJhIiwiYiJd"}, "bad_cursor"),
        ({"cursor": "WzEsMl0"}, "bad_cursor"),
        ({"cursor": write_cursor(["2026-01-01T00:00:00+00:00", "x"])}, "bad_cursor"),
        ({"cursor": write_cursor(["2026-01-01T00:00:00", "0" * 32])}, "bad_cursor"),
        ({"cursor": write_cursor(["0001-01-01T00:00:00+14:00", "0" * 32])}, "bad_cursor"),
        ({"cursor": write_cursor(["\ud800", "\x00"])}, "bad_cursor"),
    ],
)
def test_a_wrong_filter_is_named(d: District, as_: Any, query: dict[str, str], code: str) -> None:
    report(d)
    answer = as_("operator").get("/orders", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["field"] in query


def test_estates_are_found_by_name_and_initials_without_sign_in(d: District, stranger: Api) -> None:
    for words in ("潍坊", "E1"):
        assert [row["code"] for row in stranger.get("/estates", q=words).json()["items"]] == ["E1"], words
    d.orphan.name = "无\u3000主\u200d小区"
    d.orphan.save()
    assert stranger.get("/estates", q="没有这个").json() == {"items": [], "next": None}
    pages = _walk_pages(stranger, "/estates", limit=1)
    assert [len(page) for page in pages] == [1, 1, 1]
    assert len({each for page in pages for each in page}) == 3


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("company", {"王师傅", "赵师傅"}),
        ("company-2", {"李师傅"}),
        ("operator", {"王师傅", "赵师傅", "李师傅"}),
        ("resident", set()),
    ],
)
def test_workers_are_those_one_may_see(d: District, as_: Any, role: str, names: set[str]) -> None:
    rows = as_(role).get("/workers").json()["items"]
    assert {row["name"] for row in rows} == names
    assert all("phone" not in row for row in rows)
