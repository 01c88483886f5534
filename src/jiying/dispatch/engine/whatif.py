"""What a wider pool would have: beside a decision, never part of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from jiying.dispatch.engine.outlook import Outlook
from jiying.dispatch.engine.ranking import Ranking
from jiying.dispatch.engine.travel import Crow
from jiying.dispatch.engine.world import Candidate, Job, Settings


@dataclass(frozen=True, slots=True)
class Outside:
    """`n` free people outside the pool would be there sooner than the best of the pool; the first in `minutes` (None
    where nobody would).
    """

    n: int
    minutes: int | None


def what_if(
    job: Job,
    ranking: Ranking,
    beyond: Iterable[Candidate],
    settings: Settings,
    known: Outlook | None,
    read: frozenset[str],
) -> Outside | None:
    """Who else could be there, and sooner: `beyond` of the companies that were `read`, and the free people of all
    others whom the outlook knows.  None where it is not known where the order is, or there is nobody to compare with.
    """
    if job.at is None or not job.at.is_somewhere or (known is None and not (beyond := list(beyond))):
        return None
    travel, cap = Crow.of(settings), settings.cap(job.urgency)
    best = ranking.best
    limit = float("inf")
    if best is not None and best.minutes is not None:
        # Who has orders in hand is there later than the way alone takes; those counted here are free.
        limit = best.minutes + best.candidate.load * settings.load_min
    found = []
    for one in beyond:
        if one.at is None or not one.at.is_somewhere or one.barred or not one.on_duty or one.load:
            continue
        if job.skill and job.skill not in one.skills:
            continue
        trip = travel.trip(one.at, job.at)
        if trip.metres <= cap and trip.minutes < limit:
            found.append(trip.minutes)
    if known is not None:
        found += _crowd(known, job, cap, limit, settings, read)
    return Outside(len(found), round(min(found)) if found else None)


def _crowd(known: Outlook, job: Job, cap: float, limit: float, settings: Settings, read: frozenset[str]) -> list[float]:
    """Minutes of the free people of other companies who would be there before `limit`."""
    assert job.at is not None
    x, y = known.plane.km(job.at)
    km = np.hypot(known.crowd[:, 0] - x, known.crowd[:, 1] - y)
    fits = km * 1000 <= cap
    if job.skill in known.skills:
        fits &= known.crowd[:, 2].astype(np.int64) >> known.skills.index(job.skill) & 1 == 1
    others = np.array([company not in read for company in known.companies], bool)
    if len(others):
        fits &= others[known.crowd[:, 3].astype(np.int64)]
    minutes = km[fits] * settings.detour / settings.speed_km_h * 60 + settings.access_min
    return [float(one) for one in minutes[minutes < limit]]
