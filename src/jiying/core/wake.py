"""Waking those who wait for new events, inside one process.

A signal only wakes: whoever waits also looks by itself every half second, since other processes write too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

_condition = threading.Condition()
_count = 0
_listeners: list[Callable[[], None]] = []


def wake() -> None:
    """Say that events were committed."""
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
    """Call `callback` at each signal, from the thread that wrote; returns the way to stop."""
    _listeners.append(callback)
    return lambda: _listeners.remove(callback)
