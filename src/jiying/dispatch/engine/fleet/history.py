"""What another day teaches: where orders come from, of which kind, how long they take, when they come."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

OUTLOOK_MIN = 10.0


class History(NamedTuple):
    """Orders of another day: reported (min), places [order, 2] km, emergency 0 or 1, skill (or -1), service (min)."""

    reported: np.ndarray
    places: np.ndarray
    emergency: np.ndarray
    skill: np.ndarray
    service: np.ndarray


def outlook(past: History | None, pace_min: float, ahead_min: float) -> np.ndarray:
    """By ten minutes of the day: how much denser emergencies came in the time ahead than the fading count had them."""
    slots = int(1440 / OUTLOOK_MIN)
    flat = np.ones(slots)
    if past is None:
        return flat
    times = np.sort(past.reported[past.emergency == 1])
    if len(times) < 50:
        return flat
    for slot in range(slots):
        now = slot * OUTLOOK_MIN
        before = times[times <= now]
        pace = float(np.exp(-(now - before) / pace_min).sum()) / pace_min + 0.05
        ahead = float(np.count_nonzero((times > now) & (times <= now + ahead_min))) / ahead_min + 0.05
        flat[slot] = min(max(ahead / pace, 0.5), 3.0)
    return flat


def finished(past: History | None) -> tuple[float, float, float]:
    """Weight, sum and sum of squares of the logarithm of the minutes that jobs took, as a prior; zeros without one."""
    if past is None or not len(past.service):
        return 0.0, 0.0, 0.0
    logs = [math.log(max(minutes, 0.5)) for minutes in past.service.tolist()]
    weight = min(len(logs), 200) / len(logs)
    return weight * len(logs), weight * math.fsum(logs), weight * math.fsum(log * log for log in logs)
