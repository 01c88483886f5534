"""The supervision page: whose rows, what periods, and numbers that open what they counted."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.district import shown
from jiying.district.period import Period
from jiying.orders.models import Order
from jiying.orders.tests.build import District, district, report, walk
from jiying.people.models import User
from jiying.supervision.tests.lives import followed, live

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIGURES = ("satisfaction", "responsiveness", "complaints", "arrived_30", "contacted_30")


@pytest.fixture
def d() -> District:
    return district()


def _client(user: User) -> Client:
    """A browser that looks once the figures have followed."""
    followed()
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(User.objects.get(pk=user.pk), backend="django.contrib.auth.backends.ModelBackend")
    return client


def _figure(page: str, name: str) -> str:
    part = page[page.index(f'data-test="figure-{name}"') :]
    found = re.search(r'class="figure-value"[^>]*>([^<]*)<', part)
    assert found
    return found[1]


def _towns(page: str) -> list[str]:
    return re.findall(r'data-town="([^"]*)"', page)


@pytest.mark.parametrize(
    ("role", "status"),
    [("district", 200), ("supervisor", 200), ("town", 200), ("committee", 200), ("company", 200), ("manager", 200),
     ("operator", 403), ("worker", 403), ("resident", 403)],
)  # fmt: skip
def test_the_page_is_for_those_who_answer_for_figures(d, role, status):
    assert _client(d.users[role]).get("/district").status_code == status


def test_a_stranger_is_sent_to_sign_in(d):
    assert Client(HTTP_HOST="127.0.0.1").get("/district")["Location"].startswith("/sign-in")


def test_a_town_sees_its_own_row_and_figures_only(d):
    report(d, estate=d.estate2.code, kind="complaint")
    page = _client(d.users["town"]).get("/district?by=town").content.decode()
    assert _towns(page) == [d.town.code]
    assert _figure(page, "complaints") == "—"
    assert set(_towns(_client(d.users["district"]).get("/district").content.decode())) == {d.town.code, d.town2.code}


def test_no_data_is_a_dash_and_neither_nought_nor_a_hundred_percent(d):
    page = _client(d.users["district"]).get("/district").content.decode()
    for name in FIGURES:
        assert _figure(page, name) == "—", name
    assert not re.search(r">\s*(0|100)(\.0)?%", page)


def test_figures_are_those_of_the_orders(d):
    start = timezone.now() - timedelta(hours=3)
    for _kept in range(3):
        walk(d, report(d, reported_at=start), "sign")
    report(d, kind="complaint", urgency="ordinary")
    page = _client(d.users["district"]).get("/district").content.decode()
    assert _figure(page, "arrived_30") == "0"
    assert _figure(page, "complaints") == "1"
    assert _figure(page, "satisfaction") == "—"


def test_each_figure_tells_its_formula_denominator_pack_and_what_was_left_out(d):
    walk(d, report(d), "sign", "assign", "contact", "arrive", "done", "rate")
    page = _client(d.users["district"]).get("/district").content.decode()
    for name in FIGURES:
        part = page[page.index(f'data-test="figure-{name}"') :]
        part = part[: part.index("</details>")]
        assert "公式" in part, name
        assert "example@" in part, name
        assert "示例，非官方" in part, name
        assert "注销" in part, name


def _rows(page: str) -> dict[str, dict[str, tuple[str, int]]]:
    """The links of each row: place → figure → (address, what the cell says it is of; −1 where the value itself is)."""
    out = {}
    for key, row in re.findall(r'data-test="figure-row" data-key="([^"]*)"(.*?)</tr>', page, re.S):
        cells = re.findall(r'data-figure="([^"]+)"><a href="([^"]+)"(?: data-n="(\d+)")?[^>]*>([^<]*)<', row)
        out[key] = {name: (unescape(href), int(n) if n else _number(said)) for name, href, n, said in cells}
    return out


def _number(said: str) -> int:
    return int(said) if said.isdigit() else -1


def test_a_cell_opens_as_many_orders_as_it_is_of(d):
    live(d, random.Random(11), timezone.now() - timedelta(days=6), 70)
    checked = set()
    for role in ("district", "town", "company", "committee"):
        client = _client(d.users[role])
        for by in ("town", "company", "estate", "committee"):
            rows = _rows(client.get(f"/district?by={by}").content.decode())
            for name, (href, n) in ((name, cell) for cells in rows.values() for name, cell in cells.items()):
                counted = re.search(
                    r'data-counted="(\d+)"', client.get(href, headers={"X-Part": "queue"}).content.decode()
                )
                assert counted, (role, by, name, href)
                if n >= 0:
                    assert int(counted[1]) == n, (role, by, name, href)
                    checked.add(name)
    assert checked >= {"arrived_30", "contacted_30", "responsiveness", "submitted"}


def test_what_was_missed_opens_just_that(d):
    order = walk(d, report(d, reported_at=timezone.now() - timedelta(hours=2)), "sign")
    client = _client(d.users["district"])
    missed = re.search(r'class="cell-missed" href="([^"]+)"', client.get("/district").content.decode())
    assert missed
    opened = client.get(unescape(missed[1])).content.decode()
    assert re.findall(r'data-test="order-row"[^>]*data-order="([^"]+)"', opened) == [str(order.pk)]


def test_one_place_has_its_page_with_its_days_and_hours(d):
    walk(d, report(d, reported_at=timezone.now() - timedelta(hours=2)), "sign", "assign", "arrive")
    client = _client(d.users["district"])
    for by, code in (("town", d.town.code), ("company", d.company.uscc), ("estate", d.estate.code),
                     ("committee", d.committee.code)):  # fmt: skip
        page = client.get(f"/district/{by}/{code}").content.decode()
        assert _figure(page, "arrived_30") == "0"
        assert page.count('<ol class="bars') == 2, by
    quiet = client.get(f"/district/estate/{d.estate2.code}").content.decode()
    assert 'data-test="quiet"' in quiet
    assert _figure(quiet, "arrived_30") == "—"


@pytest.mark.parametrize(
    ("role", "by", "code"),
    [("town", "town", "town2"), ("company", "company", "company2"), ("committee", "estate", "estate2"),
     ("district", "town", "nowhere"), ("district", "colour", "town")],
)  # fmt: skip
def test_a_place_beyond_reach_is_not_there(d, role, by, code):
    place = getattr(d, code, None)
    name = getattr(place, "code", getattr(place, "uscc", "x"))
    assert _client(d.users[role]).get(f"/district/{by}/{name}").status_code == 404


def test_a_company_sees_what_is_said_of_it_and_nothing_else(d):
    report(d, kind="complaint")
    report(d, estate=d.estate2.code, kind="complaint")
    client = _client(d.users["company"])
    page = client.get("/district").content.decode()
    assert _figure(page, "complaints") == "1"
    assert set(_rows(page)) == {d.estate.code}
    assert d.estate2.name not in page


def test_many_places_come_by_pages_and_are_found_by_name(d, monkeypatch):
    monkeypatch.setattr(shown, "PAGE", 1)
    for estate in (d.estate, d.estate2, d.orphan):
        report(d, estate=estate.code)
    client = _client(d.users["district"])
    seen = [list(_rows(client.get(f"/district?by=estate&sort=name&page={n}").content.decode())) for n in (1, 2, 3)]
    assert seen == [[d.estate.code], [d.estate2.code], [d.orphan.code]]
    found = client.get("/district", {"by": "estate", "q": d.orphan.name[:2]}).content.decode()
    assert list(_rows(found)) == [d.orphan.code]
    assert client.get("/district?by=estate&q=%25").status_code == 200


def test_orders_that_nobody_serves_are_a_row_that_opens_them(d):
    report(d, estate=d.orphan.code)
    client = _client(d.users["district"])
    rows = _rows(client.get("/district?by=company").content.decode())
    href, n = rows[""]["submitted"]
    assert n == 1
    assert re.search(r'data-counted="1"', client.get(href).content.decode())


def test_the_table_sorts_on_the_server_both_ways_and_keeps_rows_without_value_last(d):
    for _twice in range(2):
        report(d, estate=d.estate2.code)
    report(d)
    client = _client(d.users["district"])
    assert _towns(client.get("/district?sort=submitted").content.decode()) == [d.town.code, d.town2.code]
    assert _towns(client.get("/district?sort=-submitted").content.decode()) == [d.town2.code, d.town.code]
    walk(d, Order.objects.filter(town=d.town)[0], "sign", "assign", "contact", "arrive", "done", "rate")
    followed()
    for sort in ("satisfaction", "-satisfaction"):
        page = client.get(f"/district?sort={sort}").content.decode()
        assert _towns(page) == [d.town.code, d.town2.code]
        assert 'aria-sort="' in page


@pytest.mark.parametrize(
    "query",
    [
        "sort=x",
        "by=colour",
        "page=0",
        "page=-1",
        "page=999999999",
        "q=%00",
        "days=-1",
        "from=x&to=y",
        "from=2026-02-30&to=2026-03-01",
        "from=0001-01-01&to=9999-12-31",
    ],
)
def test_an_address_that_means_nothing_shows_the_usual_page(d, query):
    assert _client(d.users["district"]).get(f"/district?{query}").status_code == 200


def test_nothing_is_compared_with_a_period_that_is_on_record_only_in_part(d):
    client = _client(d.users["district"])
    report(d, kind="complaint", reported_at=timezone.now() - timedelta(days=8))
    report(d, kind="complaint")
    assert "前一期记录不全" in client.get("/district").content.decode()
    report(d, kind="complaint", reported_at=timezone.now() - timedelta(days=20))
    followed()
    page = client.get("/district").content.decode()
    assert "前一期记录不全" not in page
    assert "与基期持平" in page


def test_the_page_asks_a_constant_number_of_questions(d):
    client = _client(d.users["district"])

    def asked():
        followed()
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/district").status_code == 200
        return len(queries)

    report(d, reported_at=timezone.now() - timedelta(days=20))
    asked()
    before = asked()
    for _more in range(5):
        walk(d, report(d), "sign", "assign", "contact")
    assert asked() == before <= 30


def test_a_period_runs_from_midnight_to_midnight_where_the_district_is():
    now = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)
    period = Period.asked({"days": "7"}, now, SHANGHAI)
    assert (period.first, period.last, period.days) == (date(2026, 11, 18), date(2026, 11, 24), 7)
    assert period.to == datetime(2026, 11, 25, tzinfo=SHANGHAI)
    assert period.before.to == period.from_
    assert period.before.days == 7
    assert period.preset(date(2026, 11, 24)) == 7


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({"from": "2026-11-01", "to": "2026-11-03"}, date(2026, 11, 1), date(2026, 11, 3)),
        ({"from": "2026-11-20", "to": "2027-01-01"}, date(2026, 11, 20), date(2026, 11, 24)),
        ({"from": "2026-11-03", "to": "2026-11-01"}, date(2026, 11, 18), date(2026, 11, 24)),
        ({"from": "1900-01-01", "to": "2026-11-01"}, date(2026, 11, 18), date(2026, 11, 24)),
    ],
)
def test_periods_that_cannot_be_meant_fall_back(query, first, last):
    period = Period.asked(query, datetime(2026, 11, 24, 3, tzinfo=UTC), SHANGHAI)
    assert (period.first, period.last) == (first, last)
