"""The three real files: everything that can be read of them arrives, and the rest is rejected with its reason."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Q
from django.utils import timezone

from jiying.core.geo import Point, distance_m
from jiying.core.mapping import load
from jiying.core.text import clean
from jiying.estates.models import Division, Estate
from jiying.exchange import actions, queries
from jiying.exchange.models import Import
from jiying.exchange.tests.facts import facts
from jiying.notices.models import Notice
from jiying.orders import followers, watcher
from jiying.orders.models import Clock, Event, EventText, Order
from jiying.orders.tests.build import district
from jiying.orders.verify import verify

pytestmark = [pytest.mark.django_db, pytest.mark.needs_shared]

BALTIMORE = "baltimore311"
MESSAGES = "messages-with-replies.xlsx"
BUILDINGS = "shanghai-buildings"


def _in(kind: str, path: Path, map_: str) -> Import:
    return actions.apply(actions.stage(kind, path, load(map_)).pk)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _their_time(text: str) -> datetime | None:
    return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p") if text else None  # noqa: DTZ007 - compared among themselves


def test_baltimore_as_csv_and_as_excel_gives_equal_databases_and_the_recounted_overdue(shared):
    data = shared / "data"
    first = _in("orders", data / f"{BALTIMORE}.csv", BALTIMORE)
    rows = _rows(data / f"{BALTIMORE}.csv")
    assert (first.read, first.created + first.rejected) == (len(rows), len(rows))
    assert first.rejected == 0
    by_csv = facts()

    # An order is overdue when it was closed after its due date, or is open beyond it: counted from the file alone.
    overdue = 0
    now = datetime.now(ZoneInfo("America/New_York")).replace(tzinfo=None)
    for row in rows:
        due, closed = _their_time(row["DueDate"]), _their_time(row["CloseDate"])
        overdue += due is not None and (closed or now) > due
    assert overdue > 300
    missed = Clock.objects.filter(Q(state="missed") | Q(state="running", due_at__lt=timezone.now()), rule="external")
    assert missed.count() == overdue
    assert Clock.objects.filter(rule="external").count() == sum(bool(row["DueDate"]) for row in rows)

    # Closed as duplicates: merged, none of them met.
    twice = [row["SRRecordID"] for row in rows if row["SRStatus"] == "Closed (Duplicate)"]
    clocks = Clock.objects.filter(order__external_id__in=twice)
    assert set(clocks.values_list("state", "reason")) <= {("void", "merged"), ("missed", "")}
    still_open = [row["SRRecordID"] for row in rows if not row["SRStatus"].startswith("Closed")]
    assert set(Order.objects.filter(external_id__in=still_open).values_list("state", flat=True)) == {"submitted"}

    # Points that were rounded away from the city are left out; no order lies outside it.
    assert first.dropped >= 198
    outside = Order.objects.exclude(lon=None).exclude(lon__range=(-76.9, -76.3), lat__range=(39.1, 39.5))
    assert not outside.exists()

    assert not verify().broken
    watcher.sweep()
    followers.catch_up()
    assert not Notice.objects.exists()

    reverted = actions.revert(first.pk)
    assert (reverted.removed, queries.kept(reverted)) == (len(rows), {})
    assert not Order.objects.exists() and not Division.objects.exists()
    second = _in("orders", data / f"{BALTIMORE}.xlsx", BALTIMORE)
    assert (second.created, second.rejected) == (first.created, first.rejected)
    assert facts() == by_csv
    again = _in("orders", data / f"{BALTIMORE}.csv", BALTIMORE)
    assert (again.created, again.updated, again.unchanged) == (0, 0, len(rows))


def test_1440_messages_arrive_with_every_time_every_line_break_and_their_answers(shared):
    import gzip

    with gzip.open(shared / "data" / "messages-with-replies.csv.gz", "rt", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    imported = _in("orders", shared / "data" / MESSAGES, "messages")
    assert (imported.read, imported.created, imported.rejected) == (1440, 1440, 0)
    zone = ZoneInfo("Asia/Shanghai")
    orders = {order.external_id: order for order in Order.objects.select_related("text")}
    done = {event.order_id: event.at for event in Event.objects.filter(verb="done")}
    answers = {text.order_id: text.text for text in EventText.objects.filter(field="note")}
    for row in rows:
        order = orders[row["留言编号"]]
        assert order.reported_at == datetime.fromisoformat(row["留言时间_iso"]).replace(tzinfo=zone).astimezone(UTC)
        assert done[order.pk] == datetime.fromisoformat(row["答复时间_iso"]).replace(tzinfo=zone).astimezone(UTC)
        assert order.state == "closed"
        # The CSV writes a carriage return as the spreadsheet's file does; what matters is the break.
        body = row["留言详情"].replace("_x000D_", "\r").replace("\r\n", "\n")
        said = clean(row["留言主题"].strip() + "\n" + body.strip(), field="", max_chars=40_000)
        assert order.text.description == said
        assert answers[order.pk].count("\n") == clean(row["答复意见"], field="", max_chars=40_000).count("\n")
    assert sum("\n" in order.text.description.partition("\n")[2] for order in orders.values()) > 5
    waits = sorted(done[order.pk] - order.reported_at for order in orders.values())
    assert timedelta(days=11) < waits[len(waits) // 2] < timedelta(days=12)


@pytest.mark.parametrize("with_towns", [False, True], ids=["a fresh home", "a home with towns"])
def test_buildings_outside_the_city_are_rejected_with_the_reason_and_the_rest_moved_to_wgs84(shared, with_towns):
    if with_towns:
        district()
    rows = _rows(shared / "data" / f"{BUILDINGS}.csv")
    here = Estate.objects.count()
    imported = _in("estates", shared / "data" / f"{BUILDINGS}.csv", BUILDINGS)
    far = [
        line
        for line, row in enumerate(rows, start=2)
        if not (120.8 < float(row["lng"]) < 122.25 and 30.6 < float(row["lat"]) < 31.95)
    ]
    rejects = queries.preview(imported, verdict="reject", first=5000)
    assert {reject.code for reject in rejects} == {"bad_point"}
    assert set(far) <= {reject.line for reject in rejects}
    assert all("范围之外" in reject.reason for reject in rejects)
    assert (imported.read, imported.created + imported.rejected) == (len(rows), len(rows))
    assert Estate.objects.count() == here + imported.created
    assert not Estate.objects.exclude(lon__range=(120.85, 122.2), lat__range=(30.65, 31.9)).exists()
    said = {row["name"].strip(): Point(float(row["lng"]), float(row["lat"])) for row in rows}
    for estate in Estate.objects.filter(crs="GCJ-02")[:200]:
        moved = distance_m(Point(estate.lon, estate.lat), said[estate.name])
        assert 200 < moved < 900, estate.name
    towns = set(Estate.objects.filter(crs="GCJ-02").values_list("town__name", flat=True))
    assert towns == ({"未分街镇", "潍坊新村街道", "三林镇"} if with_towns else {"未分街镇"})
