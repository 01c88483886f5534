"""Orders of another system come in with their times, are judged, told to nobody, and go out again."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from jiying.dispatch.models import Policy, Task
from jiying.estates.models import Division
from jiying.exchange import actions, queries
from jiying.exchange.models import Link
from jiying.exchange.tests.tables import ORDER_HEAD, ORDERS, brought_in, counts, mapping, write_csv
from jiying.notices.models import Notice
from jiying.orders import followers, watcher
from jiying.orders.actions import act
from jiying.orders.models import Attachment, Clock, Event, Order
from jiying.orders.tests.build import district, walk
from jiying.orders.verify import verify
from jiying.supervision.actions import prepare, serving
from jiying.supervision.models import Counted, Rollup
from jiying.supervision.rebuilding import rebuild

pytestmark = pytest.mark.django_db

CLOSED = (
    "1",
    "2024/3/1 9:00:00",
    "2024-03-03",
    "2024年3月2日 下午3:05",
    "已办结",
    "第一行\n第二行\t完",
    "潍坊花园",
    "已处理\n谢谢",
)
LATE = ("2", "2024/3/1 9:00", "2024/3/3 9:00", "2024/3/4", "已办结", "晚了", "潍坊花园")
OPEN = ("3", "2024/3/1 9:00", "2024/3/3 9:00", "", "处理中", "还没办", "潍坊花园")
TWICE = ("4", "2024/3/1 9:00", "2024/3/3 9:00", "2024/3/2", "重复", "同一件事", "潍坊花园")
SENT_ON = ("5", "2024/3/1 9:00", "2024/3/3 9:00", "2024/3/2", "不受理", "别家的事", "潍坊花园")


@pytest.fixture
def d():
    return district()


def _in(tmp_path, *rows):
    return brought_in("orders", write_csv(tmp_path / "orders.csv", ORDER_HEAD, *rows), ORDERS)


def _order(number):
    return Order.objects.select_related("text").get(external_id=number)


def _clock(number):
    return Clock.objects.get(order__external_id=number)


def test_a_closed_order_keeps_its_times_its_line_breaks_and_the_answer(d, tmp_path):
    imported = _in(tmp_path, CLOSED)
    assert counts(imported) == (1, 1, 0, 0, 0)
    order = _order("1")
    assert (order.state, order.estate, order.company) == ("closed", d.estate, d.company)
    assert order.text.description == "第一行\n第二行\t完"
    events = list(Event.objects.filter(order=order).order_by("version"))
    assert [(event.verb, event.role, event.by) for event in events] == [
        (verb, "import", f"import:{imported.pk}") for verb in ("report", "done", "close")
    ]
    done = datetime(2024, 3, 2, 7, 5, tzinfo=UTC)
    assert [event.at for event in events] == [datetime(2024, 3, 1, 1, tzinfo=UTC), done, done]
    assert all(event.claimed for event in events)
    assert order.event_texts.get(field="note").text == "已处理\n谢谢"
    assert not verify().broken


def test_the_deadline_of_the_other_system_judges_and_nothing_else_does(d, tmp_path):
    _in(tmp_path, CLOSED, LATE, OPEN, TWICE, SENT_ON)
    judged = {clock.order.external_id: (clock.state, clock.reason) for clock in Clock.objects.select_related("order")}
    assert judged == {
        "1": ("met", ""),
        "2": ("missed", ""),
        "3": ("missed", ""),
        "4": ("void", "merged"),
        "5": ("void", "refused"),
    }
    assert {clock.rule for clock in Clock.objects.all()} == {"external"}
    assert _clock("2").due_at == datetime(2024, 3, 3, 1, tzinfo=UTC)
    assert _clock("1").claimed


def test_without_a_deadline_the_pack_judges_what_the_ledger_tells(d, tmp_path):
    text = ORDERS.replace("kind: complaint, category: complaint", "kind: repair, category: drain")
    brought_in("orders", write_csv(tmp_path / "o.csv", ORDER_HEAD, (*CLOSED[:2], "", *CLOSED[3:])), text)
    clock = _clock("1")
    assert (clock.promise, clock.rule, clock.state) == ("complete", "complete.ordinary", "met")


def test_what_was_overdue_when_it_was_merged_stays_overdue(d, tmp_path):
    _in(tmp_path, (*TWICE[:3], "2024/3/9", *TWICE[4:]))
    assert (_order("4").state, _clock("4").state) == ("cancelled", "missed")


def test_imported_history_tells_nobody_now_or_later(d, tmp_path):
    _in(tmp_path, CLOSED, LATE, OPEN, TWICE, SENT_ON)
    breaches = Event.objects.filter(verb="breach")
    assert [event.order.external_id for event in breaches] == ["3"]
    assert watcher.sweep() == 0
    followers.catch_up()
    assert not Notice.objects.exists()
    assert not Event.objects.filter(verb__in=("warn", "escalate")).exists()
    assert not watcher.sweep(timezone.now() + timedelta(days=400))


def test_an_imported_order_that_is_open_goes_on_here(d, tmp_path):
    repairs = ORDERS.replace("kind: complaint, category: complaint", "kind: repair, category: drain")
    brought_in("orders", write_csv(tmp_path / "o.csv", ORDER_HEAD, OPEN), repairs)
    order = walk(d, _order("3"), "sign", "assign", "arrive", "done")
    assert (order.state, _clock("3").state) == ("done", "missed")
    order = walk(d, order, "reopen")
    # What happens here from now on is judged by the rule pack.
    assert [clock.rule for clock in Clock.objects.filter(order=order, round=2)] == ["complete.ordinary"]
    assert not verify().broken


def test_an_order_that_is_done_but_not_closed_waits_for_objections_from_the_day_it_came(d, tmp_path):
    _in(tmp_path, (*CLOSED[:4], "已完工", *CLOSED[5:]))
    assert watcher.sweep() == 0
    assert _order("1").state == "done"
    assert watcher.sweep(timezone.now() + timedelta(days=8)) >= 1


def test_the_same_file_again_changes_nothing(d, tmp_path):
    _in(tmp_path, CLOSED, OPEN)
    events = Event.objects.count()
    assert counts(_in(tmp_path, CLOSED, OPEN)) == (2, 0, 0, 2, 0)
    assert Event.objects.count() == events


def test_an_open_order_that_is_closed_now_gets_its_end(d, tmp_path):
    _in(tmp_path, OPEN)
    again = _in(tmp_path, (*OPEN[:3], "2024/3/2", "已办结", *OPEN[5:]))
    assert counts(again) == (1, 0, 1, 0, 0)
    order = _order("3")
    assert order.state == "closed"
    # It was done in time: what was written down as missed is made good by the earlier moment.
    assert _clock("3").state == "met"
    assert not verify().broken


def test_a_report_is_not_rewritten(d, tmp_path):
    _in(tmp_path, CLOSED)
    again = _in(tmp_path, (*CLOSED[:5], "另外的内容", *CLOSED[6:]))
    assert queries.codes(again) == {"changed_report": 1}
    again = _in(tmp_path, (*CLOSED[:3], "", "处理中", *CLOSED[5:7]))
    assert queries.codes(again) == {"changed_past": 1}
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        (("1", "3/1/2024", "", "", "", "x"), "reported_at", "bad_time"),
        (("1", "2024/13/1", "", "", "", "x"), "reported_at", "bad_time"),
        (("1", "2094/1/1", "", "", "", "x"), "reported_at", "bad_time"),
        (("1", "1994/1/1", "", "", "", "x"), "reported_at", "bad_time"),
        (("1", "2024/3/1", "", "2024/2/1", "已办结", "x"), "done_at", "bad_time"),
        (("1", "2024/3/1", "", "2094/2/1", "已办结", "x"), "done.at", "bad_time"),
        (("1", "2024/3/1", "2024/2/1", "", "", "x"), "due_at", "bad_time"),
        (("1", "2024/3/1", "", "", "已办结", "x"), "closed_at", "required"),
        (("1", "2024/3/1", "", "", "", ""), "description", "required"),
        (("1", "2024/3/1", "", "", "", "长" * 4001), "description", "too_long"),
        (("1", "2024/3/1", "", "", "", "x", "没有的小区"), "estate", "unknown_estate"),
        (("", "2024/3/1", "", "", "", "x"), "external_id", "required"),
    ],
)
def test_a_row_that_cannot_be_taken_says_which_field_and_why(d, tmp_path, row, field, code):
    imported = _in(tmp_path, row, OPEN)
    [shown] = queries.preview(imported, verdict="reject")
    assert (shown.line, shown.field, shown.code) == (2, field, code)
    assert shown.reason
    assert Order.objects.count() == 1


def test_a_revert_takes_whole_orders_out_and_leaves_a_trace(d, tmp_path):
    imported = _in(tmp_path, CLOSED, LATE, OPEN)
    act(_order("3").pk, "sign", by=d.actor("company"))
    prepare(list(Event.objects.select_related("order")))()
    assert Counted.objects.count() == 3
    reverted = actions.revert(imported.pk)
    assert Counted.objects.count() == 1
    assert list(Order.objects.values_list("external_id", flat=True)) == ["3"]
    assert sum(queries.kept(reverted).values()) == 1
    assert (reverted.removed, len(reverted.removed_head)) == (2, 64)
    told = json.loads((Path(settings.HOME) / "heads" / f"withdrawn-{imported.pk}.json").read_text())
    assert told == {"import": str(imported.pk), "orders": 2, "head": reverted.removed_head}
    assert not verify().broken
    assert Link.objects.count() == 1
    assert counts(_in(tmp_path, CLOSED, LATE)) == (2, 2, 0, 0, 0)


def test_an_order_with_a_picture_stays(d, tmp_path):
    imported = _in(tmp_path, OPEN)
    Attachment.objects.create(order=_order("3"), district=d.division.code, at=timezone.now(), size=1, width=1, height=1)
    assert sum(queries.kept(actions.revert(imported.pk)).values()) == 1
    assert Order.objects.count() == 1


def test_figures_count_imported_orders_and_forget_what_is_taken_back(d, tmp_path):
    made = ORDERS.replace("columns:", "create: [towns]\ncolumns:").replace("estate: {from: 小区}", "town: {from: 小区}")
    path = write_csv(
        tmp_path / "orders.csv", ORDER_HEAD, *((*row[:6], "新镇") for row in (CLOSED, LATE, TWICE, SENT_ON))
    )
    imported = brought_in("orders", path, made)
    followers.catch_up()
    assert _figures(d) == {"submitted": 4, "closed": 2, "done": 2, "merged": 1, "refused": 1}
    reverted = actions.revert(imported.pk)
    assert (reverted.removed, queries.kept(reverted)) == (4, {})
    assert not _figures(d)
    assert not Division.objects.filter(name="新镇").exists()
    rebuild()
    assert not _figures(d)


def _figures(d):
    """The counts of the whole district over all days."""
    counts = Counter()
    for rollup in Rollup.objects.filter(edition=serving().pk, grain="all", span=1):
        counts.update(json.loads(rollup.counts))
    names = ("submitted", "closed", "done", "merged", "refused", "cancelled")
    return {name: counts[name] for name in names if counts[name]}


def test_an_imported_emergency_sends_nobody(d, tmp_path):
    text = ORDERS.replace("kind: complaint, category: complaint, urgency: ordinary", "kind: repair, category: leak")
    brought_in("orders", write_csv(tmp_path / "o.csv", ORDER_HEAD, OPEN), text)
    Policy.objects.create(district=d.division.code, urgency="emergency", mode="automatic")
    assert _order("3").urgency == "emergency"
    followers.catch_up()
    assert not Task.objects.exists()
    act(_order("3").pk, "sign", by=d.actor("company"))
    followers.catch_up()
    assert Task.objects.count() == 1


def test_what_an_import_recorded_about_an_older_order_stays(d, tmp_path):
    _in(tmp_path, OPEN)
    again = _in(tmp_path, (*OPEN[:3], "2024/3/2", "已办结", *OPEN[5:]))
    assert sum(queries.kept(actions.revert(again.pk)).values()) == 1
    assert _order("3").state == "closed"


def test_what_rows_said_is_sealed_and_forgotten(d, tmp_path):
    imported = actions.stage("orders", write_csv(tmp_path / "o.csv", ORDER_HEAD, OPEN, ("9", "x")), mapping(ORDERS))
    assert all("还没办".encode() not in bytes(row.sealed) for row in imported.rows.all())
    actions.apply(imported.pk)
    assert {row.verdict: bool(row.content) for row in imported.rows.all()} == {"create": False, "reject": True}
    assert actions.forget_old(timezone.now()) == 0
    assert actions.forget_old(timezone.now() + timedelta(days=91)) == 1
    assert not any(row.content for row in imported.rows.all())
