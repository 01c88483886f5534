"""Several at once, on a real database: threads with a connection each, no luck involved in the result."""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from jiying.core import wake
from jiying.core.errors import KeyReused, NotFound, NotYours, StaleVersion
from jiying.estates.models import Worker
from jiying.orders import followers, group, watcher
from jiying.orders.actions import act
from jiying.orders.actors import STRANGER, TRACKER, Actor
from jiying.orders.intake import NewOrder, accept_one
from jiying.orders.models import Event, IdempotencyKey, Order
from jiying.orders.tests import build
from jiying.orders.tests.build import report, walk
from jiying.orders.verify import verify
from jiying.people.actions import join
from jiying.people.models import User

pytestmark = pytest.mark.django_db(transaction=True)

T0 = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


@pytest.fixture
def d(transactional_db: None) -> build.District:
    return build.district()


def at_once(jobs: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run all jobs in the same instant, each in a thread with its own connection; results or exceptions."""
    todo = list(jobs)
    gate = threading.Barrier(len(todo))
    results: list[Any] = [None] * len(todo)

    def run(index: int, job: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            gate.wait(20)
            results[index] = job()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(todo)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def crew(d: build.District, n: int) -> list[Actor]:
    """`n` workers of the company with accounts."""
    actors = []
    for i in range(n):
        user = User.objects.create(username=f"crew{i}", name=f"工{i}")
        Worker.objects.create(company=d.company, user=user, name=f"工{i}", skills=["water"])
        join(user, d.company.organisation, "worker")
        actors.append(Actor.of(user))
    return actors


def test_of_several_who_take_an_order_in_one_instant_one_gets_it_and_the_others_are_told_who(d):
    actors = crew(d, 4)
    for _ in range(3):
        order = walk(d, report(d), "sign")
        results = at_once(lambda by=by, pk=order.pk: act(pk, "take", by=by) for by in actors)
        won = [result for result in results if isinstance(result, Order)]
        lost = [result for result in results if isinstance(result, StaleVersion)]
        assert (len(won), len(lost)) == (1, 3), results
        assert {error.extra["taken_by"] for error in lost} == {won[0].worker.name}
        assert Event.objects.filter(order=order, verb="take").count() == 1


def test_one_key_in_eight_threads_makes_one_order(d):
    new = NewOrder(category="leak", description="漏水", estate=d.estate.code)
    results = at_once(lambda: accept_one(new, by=STRANGER, caller="c", key="k") for _ in range(8))
    assert [r for r in results if isinstance(r, Exception)] == []
    assert {order.pk for order, _fresh in results} == {Order.objects.get().pk}
    assert [fresh for _order, fresh in results].count(True) == 1


def test_one_key_with_two_bodies_in_one_instant_makes_one_order_and_refuses_the_other(d):
    news = [NewOrder(category="leak", description=str(i), estate=d.estate.code) for i in range(4)]
    results = at_once(lambda new=new: accept_one(new, by=STRANGER, caller="c", key="k") for new in news)
    assert sorted(type(r).__name__ for r in results) == ["KeyReused"] * 3 + ["tuple"]
    assert Order.objects.count() == 1


def test_many_different_orders_in_one_instant_are_all_there(d):
    news = [NewOrder(category="leak", description=str(i), estate=d.estate.code) for i in range(16)]
    results = at_once(lambda new=new: accept_one(new, by=STRANGER, caller="c", key=new.description) for new in news)
    assert [r for r in results if isinstance(r, Exception)] == []
    assert Order.objects.count() == 16
    assert not verify().broken


def test_one_key_for_two_orders_in_one_instant_serves_one(d):
    orders = [report(d), report(d)]
    by = d.actor("company")
    results = at_once(lambda order=order: act(order.pk, "sign", by=by, key="k") for order in orders)
    assert sorted(type(r).__name__ for r in results) == ["KeyReused", "Order"]
    refused = next(r for r in results if isinstance(r, KeyReused))
    assert refused.status == 409
    assert sorted(Order.objects.values_list("state", flat=True)) == ["signed", "submitted"]


def test_the_same_action_with_the_same_key_in_four_threads_happens_once(d):
    order = report(d)
    results = at_once(lambda: act(order.pk, "urge", by=TRACKER, key="k") for _ in range(4))
    assert [r for r in results if isinstance(r, Exception)] == []
    assert Event.objects.filter(order=order, verb="urge").count() == 1
    assert IdempotencyKey.objects.count() == 1


def test_of_many_who_act_on_what_they_saw_one_is_in_time(d):
    order = report(d)
    by = d.actor("company")
    results = at_once(lambda: act(order.pk, "sign", by=by, expected_version=1) for _ in range(4))
    assert sorted(type(r).__name__ for r in results) == ["Order"] + ["StaleVersion"] * 3


def test_messages_of_many_in_one_instant_all_stand_in_one_chain(d):
    order = report(d)
    results = at_once(lambda: act(order.pk, "urge", by=TRACKER) for _ in range(8))
    assert [r for r in results if isinstance(r, Exception)] == []
    assert list(Event.objects.filter(order=order).order_by("version").values_list("version", flat=True)) == list(
        range(1, 10)
    )
    assert not verify().broken


def test_two_watchers_on_the_same_orders_write_each_step_once(d):
    orders = [report(d, now=T0) for _ in range(6)]
    now = T0 + timedelta(hours=2)
    at_once(lambda: watcher.sweep(now) for _ in range(3))
    watcher.sweep(now)
    for order in orders:
        steps = [(e.verb, e.data.get("step"), e.data["promise"], e.data["round"]) for e in _fired(order)]
        assert len(steps) == len(set(steps)) == 15, steps
    assert not verify().broken


def _fired(order: Order) -> list[Event]:
    return list(Event.objects.filter(order=order, by__startswith="rule:").order_by("version"))


def test_a_watcher_and_a_person_at_once_both_come_through(d):
    orders = [report(d, now=T0) for _ in range(6)]
    by = d.actor("company")
    now = T0 + timedelta(minutes=4)
    signing = [lambda order=order: act(order.pk, "sign", by=by, expected_version=1, now=now) for order in orders]
    results = at_once([*signing, lambda: watcher.sweep(now), lambda: watcher.sweep(now)])
    assert [r for r in results if isinstance(r, Exception)] == []
    watcher.sweep(now)
    for order in orders:
        verbs = [e.verb for e in Event.objects.filter(order=order)]
        assert verbs.count("sign") == 1
        assert verbs.count("escalate") <= 1
    assert not verify().broken


@pytest.mark.late_commits
@pytest.mark.parametrize("skips", [frozenset(), followers.REPACK], ids=["all", "some"])
def test_what_commits_late_is_not_skipped_by_a_follower(d, skips, monkeypatch):
    """Two slow transactions: the one that began first, with the lower number, commits last."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: nothing can commit out of order")
    first, second = report(d), report(d)
    seen: list[int] = []
    monkeypatch.setattr(followers, "WORTH_SKIPPING", 0)

    def read(events):
        seen.extend(e.seq for e in events if e.verb == "urge")

    followers.register("late-test", read, skips=skips)
    wrote, go_on = threading.Event(), threading.Event()
    try:

        def slow() -> None:
            with transaction.atomic():
                act(first.pk, "urge", by=TRACKER)
                wrote.set()
                go_on.wait(20)
            connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        assert wrote.wait(20)
        act(second.pk, "urge", by=TRACKER)
        followers.catch_up()
        early = list(seen)
        go_on.set()
        thread.join(20)
        for _ in range(200):
            # A transaction of anybody on the same server holds the followers back, also one of another database.
            followers.catch_up()
            if len(seen) == 2:
                break
            threading.Event().wait(0.1)
    finally:
        followers._registry.pop("late-test")
    wanted = set(Event.objects.filter(verb="urge").values_list("seq", flat=True))
    assert early == []
    assert set(seen) == wanted
    assert len(seen) == 2


