"""The simple policies once more, slowly and in plain words: what the compiled ones are compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from jiying.dispatch.days.reading import Day

Trip = tuple[float, int, int, float]
"""When a worker departs, who, for which order (rows of the tables), when they arrive."""

ACCESS_MIN, MIN_PER_KM, CAP_KM, TICKS_A_MINUTE, SPARE_MIN = 2.0, 5.2, 4.0, 6, 0.02


@dataclass
class Person:
    """A worker: since when they are free, where they stand, and the shifts that have not ended for them."""

    place: tuple[float, float]
    shifts: list[tuple[float, float]]
    free_at: float = -math.inf
    begun: bool = False


@dataclass
class Town:
    """The day as far as it has come.  `urgent`, `usual`: orders that wait, each list in its turn."""

    day: Day
    policy: str
    people: list[Person]
    urgent: list[int] = field(default_factory=list)
    usual: list[int] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)

    def wake(self, now: float) -> None:
        """Shifts end for those who are free, and begin at home."""
        for one, person in enumerate(self.people):
            while person.free_at <= now and person.shifts and person.shifts[0][1] <= now:
                person.shifts.pop(0)
                person.begun = False
            if person.free_at <= now and person.shifts and person.shifts[0][0] <= now and not person.begun:
                person.begun = True
                person.place = tuple(self.day.worker_places[one])

    def tidy(self, now: float) -> None:
        """Emergencies that cannot be in time any more go behind what waits already."""
        late = [o for o in self.urgent if self.day.reported[o] + 30.0 - ACCESS_MIN < now]
        self.urgent = [o for o in self.urgent if o not in late]
        self.usual += late

    def serve(self, now: float, order: int) -> None:
        """Send the nearest who is free, may go and has the skill."""
        day, best = self.day, (math.inf, -1)
        for one, person in enumerate(self.people):
            if not person.begun or person.free_at > now or now >= person.shifts[0][1] - SPARE_MIN:
                continue
            if not day.worker_skills[one] >> day.order_skill[order] & 1:
                continue
            if self.policy == "team" and day.worker_team[one] != day.order_team[order]:
                continue
            if self.policy == "town" and day.worker_town[one] != day.order_town[order]:
                continue
            (ax, ay), (bx, by) = person.place, day.order_places[order]
            minutes = MIN_PER_KM * math.sqrt((ax - bx) * (ax - bx) + (ay - by) * (ay - by))
            if self.policy != "nearest" or minutes <= CAP_KM * MIN_PER_KM:
                best = min(best, (minutes, one)) if best[1] >= 0 else (minutes, one)
        minutes, one = best
        if one < 0:
            return
        person, arrive = self.people[one], now + minutes + ACCESS_MIN
        person.place, person.free_at = tuple(day.order_places[order]), arrive + day.service[order]
        self.trips.append((now, one, order, arrive))
        for waiting in (self.urgent, self.usual):
            if order in waiting:
                waiting.remove(order)


def plan(day: Day, policy: str, end: float) -> list[Trip]:
    """The trips of a day under team, town or nearest until `end`, by departure and worker.

    Every ten seconds all that waits is offered in its turn, an emergency also in the moment it is reported.
    """
    town = Town(day, policy, [Person(tuple(p), list(s)) for p, s in zip(day.worker_places, day.shifts, strict=True)])
    rows = sorted(range(len(day.orders)), key=lambda row: day.reported[row])
    rows = [row for row in rows if row not in day.why_never]
    turn = {row: place for place, row in enumerate(rows)}
    ticks = [round(tick / TICKS_A_MINUTE, 4) for tick in range(int(max(end, 0.0) * TICKS_A_MINUTE) + 2)]
    batches = [(tick, 1, -1) for tick in ticks if tick <= end]
    steps = batches + [
        (day.reported[row], 0 if day.reported[row] not in set(ticks) else 2, turn[row])
        for row in rows
        if day.emergency[row] and day.reported[row] <= end
    ]
    known = 0
    for now, _kind, place in sorted(steps):
        if now < 0.0:
            continue
        town.wake(now)
        while known < len(rows) and day.reported[rows[known]] <= now:
            (town.urgent if day.emergency[rows[known]] else town.usual).append(rows[known])
            known += 1
        town.tidy(now)
        if place >= 0:
            offered = [rows[place]] if rows[place] in town.urgent else []
        else:
            offered = [*town.urgent, *town.usual]
            if policy == "team":
                offered.sort(key=turn.__getitem__)
        for order in offered:
            town.serve(now, order)
    return sorted(town.trips)
