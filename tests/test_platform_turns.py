"""Writers of one process take turns on SQLite, and nobody waits for ever."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from jiying.config.sqlite.base import Turns
from jiying.people.models import User

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL has many writers"),
]


def _thread(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_turns_are_handed_on_in_the_order_of_asking():
    turns, order = Turns(), []
    assert turns.take(1)

    def ask(name: int) -> None:
        assert turns.take(10)
        order.append(name)
        turns.give()

    threads = []
    for name in range(5):
        threads.append(threading.Thread(target=ask, args=(name,)))
        threads[-1].start()
        while len(turns._waiting) < name + 1:
            threading.Event().wait(0.001)
    turns.give()
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]
    assert turns.take(0)


def test_a_turn_that_does_not_come_in_time_is_not_lost_to_the_others():
    turns = Turns()
    assert turns.take(1)
    assert not turns.take(0.01)
    turns.give()
    assert turns.take(0)


def test_two_who_write_without_a_pause_alternate():
    stop = threading.Event()
    done = []

    def busy() -> None:
        while not stop.is_set():
            with transaction.atomic():
                User.objects.filter(username="nobody").update(name="x")
            done.append(1)

    connection.ensure_connection()
    thread = _thread(busy)
    try:
        waits = []
        for number in range(30):
            began = len(done)
            with transaction.atomic():
                User.objects.create(username=f"new-{number}")
            waits.append(len(done) - began)
    finally:
        stop.set()
        thread.join(10)
    # Turn by turn: without them one of the two does dozens of steps while the other sleeps.
    assert 1 <= sorted(waits)[len(waits) // 2] <= 2
    assert max(waits) < 100


@pytest.mark.parametrize("ending", ["commit", "rollback", "close"])
def test_however_a_transaction_ends_the_next_writer_gets_its_turn(ending):
    def first() -> None:
        try:
            with transaction.atomic():
                User.objects.create(username="first")
                if ending == "close":
                    connection.close()
                if ending == "rollback":
                    raise ValueError
        except (ValueError, DatabaseError):
            pass

    _thread(first).join(10)
    began = time.monotonic()
    with transaction.atomic():
        User.objects.create(username="second")
    assert time.monotonic() - began < 5
    assert User.objects.filter(username="first").exists() == (ending == "commit")


def test_a_transaction_that_cannot_begin_gives_its_turn_back(monkeypatch):
    from django.db.backends.sqlite3 import base

    with monkeypatch.context() as patch:

        def refuse(self: object) -> None:
            raise OperationalError("disk I/O error")

        patch.setattr(base.DatabaseWrapper, "_start_transaction_under_autocommit", refuse)
        with pytest.raises(OperationalError), transaction.atomic():
            pass
    with transaction.atomic():
        User.objects.create(username="after")


def _another_process() -> sqlite3.Connection:
    """A connection that knows nothing of turns, and holds SQLite's lock."""
    connection.ensure_connection()
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_who_waits_for_another_process_asks_every_millisecond_and_begins_in_the_first_gap(monkeypatch):
    other, pauses = _another_process(), []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 20:
            other.rollback()

    monkeypatch.setattr("jiying.config.sqlite.base.time.sleep", pause)
    with transaction.atomic():
        User.objects.create(username="in the gap")
    assert pauses == [0.001] * 20
    [patience_ms] = connection.connection.execute("PRAGMA busy_timeout").fetchone()
    assert patience_ms == 1000 * connection.settings_dict["OPTIONS"]["timeout"], "statements alone wait as before"
    other.close()


def test_who_waits_in_vain_hears_it_and_gives_the_turn_back(monkeypatch):
    other = _another_process()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.05)
    with pytest.raises(OperationalError, match="database is locked"), transaction.atomic():
        pass
    other.close()
    with transaction.atomic():
        User.objects.create(username="after")
