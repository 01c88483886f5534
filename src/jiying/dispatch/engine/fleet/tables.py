"""The rows the kernels work on: one record a worker, an order, a trip.

Minutes since 00:00, kilometres.  Records, not objects, so that compiled code reads them as they lie in memory.
"""

from __future__ import annotations

import numpy as np

OFF, IDLE, GOING, MOVING, BUSY = 0, 1, 2, 3, 4
"""A worker is off duty, waits, is on the way to an order and can be turned round, moves without an order, or is
committed to an order: on the last stretch, or at work."""

OPEN, TAKEN, BEGUN, DONE, NEVER = 0, 1, 2, 3, 4
"""An order waits, has somebody on the way who can be turned round, has somebody committed, is done, or can be
served by nobody at all."""

WORKER = np.dtype(
    [
        ("x", "f8"),
        ("y", "f8"),  # where they stand, or will stand at free_min
        ("free_min", "f8"),  # since when, or when, they stand there; of no meaning while BUSY
        ("home_x", "f8"),
        ("home_y", "f8"),
        ("goal_x", "f8"),
        ("goal_y", "f8"),
        ("arrive_min", "f8"),  # BUSY: when they are at the order
        ("duty_from", "f8"),
        ("duty_to", "f8"),  # the shift that runs, or the next one; inf when there is none left
        ("idle_since", "f8"),
        ("moved_at", "f8"),
        ("price", "f8"),  # what is lost without them, as of the last look
        ("counted", "f8"),  # the share of a worker with which they count in the coverage
        ("cell", "i8"),  # and where; -1 when they do not
        ("skills", "i8"),  # one bit a skill
        ("order", "i8"),
        ("shift", "i8"),  # row of the shifts
        ("last_shift", "i8"),
        ("team", "i8"),
        ("town", "i8"),
        ("state", "i8"),
        ("moves", "i8"),  # in this shift
    ],
    align=True,
)

ORDER = np.dtype(
    [
        ("x", "f8"),
        ("y", "f8"),
        ("reported", "f8"),
        ("limit", "f8"),  # when it is to be on site
        ("team", "i8"),
        ("town", "i8"),
        ("skill", "i8"),
        ("emergency", "i8"),
        ("state", "i8"),
        ("worker", "i8"),
    ],
    align=True,
)

TRIP = np.dtype(
    [("worker", "i8"), ("order", "i8"), ("depart", "f8"), ("arrive", "f8"), ("x", "f8"), ("y", "f8")],
    align=True,
)
"""`order` -1: a move.  Complete when the worker departs, so that nothing later can change it."""
