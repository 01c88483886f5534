"""Writes of imports: `stage` a file, `apply` it, `revert` it, `discard` it.

    imported = stage("orders", path, load("baltimore311"), by=user, original_name="requests.xlsx")
    apply(imported.pk, progress=…)      # again after a crash: goes on where it stopped
    revert(imported.pk)

The functions are for the command line, pages and jobs alike; `docs/imports.md` tells what they promise.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from jiying.exchange.applying import apply, discard, revert
from jiying.exchange.models import Import, ImportRow, Stage
from jiying.exchange.staging import stage

KEEP = timedelta(days=90)
"""How long refused rows keep what they said, for their rejects file."""


def forget_old(now: datetime) -> int:
    """Erase what rows of imports older than `KEEP` said; returns how many imports.

    Verdicts and reasons stay.  One that is half-way through keeps what it needs to end.
    """
    old = Import.objects.filter(began_at__lt=now - KEEP, forgotten=False)
    ids = list(old.exclude(stage__in=(Stage.APPLYING, Stage.REVERTING)).values_list("pk", flat=True))
    ImportRow.objects.filter(imported_id__in=ids).update(sealed=b"")
    Import.objects.filter(pk__in=ids, stage=Stage.STAGED).update(stage=Stage.DISCARDED)
    Import.objects.filter(pk__in=ids).update(forgotten=True)
    return len(ids)


__all__ = ["KEEP", "apply", "discard", "forget_old", "revert", "stage"]
