"""The outlook of each district, as it was published last: read by everybody who decides or suggests.

A process reads a district's anew after twenty seconds; one that is older than ten minutes says nothing any more, and
people are put in order by nearness alone.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta

from jiying.dispatch.engine.outlook import Outlook, unpacked
from jiying.dispatch.models import Look

log = logging.getLogger("jiying.dispatch")

READ_EVERY_S = 20.0
GOOD_FOR = timedelta(minutes=10)

_kept: dict[str, tuple[float, Outlook | None]] = {}
_lock = threading.Lock()


def of(district: str, now: datetime) -> Outlook | None:
    """What is known of `district` at `now`; None where nothing is, or nothing new enough."""
    clock = time.monotonic()
    with _lock:
        read_at, found = _kept.get(district, (-READ_EVERY_S, None))
    if clock - read_at >= READ_EVERY_S:
        found = _read(district)
        with _lock:
            _kept[district] = (clock, found)
    return found if found is not None and abs(now - found.at) <= GOOD_FOR else None


def _read(district: str) -> Outlook | None:
    row = Look.objects.filter(district=district).first()
    if row is None:
        return None
    try:
        return unpacked(bytes(row.outlook))
    except Exception:
        # Whatever these bytes are: who goes is decided without them.
        log.exception("the outlook of %s cannot be read; people are put in order by nearness", district)
        return None


def publish(district: str, outlook: Outlook) -> None:
    """Let every process read it from now on."""
    Look.objects.update_or_create(district=district, defaults={"at": outlook.at, "outlook": outlook.packed()})
    with _lock:
        _kept[district] = (time.monotonic(), outlook)


def forget() -> None:
    """Read every outlook anew."""
    with _lock:
        _kept.clear()
