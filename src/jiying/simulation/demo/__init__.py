"""The demo district: Pudong's towns, everything else made up, with a history lived on a virtual clock.

place      what stands still: divisions, estates, companies, people
history    the orders of the last days
"""

from __future__ import annotations

import time
from collections.abc import Callable

from jiying.estates.models import Estate, Worker
from jiying.orders.models import Event, Order
from jiying.simulation.demo.history import live_through
from jiying.simulation.demo.place import Demo, Size, build
from jiying.supervision.rebuilding import rebuild

__all__ = ["Demo", "Size", "seed"]


def seed(size: Size, progress: Callable[[str], None] = lambda _text: None) -> dict[str, int | float]:
    """Make the demo; returns the counts that `jiying seed --json` prints."""
    began = time.monotonic()
    demo = build(size)
    progress(f"{len(demo.estates)} estates, {size.workers} workers")
    live_through(demo, size, progress)
    rebuild()
    return {
        "estates": Estate.objects.count(),
        "workers": Worker.objects.count(),
        "orders": Order.objects.count(),
        "events": Event.objects.count(),
        "seconds": round(time.monotonic() - began, 1),
    }
