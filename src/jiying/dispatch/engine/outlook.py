"""What is known of a district when somebody is sent: what each place loses without one of its people, how long work
takes, how many will be on duty.

Made once a minute by whoever keeps the world (`dispatch.world`), read by everybody who decides or suggests; plain
NumPy, so that a page can read it without what is compiled.
"""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from jiying.dispatch.engine.fleet.prices import Prices, Road
from jiying.dispatch.engine.travel import EARTH_M
from jiying.dispatch.engine.world import Spot

VERSION = "fleet-1"
"""Stands in the event of every decision that was made with an outlook."""

SLOT_MIN = 15.0
AHEAD_SLOTS = 24
"""Staffing is known for so many quarters of an hour: longer than an ordinary order may wait."""

Grid = npt.NDArray[np.float64]
PRICES, ROAD = Prices(), Road()


@dataclass(frozen=True, slots=True)
class Plane:
    """Degrees to kilometres around `origin`: for a district the error is below a thousandth."""

    origin: Spot

    def km(self, spot: Spot) -> tuple[float, float]:
        """East and north of the origin.

        >>> Plane(Spot(121.5, 31.2)).km(Spot(121.5, 31.2))
        (0.0, 0.0)
        """
        east, north = self._per_degree
        return (spot.lon - self.origin.lon) * east, (spot.lat - self.origin.lat) * north

    def all_km(self, degrees: Grid) -> tuple[Grid, Grid]:
        """The same of many places at once: [place, 2] longitudes and latitudes."""
        east, north = self._per_degree
        return (degrees[:, 0] - self.origin.lon) * east, (degrees[:, 1] - self.origin.lat) * north

    @property
    def _per_degree(self) -> tuple[float, float]:
        turn = math.pi / 180 * EARTH_M / 1000
        return turn * math.cos(math.radians(self.origin.lat)), turn


@dataclass(frozen=True)
class Outlook:
    """A district as of `at` (aware).

    `lost` [skill, cell]: the share of an emergency that is late for want of one more person with that skill there
    (`fleet.cover`); cells of `cell_km` in `rows` × `columns` from (`x0`, `y0`) km on `plane`.  `work`: mean and
    spread of the logarithm of the minutes of a job.  `staffing` [skill, quarter of an hour from the one of `at`]:
    people on duty.  `pressure`, `value`: how much ordinary orders press, and what they are worth (`fleet.usual`).
    `load`: the share of those on duty whom emergencies alone keep busy.  `crowd` [person, 4]: who is on duty and free:
    km, km, a bit for each of `skills`, number of the company in `companies` (ids); of persons no id is kept.  `staff`:
    how many are on duty, free or not; `shares` [skill] of the emergencies of late, adding up to 1.
    """

    at: datetime
    plane: Plane
    x0: float
    y0: float
    cell_km: float
    rows: int
    columns: int
    skills: tuple[str, ...]
    lost: Grid
    work: tuple[float, float]
    staffing: Grid
    pressure: float
    value: float
    load: float
    crowd: Grid
    companies: tuple[str, ...]
    staff: int = 0
    shares: tuple[float, ...] = ()

    @property
    def work_min(self) -> float:
        """The expected minutes of a job."""
        return math.exp(self.work[0] + 0.5 * self.work[1] ** 2)

    def longer(self, minutes: float) -> float:
        """The probability that a job takes longer (lognormal)."""
        if minutes <= 0.0:
            return 1.0
        return 0.5 * math.erfc((math.log(minutes) - self.work[0]) / self.work[1] * 0.7071067811865476)

    def price(self, at: Spot, skills: frozenset[str], duty_min: float | None) -> float:
        """What is lost without somebody who stands at `at`, with `duty_min` minutes left of their shift; 0 to 1."""
        x, y = self.plane.km(at)
        column = int(min(max((x - self.x0) / self.cell_km, 0.0), self.columns - 1.0))
        row = int(min(max((y - self.y0) / self.cell_km, 0.0), self.rows - 1.0))
        spare = 1.0
        for number, skill in enumerate(self.skills):
            if skill in skills:
                spare *= 1.0 - float(self.lost[number, row * self.columns + column])
        left = 1.0 if duty_min is None else min(1.0, max(0.0, duty_min / PRICES.horizon))
        return PRICES.reserve * (1.0 - spare) * left

    def theta(self, skill: str, left_min: float, wait_min: float = 0.0) -> float:
        """What it is worth to serve an ordinary order, `left_min` before its limit, `wait_min` from now
        (`fleet.usual.worth_now`).
        """
        left = left_min - wait_min - ROAD.access_min
        if left < 0.0:
            return PRICES.lapsed
        row = self.staffing[self.skills.index(skill)] if skill in self.skills else self.staffing.max(axis=0)
        begin = (self.at.timestamp() % (SLOT_MIN * 60)) / 60 + wait_min
        edges = np.arange(len(row)) * SLOT_MIN
        share = np.clip(np.minimum(edges + SLOT_MIN, begin + left) - np.maximum(edges, begin), 0.0, None)
        present = max(float(row[min(int(begin / SLOT_MIN), len(row) - 1)]), 1.0)
        there = float((share * row).sum()) / present
        part = min(max(1.0 - there / PRICES.patience / 240.0 + self.pressure, 0.0), 1.0)
        least = min(PRICES.least, self.value)
        return float(least + (self.value - least) * part**PRICES.bend)

    def packed(self) -> bytes:
        """As it is kept; `unpacked` reads it."""
        told = {
            "at": self.at.astimezone(UTC).isoformat(), "origin": [self.plane.origin.lon, self.plane.origin.lat],
            "x0": self.x0, "y0": self.y0, "cell_km": self.cell_km, "rows": self.rows, "columns": self.columns,
            "skills": self.skills, "work": self.work, "pressure": self.pressure, "value": self.value,
            "load": self.load, "companies": self.companies, "staff": self.staff, "shares": self.shares,
        }  # fmt: skip
        out = io.BytesIO()
        np.savez_compressed(
            out, told=np.array(json.dumps(told)), lost=self.lost, staffing=self.staffing, crowd=self.crowd
        )
        return out.getvalue()


def unpacked(kept: bytes) -> Outlook:
    """The outlook that was packed.

    Raises:
        ValueError, KeyError, OSError: these bytes are none.
    """
    with np.load(io.BytesIO(kept), allow_pickle=False) as parts:
        told = json.loads(str(parts["told"]))
        lost, staffing, crowd = parts["lost"], parts["staffing"], parts["crowd"]
    for name in ("skills", "work", "companies", "shares"):
        told[name] = tuple(told.get(name, ()))
    at, plane = datetime.fromisoformat(told.pop("at")), Plane(Spot(*told.pop("origin")))
    return Outlook(at=at, plane=plane, lost=lost, staffing=staffing, crowd=crowd, **told)
