"""Waking those who wait for new events: in this process at once, in others by whoever passes signals on.

A signal only wakes: whoever waits also looks by itself every half second, since command lines write too and
what lies between processes (`signals`) may be down.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

_condition = threading.Condition()
_count = 0
_listeners: list[Callable[[], None]] = []
_beyond: list[Callable[[], None]] = []


def wake() -> None:
    """Say that events were committed, here and beyond this process.  Never waits, never fails."""
    heard()
    for pass_on in list(_beyond):
        pass_on()


def heard() -> None:
    """Wake this process alone: the events were committed elsewhere."""
    global _count
    with _condition:
        _count += 1
        _condition.notify_all()
    for listener in list(_listeners):
        listener()


def seen() -> int:
    """How many signals there were; hand it to `wait`."""
    return _count


def wait(since: int, timeout: float) -> int:
    """Wait until there is a signal later than `since`, or `timeout` seconds; returns the count now."""
    with _condition:
        _condition.wait_for(lambda: _count > since, timeout)
        return _count


def listen(callback: Callable[[], None]) -> Callable[[], None]:
    """Call `callback` at each signal, from the thread that wrote or heard; returns the way to stop."""
    _listeners.append(callback)
    return lambda: _listeners.remove(callback)


def beyond(pass_on: Callable[[], None]) -> None:
    """Call `pass_on` at each signal of this process, to carry it to others, as long as the process lives."""
    _beyond.append(pass_on)
