"""Open orders come under the pack in force: by a command that may be killed, repeated and run twice at once."""

from __future__ import annotations

import json
import os
import signal
import threading
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.db import connection, connections
from django.utils import timezone

from jiying.orders import repacking
from jiying.orders.actions import act
from jiying.orders.models import Clock, Event, Order
from jiying.orders.rulecommands import rules
from jiying.orders.tests import build, repacks
from jiying.orders.tests.build import report, walk
from jiying.orders.tests.repacks import RESPOND
from jiying.orders.verify import verify
from jiying.people.models import Audit
from jiying.rules import packs

LONGER = (RESPOND, "limit: {amount: 45, unit: emergency_minutes}")
SHORTER = (RESPOND, "limit: {amount: 12, unit: emergency_minutes}")


@pytest.fixture
def home(tmp_path, monkeypatch):
    with repacks.installation(tmp_path, monkeypatch) as folder:
        yield folder


def told(*words: str, code: int = 0) -> dict:
    answer = CliRunner().invoke(rules, ["move", *words, "--json"])
    assert answer.exit_code == code, answer.output
    return json.loads(answer.stdout)


def columns(order: Order) -> list:
    """Everything that is kept of an order."""
    return [
        Order.objects.filter(pk=order.pk).values().get(),
        list(Event.objects.filter(order=order).order_by("seq").values()),
        list(Clock.objects.filter(order=order).order_by("pk").values()),
    ]


def respond(order: Order) -> list[tuple[int, str, str, int]]:
    rows = Clock.objects.filter(order=order, promise="respond_30").order_by("round")
    return list(rows.values_list("round", "state", "reason", "limit_minutes"))


@pytest.mark.django_db
def test_open_orders_come_under_the_pack_in_force_and_closed_ones_keep_theirs_to_the_byte(d, home):
    fresh, under_way = report(d), walk(d, report(d), "sign", "assign", "depart")
    ended = [
        walk(d, report(d), "cancel"),
        walk(d, report(d), "sign", "assign", "depart", "arrive", "done"),
        walk(d, report(d), "sign", "assign", "depart", "arrive", "done", "confirm", "close"),
    ]
    before = [columns(order) for order in ended]
    repacks.load(home, LONGER)
    newest = report(d)
    answer = told("district")
    assert (answer["pack"], answer["orders"], answer["changed"]) == ("district@1", 2, 2)
    assert answer["promises"]["respond_30"] == {"earlier": 0, "later": 2, "new": 0, "void": 0, "overdue": 0}
    assert [columns(order) for order in ended] == before
    for order in (fresh, under_way):
        order.refresh_from_db()
        assert order.pack == "district@1"
        assert respond(order) == [(1, "void", "repacked", 30), (2, "running", "", 45)]
    assert not Event.objects.filter(order=newest, verb="repack").exists()
    assert not verify().broken


@pytest.mark.django_db
def test_the_event_says_by_whom_from_which_pack_and_what_changed(d, home):
    order = report(d)
    repacks.load(home, SHORTER)
    told("district")
    event = Event.objects.get(order=order, verb="repack")
    assert (event.role, event.by, event.milestone) == ("rule", "rule:repack", None)
    assert (event.data["pack"], event.data["from"]) == ("district@1", "example@2026.2")
    [changed] = event.data["changed"]
    was, now = (timezone.datetime.fromisoformat(changed[name]) for name in ("from_due", "to_due"))
    assert (changed["promise"], changed["what"], was - now) == ("respond_30", "due", timedelta(minutes=18))
    row = Order.objects.get(pk=order.pk)
    assert (row.acted_version, row.version, row.headline_due) == (1, 2, now)


@pytest.mark.django_db
def test_a_preview_says_the_same_and_writes_nothing(d, home):
    order = report(d)
    late = report(d, now=timezone.now() - timedelta(minutes=20))
    repacks.load(home, SHORTER)
    before = columns(order), columns(late)
    preview = told("district", "--preview")
    assert preview["promises"]["respond_30"] == {"earlier": 2, "later": 0, "new": 0, "void": 0, "overdue": 1}
    assert (columns(order), columns(late)) == before
    assert not Audit.objects.filter(action="repack").exists()
    assert {**told("district"), "preview": True} == preview


@pytest.mark.django_db
def test_the_second_time_there_is_nothing_to_do(d, home):
    report(d)
    repacks.load(home, LONGER)
    assert told("district")["orders"] == 1
    again = CliRunner().invoke(rules, ["move", "district"])
    assert (again.exit_code, again.stdout.strip()) == (0, "nothing to do: no open order is judged by another pack")
    [audit] = Audit.objects.filter(action="repack")
    assert (audit.about, audit.data, audit.origin, audit.district) == (
        "district@1", {"orders": 1}, "command", d.division.code,
    )  # fmt: skip


@pytest.mark.django_db
def test_only_the_pack_that_is_in_force_takes_orders_over(d, home):
    report(d)
    repacks.load(home, LONGER, since="2099-01-01")
    for words in (["district"], ["example@2026.1"], ["example", "--district", "nowhere"], ["nobody"]):
        assert CliRunner().invoke(rules, ["move", *words]).exit_code == 2, words
    assert not Event.objects.filter(verb="repack").exists()


@pytest.mark.django_db
def test_a_districts_own_pack_moves_no_other_districts_orders(d, home):
    mine = report(d)
    repacks.load(home, LONGER, ("district: null", f'district: "{d.division.code}"'))
    Order.objects.filter(pk=report(d).pk).update(district="310101", pack="example@2026.2")
    assert told("district")["districts"] == [d.division.code]
    assert list(Event.objects.filter(verb="repack").values_list("order", flat=True)) == [mine.pk]


