"""The plan of a day, as the referee reads it: one row a trip."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from jiying.core.errors import BadInput
from jiying.dispatch.days.reading import Day

HEAD = "worker,order,depart_min,arrive_min,finish_min,x_km,y_km\n"


def rows_of(day: Day, feed_rows: np.ndarray, trips: np.ndarray, until: float | None) -> list[str]:
    """The lines of the trips that depart before `until`, by (depart_min, worker as text).

    `feed_rows`: which row of the day's table an order of `trips` is.
    """
    departs = np.round(trips["depart"], 4)
    kept = trips if until is None else trips[departs < until]
    finish = kept["arrive"].copy()
    served = kept["order"] >= 0
    table_row = np.where(served, feed_rows[kept["order"]] if len(feed_rows) else 0, 0)
    finish[served] += day.service[table_row[served]]
    columns = (
        kept["worker"].tolist(), np.where(served, table_row, -1).tolist(), np.round(kept["depart"], 4).tolist(),
        kept["arrive"].tolist(), finish.tolist(), kept["x"].tolist(), kept["y"].tolist(),
    )  # fmt: skip
    found = [
        (depart, _cell(day.workers[worker]), order, arrive, end, x, y)
        for worker, order, depart, arrive, end, x, y in zip(*columns, strict=True)
    ]
    found.sort()
    names = [_cell(name) for name in day.orders]
    return [
        f"{worker},{names[order] if order >= 0 else ''},{depart:.4f},{arrive:.4f},{end:.4f},{x:.4f},{y:.4f}\n"
        for depart, worker, order, arrive, end, x, y in found
    ]


def _cell(text: str) -> str:
    """A field of a CSV file."""
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\n\r') else text


def write_plan(path: Path, lines: list[str]) -> None:
    """Write the plan, whole or not at all.

    Raises:
        BadInput: the place cannot be written to.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(HEAD + "".join(lines), encoding="utf-8", newline="")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise BadInput.of("out", "invalid", f"{path} cannot be written: {error.strerror}") from error
