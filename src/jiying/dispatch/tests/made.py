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
    """What a day is made of; `kind` normal, burst or recall."""

    seed: int = 1
    kind: str = "normal"
    orders: int = 9800
    workers: int = 1500
    estates: int = 2500
    towns: int = 36
    hot_towns: int = 8
    burst: float = 4.0
    urgent: float = 0.3
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
    core = rng.random(2) * size
    dense = rng.random(made.towns) < 0.6
    centres[dense] = core + rng.normal(0, 0.28, (int(dense.sum()), 2)) * size
    centres = np.clip(centres, 0, size)
    town = rng.choice(made.towns, made.estates, p=rng.dirichlet(np.full(made.towns, 6.0)))
    place = np.clip(centres[town] + rng.normal(0, 1.3, (made.estates, 2)), 0, size).round(4)
    team = town * 3 + rng.integers(0, 3, made.estates)
    weight = rng.gamma(2.0, 1.0, made.estates)
    homes = rng.choice(made.estates, made.workers, p=weight / weight.sum())
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


def _orders(rng: np.random.Generator, made: Made, town: np.ndarray, weight: np.ndarray) -> list[tuple[Any, ...]]:
    hours = np.array(BY_HOUR, float) / sum(BY_HOUR)
    minute = np.sort((rng.choice(24, made.orders, p=hours) + rng.random(made.orders)) * 60).round(4)
    hot = np.isin(town, rng.choice(made.towns, min(made.hot_towns, made.towns), replace=False))
    calm = weight / weight.sum()
    crowd = weight * np.where(hot, 2.0, 1.0)
    rows = []
    for t in minute:
        rush = made.kind != "normal" and 720 <= t < 1200
        times = rng.poisson(made.burst - 1) + 1 if rush else 1
        for _ in range(times):
            estate = rng.choice(len(weight), p=crowd / crowd.sum() if rush else calm)
            at = min(t + rng.random() * 5, 1200.0) if rush else t
            skill = SKILLS[rng.choice(5, p=SHARES)]
            urgent = int(rng.random() < (0.48 if rush else made.urgent))
            work = float(np.exp(np.log(made.service_min) + rng.normal(0, made.spread)))
            rows.append((round(at, 4), estate, skill, urgent, work))
    return sorted(rows, key=lambda row: row[0])


def _write(path: Path, names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    with gzip.open(path, "wt", newline="", encoding="utf-8") as lines:
        table = csv.writer(lines)
        table.writerow(names)
        table.writerows(rows)
