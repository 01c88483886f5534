"""The watcher on a real table: every step once, whatever happened meanwhile."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError

from jiying.core.errors import ImpossibleVerb, StaleVersion
from jiying.orders import queries, store, watcher
from jiying.orders.actions import act
from jiying.orders.models import Clock, Event, Order
from jiying.orders.tests.build import report, walk
from jiying.orders.verify import verify

T0 = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def later(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def steps(order: Order) -> Counter[tuple[str, str, str]]:
    return Counter(
        (event.verb, event.data.get("step", ""), event.data.get("promise", ""))
        for event in Event.objects.filter(order=order, by__startswith="rule:")
    )


def test_two_hours_of_downtime_and_every_step_is_written_once(d):
    orders = [report(d, now=T0) for _ in range(3)]
    watcher.sweep(later(120))
    assert watcher.sweep(later(120)) == 0
    for order in orders:
        assert set(steps(order).values()) == {1}
        assert ("escalate", "district_90", "respond_30") in steps(order)
        assert ("breach", "", "respond_30") in steps(order)
    fired = Event.objects.filter(verb="escalate")
    assert {event.at for event in fired} == {later(120)}
    assert {event.data["due_at"] for event in fired} >= {later(3).isoformat(), later(90).isoformat()}


def test_looking_every_minute_writes_the_same_steps_as_looking_once(d):
    often, once = report(d, now=T0), report(d, now=T0, estate=d.estate2.code)
    Order.objects.filter(pk=once.pk).update(poisoned_until=later(119))
    for minute in range(121):
        watcher.sweep(later(minute))
    assert steps(often) == steps(once)


def test_a_clock_that_jumps_back_neither_repeats_nor_loses_a_step(d):
    order = report(d, now=T0)
    watcher.sweep(later(21))
    before = steps(order)
    assert watcher.sweep(later(2)) == 0
    assert watcher.sweep(later(21)) == 0
    assert steps(order) == before
    watcher.sweep(later(31))
    assert steps(order)["breach", "", "respond_30"] == 1
    assert not verify().broken


def test_people_may_act_while_the_clock_of_the_machine_is_behind(d):
    order = walk(d, report(d, now=T0), "sign", now=later(2))
    assert act(order.pk, "take", by=d.actor("worker"), now=later(-30)).state == "assigned"
    assert not verify().broken


def judged_by(order, stamp):
    """Let the report name another rule pack, as a broken disk might."""
    report_of = Event.objects.get(order=order, version=1)
    told = report_of.canonical.replace(report_of.data["pack"], stamp)
    Event.objects.filter(pk=report_of.pk).update(canonical=told)


def test_an_order_that_cannot_be_judged_is_set_aside_and_the_rest_goes_on(d):
    bad, good = report(d, now=T0), report(d, now=T0 + timedelta(seconds=1))
    judged_by(bad, "nobody@0")
    watcher.sweep(later(4))
    assert sum(steps(good).values()) == 1
    assert sum(steps(bad).values()) == 0
    assert Order.objects.get(pk=bad.pk).poisoned_until == later(4) + watcher.POISON_REST
    judged_by(bad, good.pack)
    watcher.sweep(later(5))
    assert sum(steps(bad).values()) == 0, "it rests"
    watcher.sweep(later(9))
    assert set(steps(bad).values()) == {1}
    assert ("escalate", "unsigned_5", "respond_30") in steps(bad)


def test_more_poisoned_orders_than_one_batch_stop_nobody(d, monkeypatch):
    monkeypatch.setattr(watcher, "BATCH", 2)
    orders = [report(d, now=T0 + timedelta(seconds=i)) for i in range(5)]
    for order in orders[:4]:
        judged_by(order, "nobody@0")
    watcher.sweep(later(4))
    assert sum(steps(orders[4]).values()) == 1


def test_orders_share_a_transaction_and_one_that_cannot_be_judged_costs_the_others_nothing(d, monkeypatch):
    orders = [report(d, now=T0 + timedelta(seconds=i)) for i in range(5)]
    judged_by(orders[2], "nobody@0")
    together: list[int] = []
    real = store.write_together
    monkeypatch.setattr(store, "write_together", lambda changes: (together.append(len(changes)), real(changes)))
    watcher.sweep(later(4))
    assert together == [1, 1, 1, 1], "the one among them sends all to transactions of their own"
    assert [sum(steps(order).values()) for order in orders] == [1, 1, 0, 1, 1]
    together.clear()
    watcher.sweep(later(6))
    assert together == [4], "it rests, the others go together"
    for order in orders[:2] + orders[3:]:
        assert set(steps(order).values()) == {1}
        assert ("escalate", "unsigned_5", "respond_30") in steps(order)
    judged_by(orders[2], orders[0].pack)
    assert not verify().broken


def test_a_database_that_is_busy_for_a_moment_sets_no_order_aside(d, monkeypatch):
    monkeypatch.setattr(watcher, "BATCH", 1)
    order = report(d, now=T0)
    with monkeypatch.context() as broken:

        def busy(_orders: list[Order]) -> None:
            raise OperationalError("database is locked")

        broken.setattr(store, "load_many", busy)
        assert watcher.sweep(later(4)) == 0
    assert Order.objects.get(pk=order.pk).poisoned_until is None
    assert watcher.sweep(later(4)) == 1


def test_a_fault_after_the_events_and_the_order_leaves_neither(d, monkeypatch):
    order = report(d, now=T0)
    with monkeypatch.context() as broken:

        def fail(_changes: object) -> None:
            raise RuntimeError("power cut")

        broken.setattr(store, "_write_beside", fail)
        watcher.sweep(later(4))
    assert Order.objects.get(pk=order.pk).version == 1
    assert sum(steps(order).values()) == 0


def test_an_arrival_a_second_before_the_limit_is_in_time_and_one_after_is_late(d):
    for seconds, state in ((-1, "met"), (0, "met"), (1, "missed")):
        order = walk(d, report(d, now=T0), "sign", "take", now=later(1))
        act(order.pk, "arrive", by=d.actor("worker"), now=later(30) + timedelta(seconds=seconds))
        assert Clock.objects.get(order=order, promise="respond_30").state == state


def test_an_arrival_on_the_minute_is_no_breach(d):
    order = walk(d, report(d, now=T0), "sign", "take", now=later(1))
    act(order.pk, "arrive", by=d.actor("worker"), now=later(30))
    assert steps(order)["breach", "", "respond_30"] == 0


def test_whoever_acts_before_a_late_watcher_finds_everything_written_that_was_due(d):
    order = report(d, now=T0)
    seen = order.version
    order = act(order.pk, "sign", by=d.actor("company"), expected_version=seen, now=later(31))
    verbs = list(Event.objects.filter(order=order).order_by("version").values_list("verb", flat=True))
    assert verbs[0] == "report" and verbs[-1] == "sign" and "breach" in verbs and "escalate" in verbs
    assert steps(order)["breach", "", "sign"] == 1, "the clock is missed, so the log says so"
    before = steps(order)
    assert watcher.sweep(later(31)) == 0
    assert steps(order) == before
    assert not verify().broken


def test_a_verb_that_is_refused_loses_nothing_of_what_was_due(d):
    order = report(d, now=T0)
    with pytest.raises(ImpossibleVerb):
        act(order.pk, "close", by=d.actor("operator"), now=later(31))
    assert steps(order)["breach", "", "respond_30"] == 1
    assert Order.objects.get(pk=order.pk).version == Event.objects.filter(order=order).count()


def test_a_pause_that_should_have_ended_ends_before_what_is_said_next(d):
    order = walk(d, report(d, now=T0, category="drain"), "sign", "take", now=later(1))
    data = {"reason": "weather", "until": later(120).isoformat()}
    order = act(order.pk, "pause", by=d.actor("worker"), data=data, now=later(2))
    with pytest.raises(StaleVersion):
        act(order.pk, "resume", by=d.actor("worker"), expected_version=order.version, now=later(121))
    order.refresh_from_db()
    assert order.state == "assigned"
    assert act(order.pk, "arrive", by=d.actor("worker"), now=later(122)).state == "on_site"


def test_an_arrival_in_time_that_is_told_late_makes_the_breach_good(d):
    order = walk(d, report(d, now=T0), "sign", "take", now=later(1))
    watcher.sweep(later(31))
    assert Clock.objects.get(order=order, promise="respond_30").state == "missed"
    act(order.pk, "arrive", by=d.actor("worker"), at=later(25), now=later(40))
    clock = Clock.objects.get(order=order, promise="respond_30")
    assert (clock.state, clock.claimed, clock.reached_at) == ("met", True, later(25))
    assert not verify().broken


def test_silence_verifies_and_closes_and_says_which_rule(d):
    order = walk(d, report(d, now=T0), "sign", "take", "arrive", "done", now=later(10))
    watcher.sweep(later(10) + timedelta(days=7))
    watcher.sweep(later(10) + timedelta(days=8))
    order.refresh_from_db()
    assert (order.state, order.next_at) == ("closed", None)
    ends = Event.objects.filter(order=order, role="rule", verb__in=["verify", "close"]).order_by("version")
    assert [(e.verb, e.by, e.milestone) for e in ends] == [
        ("verify", "rule:no_objection_7_days", "verified"),
        ("close", "rule:verified_24_hours", "closed"),
    ]
    assert Clock.objects.get(order=order, promise="follow_up").state == "missed", "silence is no answer"


def test_a_pause_ends_by_itself(d):
    order = walk(d, report(d, now=T0, category="drain"), "sign", "take", now=later(1))
    until = later(120)
    act(order.pk, "pause", by=d.actor("worker"), data={"reason": "weather", "until": until.isoformat()}, now=later(2))
    watcher.sweep(later(119))
    assert Order.objects.get(pk=order.pk).state == "paused"
    watcher.sweep(until)
    assert Order.objects.get(pk=order.pk).state == "assigned"
    assert Event.objects.get(order=order, verb="resume").role == "rule"


def test_how_far_the_watcher_is_behind_can_be_asked(d):
    report(d, now=T0)
    assert queries.watcher_lag_s(later(2)) == 0
    assert queries.watcher_lag_s(later(4)) == pytest.approx(60)
    watcher.sweep(later(4))
    assert queries.watcher_lag_s(later(4)) == 0
