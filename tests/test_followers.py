"""Followers of the event log: what commits late is not skipped, what crashes is neither lost nor told twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest
from django.db import connection, transaction

from jiying.notices.models import Notice
from jiying.orders import followers
from jiying.orders.models import Cursor, Event
from jiying.orders.tests.build import District, district, report, walk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.late_commits]

on_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="elsewhere other tests hold events back")
on_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")


@pytest.fixture
def d(transactional_db) -> District:
    return district()


@pytest.fixture
def heard(d, monkeypatch) -> list[int]:
    """A follower alone, that notes what it is handed."""
    seqs: list[int] = []
    monkeypatch.setattr(followers, "_registry", {})
    followers.register("test", lambda events: seqs.extend(event.seq for event in events))
    return seqs


class Slow:
    """A transaction on a thread of its own, which writes and then waits to be let go."""

    def __init__(self, write: Callable[[], object]) -> None:
        self.written, self.go = threading.Event(), threading.Event()
        self._write = write
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self.written.wait(20)

    def _run(self) -> None:
        try:
            with transaction.atomic():
                self._write()
                self.written.set()
                self.go.wait(20)
        finally:
            self.written.set()
            connection.close()

    def commit(self) -> None:
        self.go.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


def _all() -> list[int]:
    return sorted(Event.objects.values_list("seq", flat=True))


def _newest(follower: followers.Follower) -> followers.Position:
    """The last event that it wants, settled or not."""
    wanted = Event.objects.exclude(verb__in=follower.skips)
    wanted = wanted.filter(verb__in=follower.only) if follower.only else wanted
    return wanted.order_by("xid", "seq").values_list("xid", "seq").last() or (0, 0)


def _read_on() -> None:
    """Let every follower read to the end.  A transaction of another test on the same server holds them up."""
    newest = {name: _newest(one) for name, one in followers._registry.items()}
    until = time.monotonic() + 30
    while True:
        followers.catch_up()
        reached = {cursor.follower: (cursor.xid, cursor.seq) for cursor in Cursor.objects.all()}
        if all(reached.get(name, (0, 0)) >= last for name, last in newest.items()):
            return
        assert time.monotonic() < until


@on_postgres
def test_what_commits_late_is_not_skipped(d, heard):
    first = Slow(lambda: report(d))
    report(d)
    visible = _all()
    assert len(visible) == 1, "the second is committed, the first is not"
    followers.catch_up()
    first.commit()
    _read_on()
    assert sorted(heard) == _all()
    assert len(heard) == 2
    assert min(heard) < visible[0], "the one that committed late has the smaller number"


@on_postgres
def test_two_that_overlap_are_told_once_each_whichever_commits_first(d, heard):
    first, second = Slow(lambda: report(d)), Slow(lambda: report(d))
    followers.catch_up()
    assert heard == []
    second.commit()
    followers.catch_up()
    first.commit()
    _read_on()
    _read_on()
    assert sorted(heard) == _all()
    assert len(set(heard)) == len(heard) == 2


@on_postgres
def test_one_that_is_rolled_back_holds_nobody_up_for_good(d, heard):
    def fail() -> None:
        report(d)
        transaction.set_rollback(True)

    failed = Slow(fail)
    report(d)
    failed.commit()
    _read_on()
    assert sorted(heard) == _all()
    assert len(heard) == 1


@on_postgres
def test_a_reader_of_the_number_alone_would_skip_it(d):
    """The trap itself, so that nobody simplifies the cursor."""
    first = Slow(lambda: report(d))
    report(d)
    naive = max(_all())
    first.commit()
    assert Event.objects.filter(seq__lt=naive).exists()
    assert not Event.objects.filter(seq__gt=naive).exists()


def test_writers_at_once_lose_nothing(d, heard):
    def write() -> None:
        try:
            for _ in range(5):
                report(d)
        finally:
            connection.close()

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        followers.catch_up()
    for writer in writers:
        writer.join()
    _read_on()
    assert len(heard) == 20
    assert sorted(heard) == _all()


def test_a_crash_while_handling_repeats_the_batch(d, monkeypatch):
    monkeypatch.setattr(followers, "_registry", {})
    kept: list[int] = []

    def crash(events: Sequence[Event]) -> None:
        raise RuntimeError("power cut")

    order = walk(d, report(d), "sign", "assign")
    followers.register("test", crash)
    with pytest.raises(RuntimeError, match="power cut"):
        _read_on()
    assert not Cursor.objects.filter(follower="test").exclude(xid=0, seq=0).exists()
    followers.register("test", lambda events: kept.extend(event.seq for event in events))
    _read_on()
    assert len(kept) == order.version
    assert kept == _all()


def test_a_crash_between_the_work_and_the_cursor_undoes_the_work(d, monkeypatch):
    walk(d, report(d), "sign", "assign")

    def cut(self, *args, **kwargs) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(Cursor, "save", cut)
        with pytest.raises(RuntimeError, match="power cut"):
            _read_on()
    assert not Notice.objects.exists()
    _read_on()
    assert Notice.objects.filter(kind="assign").count() == 1
    _read_on()
    assert Notice.objects.filter(kind="assign").count() == 1


def test_two_processes_that_follow_at_once_hand_each_event_over_once(d, heard):
    for _ in range(10):
        report(d)

    def follow() -> None:
        try:
            followers.catch_up()
        finally:
            connection.close()

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _read_on()
    assert sorted(heard) == _all()


def test_one_followers_failure_does_not_stop_the_others(d, monkeypatch):
    stop, told = threading.Event(), threading.Event()

    def broken(events: Sequence[Event]) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(followers, "_registry", {})
    followers.register("broken", broken)
    followers.register("sound", lambda events: told.set())
    loop = threading.Thread(target=followers.run_all, args=(stop,))
    loop.start()
    report(d)
    assert told.wait(10)
    stop.set()
    loop.join(10)
    assert not loop.is_alive()
    assert followers.lags() == {"broken": 1, "sound": 0}


def test_a_whole_batch_is_read_once_for_all_that_come_to_it(d, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(followers, "BATCH", 3)
    walk(d, report(d), "sign", "assign", "depart")
    reader, begin, anybody = followers.Reader(), (0, 0), followers.Follower("anybody", lambda _events: list)
    first = reader.after(begin, anybody)
    assert [event.seq for event in first] == _all()[:3]
    with django_assert_num_queries(0):
        assert reader.after(begin, anybody) is first
    reader.forget()
    assert reader.after(begin, anybody) is not first, "somebody may have taken events back"


def test_a_batch_that_may_still_grow_is_read_again(d):
    order, reader = walk(d, report(d), "sign"), followers.Reader()
    anybody = followers.Follower("anybody", lambda _events: list)
    assert [event.seq for event in reader.after((0, 0), anybody)] == _all()
    walk(d, order, "assign")
    assert [event.seq for event in reader.after((0, 0), anybody)] == _all()


def test_who_is_far_behind_keeps_nobody_waiting(d, monkeypatch):
    """They go on batch by batch, in turns."""
    monkeypatch.setattr(followers, "BATCH", 2)
    monkeypatch.setattr(followers, "_registry", {})
    turns: list[str] = []
    stop, over = threading.Event(), threading.Event()
    walk(d, report(d), "sign", "assign", "depart")

    def hear(name: str) -> Callable[[Sequence[Event]], None]:
        def heard(events: Sequence[Event]) -> None:
            turns.append(name)
            if turns.count("second") == 2:
                over.set()

        return heard

    for name in ("first", "second"):
        followers.register(name, hear(name))
    loop = threading.Thread(target=followers.run_all, args=(stop,))
    loop.start()
    assert over.wait(10)
    stop.set()
    loop.join(10)
    assert turns[:4] == ["first", "second", "first", "second"]


def test_what_a_follower_failed_on_is_read_anew(d, monkeypatch):
    """What it stumbled over may be gone: an import that was taken back."""
    monkeypatch.setattr(followers, "BATCH", 1)
    monkeypatch.setattr(followers, "_registry", {})
    stop, told, seen = threading.Event(), threading.Event(), []

    def stumble(events: Sequence[Event]) -> None:
        seen.append(events)
        if len(seen) > 1:
            told.set()
        raise RuntimeError("gone")

    report(d)
    followers.register("test", stumble)
    loop = threading.Thread(target=followers.run_all, args=(stop,))
    loop.start()
    assert told.wait(10)
    stop.set()
    loop.join(10)
    assert seen[0] is not seen[1]


def test_a_fresh_history_tells_nobody(d):
    walk(d, report(d), "sign", "assign")
    followers.skip_to_end()
    followers.catch_up()
    assert not Notice.objects.exists()
    walk(d, report(d), "sign", "assign")
    _read_on()
    assert Notice.objects.count() == 1


@on_sqlite
def test_a_signal_in_this_process_is_heard_without_waiting_for_the_next_look(d, monkeypatch):
    monkeypatch.setattr(followers, "LOOK_EVERY_S", 30)
    monkeypatch.setattr(followers, "_registry", {})
    stop, told, began = threading.Event(), threading.Event(), threading.Event()
    followers.register("test", lambda events: told.set())
    begin = followers.close_old_connections
    monkeypatch.setattr(followers, "close_old_connections", lambda: (begin(), began.set()))
    loop = threading.Thread(target=followers.run_all, args=(stop,))
    loop.start()
    assert began.wait(10)
    report(d)
    assert told.wait(10)
    stop.set()
    report(d)
    loop.join(10)
    assert not loop.is_alive()
