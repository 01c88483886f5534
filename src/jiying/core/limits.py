"""How often one address may write at the public doors: settings.PUBLIC_RATE, for example `30/min`, or `off`.

Counted in the memory of one process; several processes behind one port together allow so many times more.
"""

from __future__ import annotations

import math
import time
from functools import lru_cache

from django.conf import settings
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

_SHORT = {"sec": "second", "min": "minute", "hr": "hour"}
_limiter = MovingWindowRateLimiter(MemoryStorage())


@lru_cache(maxsize=8)
def rate_of(text: str) -> RateLimitItem | None:
    """The rate that `text` says; None for `off`.  ValueError when it says none.

    >>> rate_of("30/min")
    30 per 1 minute
    >>> rate_of("off") is None
    True
    """
    if text.strip().lower() == "off":
        return None
    amount, _, span = text.strip().lower().partition("/")
    return parse(f"{amount}/{_SHORT.get(span.strip(), span.strip())}")


def allow(address: str) -> float | None:
    """Count one write from `address`: None when it may go on, else after how many seconds to try again."""
    rate = rate_of(settings.PUBLIC_RATE)
    if rate is None or _limiter.hit(rate, "public", address):
        return None
    again = _limiter.get_window_stats(rate, "public", address).reset_time
    return float(max(1, math.ceil(again - time.time())))


def forget() -> None:
    """Start counting anew, for tests."""
    _limiter.storage.reset()
