"""District-days of our own, in the format of the shared ones: other seeds, other sizes, other parameters."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SKILLS = ("plumbing", "electricity", "locks", "lifts", "fire")
SHARES = (0.42, 0.28, 0.12, 0.10, 0.08)
TRADES = {
    "plumbing|electricity": 0.38, "plumbing|locks": 0.16, "lifts": 0.1, "electricity|fire": 0.1, "electricity": 0.1,
    "plumbing": 0.1, "plumbing|electricity|locks": 0.06,
}  # fmt: skip
SHIFTS = {"450-960": 0.37, "870-1380": 0.36, "600-1110": 0.15, "0-450;1350-1440": 0.12}
RECALLED = {
    "450-960": "450-1320",
    "870-1380": "720-1320",
    "600-1110": "600-1320",
    "0-450;1350-1440": "0-450;720-1320",
}
BY_HOUR = (12, 9, 8, 7, 8, 9, 17, 41, 68, 78, 77, 64, 46, 53, 61, 56, 52, 50, 60, 68, 57, 38, 23, 16)


@dataclass(frozen=True)
class Made:
    """What a day is made of; `kind` normal, burst or recall.

    `burst`: so many times the reports from 12:00 to 20:00; of those on top, a share `urgent_burst` are emergencies, and
    an estate of a hot town has `hot` times its part.
    """

    seed: int = 1
    kind: str = "normal"
    orders: int = 9800
    workers: int = 1500
    estates: int = 2500
    towns: int = 36
    hot_towns: int = 8
    hot: float = 2.5
    burst: float = 4.0
    urgent: float = 0.3
    urgent_burst: float = 0.5
    service_min: float = 30.0
    spread: float = 0.55
    wide_km: float = 30.0
    high_km: float = 40.0


def make(folder: Path, made: Made) -> Path:
    """Write the day into `folder` (made if it is not there); returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(made.seed)
    size = np.array([made.wide_km, made.high_km])
    centres = rng.random((made.towns, 2)) * size
    core = (0.15 + 0.7 * rng.random(2)) * size
    dense = rng.random(made.towns) < 2 / 3
    centres[dense] = core + rng.normal(0, 0.25, (int(dense.sum()), 2)) * size
    share = rng.gamma(12.0, 1.0, made.towns) * np.where(dense, 1.6, 1.0)
    town = rng.choice(made.towns, made.estates, p=share / share.sum())
    spread_km = np.where(dense, 1.1, 2.0)[town, None]
    place = _inside(_inside(centres, size)[town] + rng.normal(0, 1.0, (made.estates, 2)) * spread_km, size).round(4)
    team = town * 3 + rng.integers(0, 3, made.estates)
    weight = rng.gamma(2.0, 1.0, made.estates)
    people = weight * rng.gamma(8.0, 1.0, made.towns * 3)[team]  # some teams are strong, some short of people
    homes = rng.choice(made.estates, made.workers, p=people / people.sum())
    trades, spans = list(TRADES), list(SHIFTS)
    trade = rng.choice(len(trades), made.workers, p=list(TRADES.values()))
    shift = [spans[i] for i in rng.choice(len(spans), made.workers, p=list(SHIFTS.values()))]
    if made.kind == "recall":
        shift = [RECALLED[span] for span in shift]
    _write(
        folder / "workers.csv.gz",
        ("worker", "x_km", "y_km", "skills", "shifts", "town", "team"),
        [
            (i, f"{place[e, 0]:.4f}", f"{place[e, 1]:.4f}", trades[trade[i]], shift[i], town[e], team[e])
            for i, e in enumerate(homes)
        ],
    )
    rows = _orders(rng, made, town, weight)
    _write(
        folder / "orders.csv.gz",
        ("order", "reported_min", "x_km", "y_km", "skill", "emergency", "service_min", "town", "team"),
        [
            (i, f"{t:.4f}", f"{place[e, 0]:.4f}", f"{place[e, 1]:.4f}", skill, urgent, f"{work:.3f}", town[e], team[e])
            for i, (t, e, skill, urgent, work) in enumerate(rows)
        ],
    )
    return folder


def _inside(places: np.ndarray, size: np.ndarray) -> np.ndarray:
    """What lies beyond a border, as far within: cut off there, it would heap up."""
    beyond = np.abs(places)
    return np.clip(size - np.abs(size - beyond), 0, size)


def _orders(rng: np.random.Generator, made: Made, town: np.ndarray, weight: np.ndarray) -> list[tuple[Any, ...]]:
    """Minute, estate, skill, emergency, minutes of work, by minute; a burst comes on top of an ordinary day."""
    by_hour = np.array(BY_HOUR, float)
    minute, estate = _reports(rng, made.orders, by_hour, weight)
    urgent = rng.random(made.orders) < made.urgent
    if made.kind != "normal":
        rush = np.where((np.arange(24) >= 12) & (np.arange(24) < 20), by_hour, 0.0)
        hot = np.isin(town, rng.choice(made.towns, min(made.hot_towns, made.towns), replace=False))
        more = round((made.burst - 1) * float(np.count_nonzero((minute >= 720) & (minute < 1200))))
        extra = _reports(rng, more, rush, weight * np.where(hot, made.hot, 1.0))
        minute, estate = np.append(minute, extra[0]), np.append(estate, extra[1])
        urgent = np.append(urgent, rng.random(more) < made.urgent_burst)
    skill = rng.choice(len(SKILLS), len(minute), p=SHARES)
    work = made.service_min * np.exp(rng.normal(0, made.spread, len(minute)))
    return [
        (minute[row], estate[row], SKILLS[skill[row]], int(urgent[row]), work[row])
        for row in np.argsort(minute, kind="stable").tolist()
    ]


def _reports(rng: np.random.Generator, many: int, by_hour: np.ndarray, weight: np.ndarray) -> tuple[Any, Any]:
    """Minutes and estates of `many` reports."""
    hour = rng.choice(24, many, p=by_hour / by_hour.sum())
    return ((hour + rng.random(many)) * 60).round(4), rng.choice(len(weight), many, p=weight / weight.sum())


def _write(path: Path, names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    with gzip.open(path, "wt", newline="", encoding="utf-8") as lines:
        table = csv.writer(lines)
        table.writerow(names)
        table.writerows(rows)
