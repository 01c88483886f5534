"""Shares over days, with how sure they are.  Pure.

A share is a ratio of sums: late ones of all days by all of them.  Its interval comes from how the days differ
(linearised ratio, Student's t with days − 1 degrees of freedom), not from the number of orders: orders of one day are
late together.  A difference of two scenarios is taken day by day, since both lived the same demand; its interval is
narrower than either's, which is what common random numbers are for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

LEVEL = 0.95
Z_SQUARED = 1.959964**2


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share, or a difference of shares; None where there is nothing to take it of.  `low`, `high`: its interval,
    None for one day.  `n`: of how many."""

    share: float | None
    low: float | None
    high: float | None
    n: int

    def as_data(self) -> dict[str, float | int | None]:
        return {"share": self.share, "low": self.low, "high": self.high, "n": self.n}


def share_of(met: np.ndarray, due: np.ndarray) -> Estimate:
    """The share of `due` that was `met`, both by day.

    >>> share_of(np.array([9, 9]), np.array([10, 10]))
    Estimate(share=0.9, low=0.9, high=0.9, n=20)
    """
    total = int(due.sum())
    if not total:
        return Estimate(None, None, None, 0)
    share = float(met.sum()) / total
    half = _half(_residuals(met, due))
    if half is not None and share in (0.0, 1.0):
        # Days that are all alike would seem certain: Wilson's bound says what so few orders can tell.
        away = Z_SQUARED / (total + Z_SQUARED)
        return Estimate(share, *((0.0, round(away, 6)) if share == 0 else (round(1 - away, 6), 1.0)), total)
    return Estimate(
        round(share, 6),
        None if half is None else round(max(0.0, share - half), 6),
        None if half is None else round(min(1.0, share + half), 6),
        total,
    )


def difference(met: np.ndarray, due: np.ndarray, met_before: np.ndarray, due_before: np.ndarray) -> Estimate:
    """How much the share grew from `before`, day by day of the same demand."""
    if not due.sum() or not due_before.sum():
        return Estimate(None, None, None, 0)
    grown = float(met.sum()) / int(due.sum()) - float(met_before.sum()) / int(due_before.sum())
    half = _half(_residuals(met, due) - _residuals(met_before, due_before))
    low, high = (None, None) if half is None else (round(grown - half, 6), round(grown + half, 6))
    return Estimate(round(grown, 6), low, high, int(due.sum()))


def _residuals(met: np.ndarray, due: np.ndarray) -> np.ndarray:
    """What each day adds to the error of the ratio."""
    out: np.ndarray = (met - met.sum() / due.sum() * due) / due.mean()
    return out


def _half(errors: np.ndarray) -> float | None:
    """Half the width of the interval of their mean; None for fewer than two."""
    days = len(errors)
    if days < 2:
        return None
    return quantile_t(days - 1) * math.sqrt(float((errors**2).sum()) / (days - 1) / days)


@lru_cache(maxsize=1024)
def quantile_t(degrees: int, level: float = LEVEL) -> float:
    """The two-sided quantile of Student's t, by halving, from its closed form for whole degrees of freedom.

    >>> round(quantile_t(9), 4)
    2.2622
    """
    low, high = 0.0, 1000.0
    for _step in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < level else (low, middle)
    return (low + high) / 2


def _within(t: float, degrees: int) -> float:
    """P(|T| ≤ t): a finite sum of powers of cosines (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term, total = (cosine if odd else 1.0), 0.0
    for step in range(1 + odd, degrees, 2):
        total += term
        term *= cosine**2 * step / (step + 1)
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def ninth_tenth(waits: np.ndarray) -> int | None:
    """The minutes within which nine of ten were reached, from counts by minute; None where that was never.

    The last count is of those that took longer than can be told, or forever.
    """
    total = int(waits.sum())
    if not total:
        return None
    minute = int(np.argmax(np.cumsum(waits) >= 0.9 * total))
    return minute if minute < len(waits) - 1 else None
