"""Signals between processes: who writes tells the others, who follows is told.

A process that writes has a publisher, one that follows the log has a subscriber; each is a thread with one connection
(`wires`).  Where the wire is down, everybody goes on by looking every half second: slower, and nothing is lost.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import ClassVar

from django.conf import settings
from django.db import connection

from jiying.core import wake
from jiying.core.wires import PostgresWire, RedisWire, Wire

log = logging.getLogger("jiying.signals")

BREATH_S = 0.01
"""Between two signals of one process: many commits in it are one signal."""
HEAR_S = 1.0
CHECK_EVERY_S = 15.0
FIRST_REST_S, LONGEST_REST_S = 0.5, 10.0
"""After a wire broke: the first pause, doubled up to the longest."""

_MYSELF = secrets.token_hex(8)
_ends: list[End] = []


def carrier() -> str:
    """What passes signals on here: `redis`, `postgresql`, or `process` (nothing beyond this one)."""
    if settings.REDIS_URL:
        return "redis"
    return "postgresql" if connection.vendor == "postgresql" else "process"


def open_wire() -> Wire:
    """A new connection to what passes signals on; whatever its driver raises when that does not answer."""
    return RedisWire(settings.REDIS_URL) if settings.REDIS_URL else PostgresWire()


class End(threading.Thread):
    """One end of a wire: opens it, works on it, and opens another when it breaks, each time after a longer pause."""

    part: ClassVar[str]

    def __init__(self, stop: threading.Event, opener: Callable[[], Wire] = open_wire) -> None:
        super().__init__(name=f"signals {self.part}", daemon=True)
        self.up = False
        self._halt, self._open = stop, opener
        self._told = False

    def run(self) -> None:
        """Until the process stops."""
        rest = FIRST_REST_S
        while not self._halt.is_set():
            try:
                with closing(self._open()) as wire:
                    self._found()
                    rest = FIRST_REST_S
                    self.work(wire)
            except Exception as error:
                # Each driver has errors of its own; whichever it is, the wire is gone and polling goes on.
                self._lost(error)
                self._halt.wait(rest)
                rest = min(rest * 2, LONGEST_REST_S)
        self.up = False

    def work(self, wire: Wire) -> None:
        """Use the wire until the process stops; raises when it breaks."""
        raise NotImplementedError

    def _found(self) -> None:
        self.up = True
        if self._told:
            log.info("signals by %s are back", carrier(), extra={"facts": {"part": self.part}})
        self._told = False

    def _lost(self, error: Exception) -> None:
        self.up = False
        if not self._told:
            why = {"part": self.part, "why": type(error).__name__}
            log.warning("no signals by %s; looking every half second instead", carrier(), extra={"facts": why})
        self._told = True


class Publisher(End):
    """Tells the others that something was committed here."""

    part = "publisher"

    def __init__(self, stop: threading.Event, opener: Callable[[], Wire] = open_wire) -> None:
        super().__init__(stop, opener)
        self._asked = threading.Event()

    def say(self) -> None:
        """Tell the others soon; never waits."""
        self._asked.set()

    def work(self, wire: Wire) -> None:
        """Send what is asked for; what was asked while the wire was down is sent first."""
        checked = time.monotonic()
        while not self._halt.is_set():
            if self._asked.wait(HEAR_S):
                self._asked.clear()
                try:
                    wire.send(_MYSELF)
                except BaseException:
                    self._asked.set()
                    raise
                self._halt.wait(BREATH_S)
            elif time.monotonic() - checked > CHECK_EVERY_S:
                checked = time.monotonic()
                wire.check()


class Subscriber(End):
    """Wakes this process when another one committed something."""

    part = "subscriber"

    def work(self, wire: Wire) -> None:
        """Hear until the process stops.  What was told while nobody listened is made good by one wake-up."""
        checked, first = time.monotonic(), True
        while not self._halt.is_set():
            told = [who for who in wire.hear(0 if first else HEAR_S) if who != _MYSELF]
            if told or first:
                wake.heard()
            first = False
            if time.monotonic() - checked > CHECK_EVERY_S:
                checked = time.monotonic()
                wire.check()


def start(stop: threading.Event, *, writes: bool, follows: bool) -> None:
    """Connect this process with the others until `stop`; nothing where nothing passes signals on."""
    if carrier() == "process":
        return
    ends: list[End] = []
    if writes:
        publisher = Publisher(stop)
        wake.beyond(publisher.say)
        ends.append(publisher)
    if follows:
        ends.append(Subscriber(stop))
    for end in ends:
        end.start()
    _ends.extend(ends)


def standing() -> dict[str, str]:
    """`{"by": redis | postgresql | process, "status": ok | polling}` of this process."""
    up = all(end.up for end in _ends)
    return {"by": carrier(), "status": "ok" if up else "polling"}
