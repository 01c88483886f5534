"""How good a day was: emergencies on site within 30 minutes, ordinary orders within 240."""

from __future__ import annotations

from typing import Any

import numpy as np

from jiying.dispatch.days.reading import Day
from jiying.dispatch.engine.fleet.world import EMERGENCY_MIN, ORDINARY_MIN

TOLERANCE_MIN = 0.01


def judge(day: Day, arrived: np.ndarray, seen: np.ndarray) -> dict[str, Any]:
    """Figures of the orders `seen` (rows of the table); `arrived`: minute on site by row, inf where nobody was."""
    wait = arrived - day.reported
    urgent = seen & (day.emergency == 1)
    usual = seen & (day.emergency == 0)
    in_time = wait <= EMERGENCY_MIN + TOLERANCE_MIN
    towns: dict[str, list[bool]] = {}
    for row in np.flatnonzero(urgent):
        towns.setdefault(day.order_town[row], []).append(bool(in_time[row]))
    worst = min(towns.items(), key=lambda town: (sum(town[1]) / len(town[1]), town[0]), default=None)
    return {
        "orders": int(seen.sum()),
        "unserved": int((seen & ~np.isfinite(arrived)).sum()),
        "emergency_within_30_percent": _percent(in_time[urgent]),
        "ordinary_within_240_percent": _percent(wait[usual] <= ORDINARY_MIN + TOLERANCE_MIN),
        "worst_town": {"town": worst[0], "emergency_within_30_percent": _percent(np.array(worst[1]))}
        if worst
        else None,
    }


def _percent(those: np.ndarray) -> float | None:
    return round(100 * float(those.mean()), 2) if len(those) else None
