"""The entitled in their order, with what speaks for each, and why everybody else was left out.

Entitlement goes before nearness: a tier is asked after the one before it, and within what may be asked the lower
tier stands first, however near somebody of a higher one is.  Within a tier by what it costs to send somebody
(`costs`), where the outlook of the district is known.  Without it: people of the house, unless they have their hands
full; then by minutes on the way, each order in hand counting as some minutes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from jiying.dispatch.engine import VERSION, outlook
from jiying.dispatch.engine.costs import Cost, cost_of
from jiying.dispatch.engine.outlook import Outlook
from jiying.dispatch.engine.travel import Crow, Travel, Trip
from jiying.dispatch.engine.world import DEFAULTS, Candidate, Doing, Job, Settings, Tier

NO_SKILL, OFF_DUTY, TOO_FAR, TOO_BUSY = "no_skill", "off_duty", "too_far", "too_busy"
NOT_ASKED, NOWHERE = "not_asked", "nowhere"
HAS_IT, DECLINED, REPLACED, RETURNED = "has_it", "declined", "replaced", "returned"
OUTSIDE = "outside"
WHY = (HAS_IT, OUTSIDE, RETURNED, DECLINED, REPLACED, NO_SKILL, OFF_DUTY, TOO_BUSY, NOWHERE, TOO_FAR, NOT_ASKED)
"""All reasons for which somebody is left out, in the order in which they are looked at; the first is told."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who can go: place in the list from 1, and what speaks for them.

    `metres`, `minutes`: None when it is not known where they, or the order, are.  `cost`: None without an outlook.
    """

    candidate: Candidate
    rank: int
    metres: float | None
    minutes: float | None
    cost: Cost | None = None

    @property
    def worker(self) -> str:
        return self.candidate.worker

    @property
    def tier(self) -> Tier:
        return self.candidate.tier


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody who cannot, and the first reason why (of `WHY`)."""

    candidate: Candidate
    why: str
    metres: float | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """A decision: `ranked` the best first; `asked` the highest tier that was asked, which is higher than the job
    said where the tiers below have nobody.
    """

    ranked: tuple[Choice, ...]
    left_out: tuple[LeftOut, ...]
    asked: Tier
    engine: str = VERSION

    @property
    def best(self) -> Choice | None:
        return self.ranked[0] if self.ranked else None

    @property
    def nearest(self) -> Choice | None:
        """Who would go if nearness alone counted: of those without anything in hand, else of all; the shadow that
        every decision is compared with.
        """
        known = [choice for choice in self.ranked if choice.minutes is not None] or self.ranked
        return min(known, key=_by_nearness, default=None)

    def unburdened(self) -> Ranking:
        """Only those who are at no work, and wanted at no emergency."""
        free = [
            one for one in self.ranked if one.candidate.doing is not Doing.WORKING and not one.candidate.urgent_in_hand
        ]
        return replace(self, ranked=tuple(replace(one, rank=place) for place, one in enumerate(free, start=1)))

    def of(self, worker: str) -> Choice | None:
        """The choice of one worker, if they can go."""
        return next((choice for choice in self.ranked if choice.worker == worker), None)

    def others_within(self, choice: Choice, minutes: float, among: frozenset[str] | None = None) -> int:
        """How many besides `choice` could be there within `minutes`; only of `among`, where that is given."""
        return sum(
            other.minutes is not None and other.minutes <= minutes
            for other in self.ranked
            if other.worker != choice.worker and (among is None or other.worker in among)
        )

    @property
    def why_not(self) -> dict[str, int]:
        """How many were left out for which reason."""
        return dict(Counter(left.why for left in self.left_out))


