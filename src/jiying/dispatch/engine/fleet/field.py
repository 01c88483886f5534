"""The grid of coverage: what is kept of it (`cover` says what it means)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

NORM_EVERY = 4.0  # steps of the table of tails for each doubling of the mean
LOWEST = 2.0**-8


class Field(NamedTuple):
    """The grid and what is known of it; see above."""

    x0: float
    y0: float
    cell_km: float
    nx: int
    ny: int
    disc_x: np.ndarray
    disc_y: np.ndarray
    rate: np.ndarray
    want: np.ndarray
    have: np.ndarray
    worth: np.ndarray
    lost: np.ndarray  # [skill, cell] `worth` over the disc around a cell, at most 1, as it was at
    lost_at: np.ndarray  # [skill, cell] this turn of `worth` (`TURN`)
    prior: np.ndarray  # [cell] share of demand expected before anything was seen
    seen: np.ndarray  # [cell] orders seen, older ones fading
    seen_skill: np.ndarray  # [skill] emergencies seen, with the prior
    tail: np.ndarray  # [mean, n] P(N >= n)
    outlook: np.ndarray  # by ten minutes: how much denser the time ahead is, by another day's record
    known: np.ndarray  # see PACE and those beside it


PACE, PACE_AT, SERVICE_N, SERVICE_SUM, SERVICE_SQUARES, LOOKED_AT, FILLED_AT, MOVED_AT, LOAD, TURN = range(10)
"""Places of `known`: emergencies a minute, fading; as of when; finished jobs, sum and sum of squares of the logarithm
of their minutes, all with a prior; when the grid was last worked out; when ordinary orders, and moves, were last
decided; the share of those on duty that emergencies alone keep busy; how often `worth` was changed."""
