"""The simulated workers: who is on duty, where, able to do what, and free from when."""

from __future__ import annotations

import math
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from jiying.core.geo import Point, distance_m
from jiying.estates.models import Worker
from jiying.orders.actors import Actor
from jiying.people.scopes import Scope


@dataclass(slots=True)
class Hand:
    """One simulated worker; `at` is where the last job was, `free_at` when it ends."""

    id: uuid.UUID
    actor: Actor
    company: uuid.UUID
    skills: frozenset[str]
    shifts: tuple[tuple[int, int], ...]
    at: Point
    free_at: datetime

    def on_duty(self, minute: int) -> bool:
        """Whether a shift covers this minute of the day; shifts past midnight wrap."""
        return any(start <= minute < end or minute + 1440 < end for start, end in self.shifts)


@dataclass(slots=True)
class Crew:
    """All hands of a district; assigns the nearest suitable one on duty within a cap."""

    zone: ZoneInfo
    cap_m: float
    hands: list[Hand] = field(default_factory=list)
    _of: dict[tuple[uuid.UUID, str], list[Hand]] = field(default_factory=lambda: defaultdict(list))
    _by_skill: dict[str, list[Hand]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, workers: Iterable[Worker], *, zone: ZoneInfo, cap_km: float, start: datetime, middle: Point) -> Crew:
        """From the workers in the database (with shifts, company and home estate read)."""
        crew = cls(zone=zone, cap_m=cap_km * 1000)
        for worker in workers:
            home = worker.home_estate
            at = Point(home.lon, home.lat) if home and home.lon is not None and home.lat is not None else middle
            crew.add(
                Hand(
                    id=worker.id,
                    actor=worker_actor(worker),
                    company=worker.company_id,
                    skills=frozenset(worker.skills),
                    shifts=tuple((shift.start_min, shift.end_min) for shift in worker.shifts.all()),
                    at=at,
                    free_at=start,
                )
            )
        return crew

    def add(self, hand: Hand) -> None:
        self.hands.append(hand)
        for skill in hand.skills:
            self._of[hand.company, skill].append(hand)
            self._by_skill[skill].append(hand)

    def nearest(
        self, place: Point, skill: str, now: datetime, *, company: uuid.UUID | None
    ) -> tuple[Hand, float] | None:
        """The nearest free hand on duty with `skill` within the cap, and metres; of `company`, or of anyone."""
        minute = self.minute(now)
        pool = self._of[company, skill] if company else self._by_skill[skill]
        free = [
            (distance_m(hand.at, place), index)
            for index, hand in enumerate(pool)
            if hand.free_at <= now and hand.on_duty(minute)
        ]
        metres, index = min(free, default=(math.inf, 0))
        return (pool[index], metres) if metres <= self.cap_m else None

    def anyone(self, skill: str) -> bool:
        """Whether anybody in the district, on duty or not, has `skill`."""
        return bool(self._by_skill[skill])

    def minute(self, now: datetime) -> int:
        """The minute of the day on the district's clock."""
        local = now.astimezone(self.zone)
        return local.hour * 60 + local.minute

    def next_shift(self, now: datetime) -> float:
        """Minutes until the next shift of anybody begins."""
        minute = self.minute(now)
        starts = {start for hand in self.hands for start, _end in hand.shifts}
        return float(min(((start - minute - 1) % 1440 + 1 for start in starts), default=1440))

    def take(self, hand: Hand, place: Point, until: datetime) -> None:
        """`hand` goes to `place` and is busy until then."""
        hand.at, hand.free_at = place, until


def worker_actor(worker: Worker) -> Actor:
    """A worker as an actor, without asking the database again."""
    organisation = worker.company.organisation_id
    scope = Scope(user_id=worker.user_id, roles=frozenset({"resident", "worker"}), works_for=frozenset({organisation}))
    return Actor(scope=scope, name=worker.name, staff=True)
