"""The collector of garbage: what a program has loaded stays, and need not be looked through again and again.

In a program of this size one such look takes a fifth of a second, at moments when somebody waits.
"""

from __future__ import annotations

import gc

SELDOM = (20_000, 20, 50)
"""How many new objects make it look, for bulk work: rows are let go of by themselves."""


def settle(*, bulk: bool = False) -> None:
    """Call once everything is loaded.  `bulk`: hundreds of thousands of rows follow, one after the other."""
    gc.collect()
    gc.freeze()
    if bulk:
        gc.set_threshold(*SELDOM)