@pytest.mark.django_db
def test_what_fell_due_before_the_move_is_judged_by_the_old_pack(d, home):
    order = report(d, now=timezone.now() - timedelta(minutes=31))
    repacks.load(home, LONGER)
    told("district")
    assert respond(order) == [(1, "missed", "", 30)]
    verbs = list(Event.objects.filter(order=order).order_by("version").values_list("verb", flat=True))
    assert verbs[-1] == "repack" and "breach" in verbs and verbs.count("escalate") == 5
    assert not verify().broken


@pytest.mark.django_db
def test_an_order_of_a_pack_without_a_calendar_is_told_the_zone_and_the_kind_of_estate(d, home):
    order = report(d, reported_at=timezone.datetime.fromisoformat("2025-12-30T10:00:00+08:00"))
    assert order.pack == "example@2026.1"
    told("example")
    event = Event.objects.get(order=order, verb="repack")
    assert event.data["calendar"] == "Asia/Shanghai" and "estate_type" in event.data
    assert not verify().broken


@pytest.mark.django_db
def test_a_moved_order_goes_on_through_the_one_door(d, home):
    order = walk(d, report(d), "sign", "assign")
    repacks.load(home, LONGER)
    told("district")
    # The version that the worker saw before the move still counts.
    order = act(order.pk, "depart", by=d.actor("worker"), expected_version=order.version)
    order = walk(d, order, "arrive", "done", "confirm", "close")
    assert respond(order) == [(1, "void", "repacked", 30), (2, "met", "", 45)]
    assert Order.objects.get(pk=order.pk).pack == "district@1"
    assert not verify().broken


@pytest.mark.django_db
def test_an_order_that_cannot_be_judged_stops_none_of_the_others(d, home, monkeypatch):
    ill, well = report(d), report(d)
    repacks.load(home, LONGER)
    real = repacking._told

    def told_or_not(order, ledger, pack):
        if order.pk == ill.pk:
            raise ValueError("no such fact")
        return real(order, ledger, pack)

    monkeypatch.setattr(repacking, "_told", told_or_not)
    answer = told("district", code=1)
    assert [one["order"] for one in answer["failed"]] == [str(ill.pk)]
    assert [Order.objects.get(pk=one.pk).pack for one in (ill, well)] == ["example@2026.2", "district@1"]
    assert not verify().broken


@pytest.mark.django_db
def test_figures_agree_after_a_move(d, home):
    from jiying.supervision.checking import check

    walk(d, report(d), "sign", "assign", "depart", "arrive")
    report(d, now=timezone.now() - timedelta(minutes=20))
    report(d, now=timezone.now() - timedelta(minutes=50))
    assert check().different == 0
    for step, changes in (("1", LONGER), ("2", SHORTER)):
        pack = repacks.load(home, changes, *_until(step), version=step, since=f"2026-0{step}-01")
        repacking.move(pack, [d.division.code], by="rule:test", rest=lambda _s: None)
        found = check()
        assert (found.different, found.behind > 0) == (0, True)


def _until(step: str) -> list[tuple[str, str]]:
    return [("valid_to: null", "valid_to: 2026-01-31")] if step == "1" else []


# -- killed, and two at once -----------------------------------------------------------------------------------------


@pytest.fixture
def many(transactional_db, home, monkeypatch):
    monkeypatch.setattr(repacking, "TOGETHER", 4)
    district = build.district()
    orders = [report(district, now=timezone.now() - timedelta(minutes=n)) for n in range(14)]
    repacks.load(home, LONGER)
    return orders


def moved() -> int:
    return Event.objects.filter(verb="repack").count()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("at", [1, 2, 3])
def test_killed_half_way_and_started_again_it_goes_on_with_what_is_left(many, at):
    def killing(done: int) -> None:
        if done >= 4 * at:
            os.kill(os.getpid(), signal.SIGKILL)

    connections.close_all()
    child = os.fork()
    if child == 0:
        repacking.move(packs.stamped("district@1"), ["310115"], by="rule:test", progress=killing, rest=lambda _s: None)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert moved() == 4 * at
    assert told("district")["orders"] == len(many) - 4 * at
    assert moved() == len(many)
    assert told("district")["orders"] == 0
    assert not verify().broken


@pytest.mark.timeout(120)
def test_two_at_once_do_no_harm(many):
    tallies, failures = [], []

    def run() -> None:
        try:
            tallies.append(
                repacking.move(packs.stamped("district@1"), ["310115"], by="rule:test", rest=lambda _s: None)
            )
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert sum(tally.orders for tally in tallies) == len(many) == moved()
    assert not verify().broken


@pytest.mark.timeout(120)
def test_an_order_written_meanwhile_is_moved_as_it_then_is(many, monkeypatch):
    d_orders, real, done = many, repacking._say, []

    def meanwhile(change, pack, by, now):
        real(change, pack, by, now)
        if not done:
            done.append(change.order.pk)
            act(change.order.pk, "note", by=_operator(), data={"text": "在路上"})

    monkeypatch.setattr(repacking, "_say", meanwhile)
    tally = repacking.move(packs.stamped("district@1"), ["310115"], by="rule:test", rest=lambda _s: None)
    assert tally.orders == len(d_orders) == moved()
    verbs = list(Event.objects.filter(order=done[0]).order_by("version").values_list("verb", flat=True))
    assert verbs[-1] == "repack" and "note" in verbs
    assert not verify().broken


def _operator():
    from jiying.orders.actors import Actor
    from jiying.people.models import User

    return Actor.of(User.objects.get(username="operator"))
