"""Signals between processes: heard at once where something carries them, made good by looking where not."""

from __future__ import annotations

import logging
import os
import queue
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from jiying.core import signals, wake
from jiying.core.signals import Publisher, Subscriber
from jiying.core.wires import PostgresWire, RedisWire

PATIENCE_S = 20
on_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite carries no signals")


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    """Ends all that were started with it."""
    event = threading.Event()
    yield event
    event.set()
    for thread in threading.enumerate():
        if isinstance(thread, (Subscriber, Publisher)):
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture
def heard() -> Iterator[queue.Queue[float]]:
    """When this process was woken."""
    times: queue.Queue[float] = queue.Queue()
    deaf = wake.listen(lambda: times.put(time.monotonic()))
    yield times
    deaf()


def from_another_process(monkeypatch: pytest.MonkeyPatch, publisher: Publisher) -> None:
    """What `publisher` says carries another name than what this process's subscriber takes for its own."""
    monkeypatch.setattr(signals, "_MYSELF", "the subscriber's process")
    real = publisher.work

    def work(wire: Any) -> None:
        send = wire.send
        wire.send = lambda _said: send("another process")
        real(wire)

    monkeypatch.setattr(publisher, "work", work)


def until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def told_across(monkeypatch: pytest.MonkeyPatch, stop: threading.Event, heard: queue.Queue[float], opener: Any) -> None:
    subscriber, publisher = Subscriber(stop, opener), Publisher(stop, opener)
    from_another_process(monkeypatch, publisher)
    subscriber.start()
    publisher.start()
    heard.get(timeout=PATIENCE_S)  # What may have been missed before it listened.
    until(lambda: subscriber.up and publisher.up)
    began = time.monotonic()
    publisher.say()
    assert heard.get(timeout=PATIENCE_S) - began < signals.HEAR_S
    assert heard.empty()


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_postgresql_carries_a_signal_to_another_process(monkeypatch, stop, heard):
    told_across(monkeypatch, stop, heard, PostgresWire)


@pytest.mark.needs_redis
def test_redis_carries_a_signal_to_another_process(monkeypatch, stop, heard):
    url = os.environ.get("JIYING_REDIS_URL") or "redis://127.0.0.1:6379/9"
    told_across(monkeypatch, stop, heard, lambda: RedisWire(url))


class Pipe:
    """A wire in this process, that can be cut."""

    cut = False

    def __init__(self) -> None:
        if Pipe.cut:
            raise OSError("cut")
        self.told: queue.Queue[str] = _PIPE

    def send(self, said: str) -> None:
        self.check()
        self.told.put(said)

    def hear(self, timeout_s: float) -> Iterator[str]:
        self.check()
        try:
            yield self.told.get(timeout=timeout_s) if timeout_s else self.told.get_nowait()
        except queue.Empty:
            self.check()

    def check(self) -> None:
        if Pipe.cut:
            raise OSError("cut")

    def close(self) -> None:
        """Nothing is held."""


_PIPE: queue.Queue[str] = queue.Queue()


def test_what_this_process_said_itself_does_not_wake_it_again(monkeypatch, stop, heard):
    subscriber, publisher = Subscriber(stop, Pipe), Publisher(stop, Pipe)
    subscriber.start()
    heard.get(timeout=PATIENCE_S)
    publisher.start()
    publisher.say()
    until(_PIPE.empty)
    _PIPE.put("somebody else")
    heard.get(timeout=PATIENCE_S)
    assert heard.empty()


def test_a_cut_wire_is_told_once_and_found_again_with_one_wake_up(monkeypatch, stop, heard, caplog):
    monkeypatch.setattr(signals, "FIRST_REST_S", 0.01)
    monkeypatch.setattr(signals, "LONGEST_REST_S", 0.02)
    caplog.set_level(logging.INFO, "jiying.signals")
    tries: list[None] = []

    def opener() -> Pipe:
        tries.append(None)
        return Pipe()

    subscriber = Subscriber(stop, opener)
    monkeypatch.setattr(Pipe, "cut", True)
    subscriber.start()
    until(lambda: len(tries) >= 4)
    assert not subscriber.up
    assert heard.empty()
    monkeypatch.setattr(Pipe, "cut", False)
    heard.get(timeout=PATIENCE_S)
    assert subscriber.up
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "half second" in caplog.messages[0]


def test_what_was_to_be_said_while_the_wire_was_cut_is_said_afterwards(monkeypatch, stop):
    monkeypatch.setattr(signals, "FIRST_REST_S", 0.01)
    monkeypatch.setattr(Pipe, "cut", True)
    publisher = Publisher(stop, Pipe)
    publisher.start()
    for _ in range(5):
        publisher.say()
    monkeypatch.setattr(Pipe, "cut", False)
    assert _PIPE.get(timeout=PATIENCE_S) == signals._MYSELF
    until(lambda: publisher.up)
    assert _PIPE.empty(), "many commits are one signal"


@pytest.mark.needs_redis
def test_a_redis_that_goes_and_comes_back_is_heard_again(monkeypatch, stop, heard, tmp_path):
    monkeypatch.setattr(signals, "FIRST_REST_S", 0.05)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"redis://127.0.0.1:{port}/0"
    server = redis_server(port, tmp_path)
    subscriber = Subscriber(stop, lambda: RedisWire(url))
    subscriber.start()
    try:
        heard.get(timeout=PATIENCE_S)
        server.kill()
        server.wait(PATIENCE_S)
        until(lambda: not subscriber.up)
        server = redis_server(port, tmp_path)
        heard.get(timeout=PATIENCE_S)
        monkeypatch.setattr(signals, "_MYSELF", "the subscriber's process")
        until(lambda: subscriber.up)
        said = RedisWire(url)
        said.send("another process")
        said.close()
        heard.get(timeout=PATIENCE_S)
    finally:
        server.kill()
        server.wait(PATIENCE_S)


def redis_server(port: int, folder: Path) -> subprocess.Popen[bytes]:
    """A Redis of this test's own, when it answers."""
    program = shutil.which("redis-server")
    assert program is not None, "apt-get install redis-server"
    words = ["--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
    until(lambda: _answers(port))
    return process


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_where_nothing_carries_signals_nothing_is_started(monkeypatch, settings):
    settings.REDIS_URL = ""
    monkeypatch.setattr(connection, "vendor", "sqlite")
    before = threading.active_count()
    signals.start(threading.Event(), writes=True, follows=True)
    assert threading.active_count() == before
    assert signals.standing() == {"by": "process", "status": "ok"}
