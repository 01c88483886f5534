"""Writes of imports: `stage` a file, `apply` it, `revert` it, `discard` it.

    imported = stage("orders", path, load("baltimore311"), by=user, original_name="requests.xlsx")
    apply(imported.pk, progress=…)      # again after a crash: goes on where it stopped
    revert(imported.pk)

The functions are for the command line, pages and jobs alike; `docs/imports.md` tells what they promise.
"""

from __future__ import annotations

from jiying.exchange.applying import apply, discard, revert
from jiying.exchange.staging import KEEP, forget_old, stage

__all__ = ["KEEP", "apply", "discard", "forget_old", "revert", "stage"]