def rank(
    job: Job,
    candidates: Iterable[Candidate],
    settings: Settings = DEFAULTS,
    travel: Travel | None = None,
    known: Outlook | None = None,
) -> Ranking:
    """Who goes to `job`, best first.

    Nobody without the skill, off duty, with their hands full or beyond the cap is among the ranked.  A tier that
    was not asked yet is asked at once when those below have nobody.  The same input gives the same answer: ties are
    broken by the worker's id.  `known`: the outlook of the district, where there is one.
    """
    travel = travel or Crow.of(settings)
    able: list[Choice] = []
    left_out: list[LeftOut] = []
    for one in sorted(candidates, key=lambda candidate: candidate.worker):
        trip = _trip(one, job, travel)
        why = _why_not(one, job, settings, trip)
        metres = trip.metres if trip else None
        if why:
            left_out.append(LeftOut(one, why, metres))
        else:
            cost = cost_of(one, job, trip.minutes - settings.access_min, known, settings) if known and trip else None
            able.append(Choice(one, 0, metres, trip.minutes if trip else None, cost))
    asked = max(job.asked, min((choice.tier for choice in able), default=job.asked))
    left_out += [LeftOut(choice.candidate, NOT_ASKED, choice.metres) for choice in able if choice.tier > asked]
    ours = sorted(
        (choice for choice in able if choice.tier <= asked),
        key=lambda choice: _key(choice, settings, known is not None),
    )
    ranked = tuple(replace(choice, rank=place) for place, choice in enumerate(ours, start=1))
    return Ranking(ranked, tuple(left_out), asked, outlook.VERSION if known else VERSION)


def _trip(one: Candidate, job: Job, travel: Travel) -> Trip | None:
    if one.at is None or job.at is None or not (one.at.is_somewhere and job.at.is_somewhere):
        return None
    return travel.trip(one.at, job.at)


def _why_not(one: Candidate, job: Job, settings: Settings, trip: Trip | None) -> str:
    """The first reason against somebody; "" when there is none."""
    if one.barred:
        return one.barred
    if job.skill and job.skill not in one.skills:
        return NO_SKILL
    if not one.on_duty:
        return OFF_DUTY
    if one.load >= settings.load_cap:
        return TOO_BUSY
    if trip is None:
        # Only of the house's own people is it known without a map that they are near.
        return "" if one.tier is Tier.TEAM or job.at is None else NOWHERE
    return TOO_FAR if trip.metres > settings.cap(job.urgency) else ""


def _key(choice: Choice, settings: Settings, priced: bool) -> tuple[object, ...]:
    one = choice.candidate
    minutes = choice.minutes if choice.minutes is not None else float("inf")
    if priced:
        total = choice.cost.total if choice.cost is not None else float("inf")
        return (one.tier, total, not one.home, minutes, one.load, one.worker)
    first = one.home and one.load < settings.busy_from
    return (one.tier, not first, minutes + one.load * settings.load_min, one.load, one.worker)


def _by_nearness(choice: Choice) -> tuple[object, ...]:
    minutes = choice.minutes if choice.minutes is not None else float("inf")
    return (choice.candidate.load > 0, minutes, choice.candidate.load, choice.worker)


def nearest(job: Job, candidates: Sequence[Candidate], settings: Settings = DEFAULTS) -> Ranking:
    """What stands in when `rank` fails: with the skill, on duty, within the cap, nearest first; no more is asked."""
    travel = Crow.of(settings)
    found: list[tuple[float, str, Choice]] = []
    for one in candidates:
        if one.barred or not one.on_duty or (job.skill and job.skill not in one.skills):
            continue
        trip = _trip(one, job, travel)
        if trip is None and one.tier is not Tier.TEAM and job.at is not None:
            continue
        far = trip.metres if trip else 0.0 if job.at is None else settings.cap(job.urgency)
        if far > settings.cap(job.urgency):
            continue
        choice = Choice(one, 0, trip.metres if trip else None, trip.minutes if trip else None)
        found.append((far, one.worker, choice))
    found.sort(key=lambda item: item[:2])
    ranked = tuple(replace(choice, rank=n) for n, (_far, _worker, choice) in enumerate(found, start=1))
    return Ranking(ranked, (), Tier.CENTRE, "fallback-nearest")