def test_an_impossible_race_ends_with_one_winner_and_a_sentence_for_the_rest(d):
    order = walk(d, report(d), "sign", "take", "arrive")
    by = d.actor("worker")
    results = at_once(lambda: act(order.pk, "done", by=by) for _ in range(4))
    assert sorted(type(r).__name__ for r in results) == ["ImpossibleVerb"] * 3 + ["Order"]
    assert Event.objects.filter(order=order, verb="done").count() == 1


def test_who_waited_while_the_order_was_given_to_another_does_not_act_on_it_as_theirs(d):
    order = walk(d, report(d), "sign", "take")
    (other,) = crew(d, 1)
    mine = Worker.objects.get(user_id=other.scope.user_id)
    manager, old = d.actor("manager"), d.actor("worker")
    given, go_on = threading.Event(), threading.Event()

    def give_away() -> None:
        with transaction.atomic():
            act(order.pk, "assign", by=manager, data={"worker": str(mine.pk)})
            given.set()
            go_on.wait(1)

    def depart() -> Order:
        given.wait(20)
        return act(order.pk, "depart", by=old)

    results = at_once([give_away, depart])
    assert isinstance(results[1], NotFound | NotYours), results
    assert Order.objects.get(pk=order.pk).state == "assigned"


def test_one_order_that_the_database_refuses_takes_no_other_down_with_it(d, monkeypatch):
    real = group.write_drafts

    def picky(drafts: Any, numbers: Any) -> None:
        if any(draft.text.description == "bad" for draft in drafts):
            raise DataError("refused")
        real(drafts, numbers)

    monkeypatch.setattr(group, "write_drafts", picky)
    words = ["good", "bad", "fine", "well"]
    news = [NewOrder(category="leak", description=word, estate=d.estate.code) for word in words]
    jobs = [lambda new=new: accept_one(new, by=STRANGER, caller="c") for new in news]
    results: list[Any] = []
    together = threading.Thread(target=lambda: results.extend(at_once(jobs)))
    with group._lock:
        together.start()
        for _ in range(1000):
            # All wait behind the lock, so that they are written as one group.
            if len(group._queue) == len(news):
                break
            threading.Event().wait(0.01)
    together.join(60)
    assert [type(result).__name__ for result in results] == ["tuple", "DataError", "tuple", "tuple"]
    assert Order.objects.count() == 3


def test_a_listener_that_fails_unsays_nothing(d):
    order = report(d)

    def fail() -> None:
        raise RuntimeError("the loop is closed")

    stop = wake.listen(fail)
    try:
        assert act(order.pk, "urge", by=TRACKER).version == 2
    finally:
        stop()
    assert Order.objects.get(pk=order.pk).version == 2
