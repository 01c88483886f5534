"""How long a way takes.  The kernels ask only here: a road matrix can stand in its place."""

from __future__ import annotations

import math

from jiying.dispatch.engine.fleet.compiled import compiled


@compiled
def ride(min_per_km, ax, ay, bx, by):
    """Minutes from a to b."""
    return min_per_km * math.sqrt((ax - bx) * (ax - bx) + (ay - by) * (ay - by))
