"""What the charts show, as numbers on a grid of 100: drawn as SVG by the templates.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from jiying.supervision.figures import ARRIVED, CONTACTED, Kept, Tally, histogram, share

BINS = (0, 5, 10, 15, 20, 25, 31, 46, 61)
"""Lower bounds of the minutes to arrival; thirty whole minutes are still in time."""

BIN_NAMES = ("0–4", "5–9", "10–14", "15–19", "20–24", "25–30", "31–45", "46–60", ">60")


@dataclass(frozen=True, slots=True)
class Bar:
    """A column: `height` and, above it, `more` in percent of the tallest; `n` in words of the chart."""

    label: str
    n: int
    height: float
    more: float = 0.0
    late: bool = False
    share: float | None = None


def minute_bars(tally: Tally) -> list[Bar]:
    """How many emergencies were reached after how many minutes."""
    counted = histogram(tally.counts, BINS)
    most = max(counted, default=0)
    return [
        Bar(name, n, 100 * n / most if most else 0.0, late=low > 30)
        for name, n, low in zip(BIN_NAMES, counted, BINS, strict=True)
    ]


def hour_bars(tally: Tally) -> list[Bar]:
    """By the hour of the report: how many emergencies were reached in time, and above them those that were not."""
    kept = [Kept.of(tally, f"h.{hour}") for hour in range(24)]
    most = max((one.due for one in kept), default=0)
    return [
        Bar(
            str(hour),
            one.due,
            100 * one.met / most if most else 0.0,
            100 * one.missed / most if most else 0.0,
            share=share(one.met, one.due),
        )
        for hour, one in enumerate(kept)
    ]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the trend; shares are 0..1 or None."""

    day: date
    arrived: float | None
    contacted: float | None
    due: int


def trend(days: Sequence[tuple[date, Tally]]) -> list[Day]:
    """Both headlines of the thirty minutes, day by day."""
    out = []
    for day, tally in days:
        arrived, contacted = Kept.of(tally, ARRIVED), Kept.of(tally, CONTACTED)
        out.append(Day(day, share(arrived.met, arrived.due), share(contacted.met, contacted.due), arrived.due))
    return out


def polylines(shares: Sequence[float | None]) -> list[str]:
    """Points in a box of 100 × 100 for the known stretches; a day without anything due breaks the line.

    >>> polylines([1.0, 0.5, None, 0.0])
    ['0.0,0.0 33.3,50.0', '100.0,100.0']
    """
    step = 100 / max(1, len(shares) - 1)
    lines: list[list[str]] = [[]]
    for i, height in enumerate(shares):
        if height is None:
            lines.append([])
        else:
            lines[-1].append(f"{i * step:.1f},{100 - 100 * height:.1f}")
    return [" ".join(points) for points in lines if points]
