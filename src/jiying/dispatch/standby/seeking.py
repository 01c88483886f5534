"""Who would be missed elsewhere, one after the other: each is decided knowing where those before will wait.

The fleet engine's rule (`engine.fleet.moves`) for what lives.  A place is an estate: nobody is sent into a field.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from jiying.dispatch.engine.fleet.field import Field
from jiying.dispatch.engine.fleet.plain import look
from jiying.dispatch.engine.fleet.plain_moves import cell_at, decide_moves, gains_of
from jiying.dispatch.engine.fleet.tables import IDLE, MOVING
from jiying.dispatch.engine.fleet.world import World as Fleet
from jiying.dispatch.engine.outlook import PRICES, Plane
from jiying.dispatch.engine.travel import Crow
from jiying.dispatch.engine.world import DEFAULTS, Spot
from jiying.dispatch.hands import spot_of
from jiying.dispatch.looking import KNOWN_SKILLS
from jiying.dispatch.staff import Person
from jiying.dispatch.standby.limits import ASKS, BEFORE_END, FARTHEST_M, IDLE_FOR
from jiying.dispatch.standby.models import Stand, Standby
from jiying.dispatch.standby.settings import may_move
from jiying.estates.duty import on_until
from jiying.estates.models import Estate
from jiying.orders.models import Event

ONE = PRICES._replace(moves_at_once=1)
MOST = 10
"""So many suggestions a district at a time: nobody reads more."""

NEAR_KM = 2.0
"""An estate farther from the middle of the cell says nothing about it."""

ROADS = Crow.of(DEFAULTS)


@dataclass(frozen=True, slots=True)
class Found:
    """`person` would be of more use at `estate`, the place `at`; why as in `models.Standby`."""

    person: Person
    mode: str
    estate: uuid.UUID
    at: Spot
    skill: str
    town: uuid.UUID
    reach: float
    metres: int
    minutes: int
    until: datetime


def seek(
    district: str, fleet: Fleet, minute: float, people: list[Person], plane: Plane, zone: ZoneInfo, now: datetime
) -> list[Found]:
    """Those for whom it pays most to wait elsewhere, at most `MOST`.

    `fleet` is used up.  Eight queries; five where nobody may be asked.
    """
    modes = may_move(district, now.astimezone(zone).date())
    if not modes:
        return []
    kept = list(Standby.objects.filter(district=district, until__gt=now))
    untils = _stand(fleet, minute, people, plane, zone, now, modes.keys() - _just_left(district, now), kept)
    places = _places(district, plane) if untils else None
    found: list[Found] = []
    while places is not None and len(found) < MOST:
        look(minute, fleet.workers, fleet.field, ONE)
        if not decide_moves(minute, fleet.workers, fleet.field, ONE):
            break
        row = int(np.flatnonzero(fleet.workers["state"] == MOVING)[0])
        one = _told(row, fleet, people[row], plane, places, modes[people[row].id], untils[row])
        worker = fleet.workers[row]
        worker["state"], worker["moves"] = IDLE, ASKS
        if one is not None:
            worker["x"], worker["y"] = plane.km(one.at)
            found.append(one)
    return found


def _just_left(district: str, now: datetime) -> set[uuid.UUID]:
    """Who finished work a moment ago: they have not been idle long enough."""
    rows = Event.objects.filter(
        verb__in=("done", "solve_remotely"), at__gt=now - IDLE_FOR, district=district, order__worker__isnull=False
    )
    return set(rows.values_list("order__worker", flat=True))


def _stand(
    fleet: Fleet, minute: float, people: list[Person], plane: Plane, zone: ZoneInfo, now: datetime,
    may: set[uuid.UUID], kept: list[Standby],
) -> dict[int, datetime]:  # fmt: skip
    """Put into the fleet's rows who may be asked, and where those are bound for who were; by row until when each of
    the former works.
    """
    by_worker: dict[uuid.UUID, list[Standby]] = {}
    for one in kept:
        by_worker.setdefault(one.worker_id, []).append(one)
    untils: dict[int, datetime] = {}
    for row, person in enumerate(people):
        worker, own = fleet.workers[row], by_worker.get(person.id, [])
        for one in own:
            if one.state in (Stand.ASKED, Stand.ACCEPTED):
                worker["x"], worker["y"] = plane.km(Spot(one.lon, one.lat))
        asked = [one for one in own if one.asked_at is not None]
        worker["moves"] = len(asked)
        ago = min(((now - one.asked_at).total_seconds() / 60 for one in asked if one.asked_at), default=np.inf)
        worker["moved_at"] = minute - ago
        until = on_until(person.hours, person.switches, now, zone)
        said = {one.state for one in own}
        if person.id in may and until is not None and until - now >= BEFORE_END and not said & _SETTLED:
            untils[row] = until
        else:
            worker["moves"] = ASKS
    return untils


_SETTLED = frozenset({Stand.ASKED, Stand.ACCEPTED, Stand.DECLINED})
"""Who is asked is waited for; who said yes is on the way; who said no has said it for the shift."""


@dataclass(frozen=True, slots=True)
class _Places:
    ids: list[uuid.UUID]
    towns: list[uuid.UUID]
    spots: list[Spot]
    km: np.ndarray

    def nearest(self, x: float, y: float) -> tuple[int, float]:
        """The place nearest to a point of the plane, and how far from it, km."""
        away = np.hypot(self.km[:, 0] - x, self.km[:, 1] - y)
        at = int(np.argmin(away))
        return at, float(away[at])


def _places(district: str, plane: Plane) -> _Places | None:
    rows = Estate.objects.filter(district=district).order_by("pk").values_list("pk", "town_id", "lon", "lat")
    known = [(pk, town, at) for pk, town, lon, lat in rows if (at := spot_of(lon, lat)) is not None and at.is_somewhere]
    if not known:
        return None
    return _Places(
        [one[0] for one in known], [one[1] for one in known], [one[2] for one in known],
        np.array([plane.km(one[2]) for one in known]),
    )  # fmt: skip


def _told(
    row: int, fleet: Fleet, person: Person, plane: Plane, places: _Places, mode: str, until: datetime
) -> Found | None:
    """Where exactly and why; None where no estate is near, or the one that is lies farther than anybody is asked."""
    worker, field = fleet.workers[row], fleet.field
    gains, goal = gains_of(field), cell_at(field, float(worker["goal_x"]), float(worker["goal_y"]))
    able = [n for n in range(len(KNOWN_SKILLS)) if int(worker["skills"]) >> n & 1]
    skill = max(able, key=lambda n: (gains.around[n, goal], -n))
    # Of all that is reached from there and not from here, where one more person saves most.
    gained = _disc(field, goal) & ~_disc(field, cell_at(field, float(worker["x"]), float(worker["y"])))
    missed = int(np.argmax(np.where(gained, gains.here[skill], -1.0)))
    estate, off = places.nearest(float(worker["goal_x"]), float(worker["goal_y"]))
    there, _off = places.nearest(
        field.x0 + (missed % field.nx + 0.5) * field.cell_km, field.y0 + (missed // field.nx + 0.5) * field.cell_km
    )
    trip = ROADS.trip(person.place, places.spots[estate])
    if off > NEAR_KM or not 0.0 < trip.metres <= FARTHEST_M:
        return None
    return Found(
        person, mode, places.ids[estate], places.spots[estate], KNOWN_SKILLS[skill], places.towns[there],
        round(float(field.have[skill, missed]), 2), round(trip.metres), round(trip.minutes), until,
    )  # fmt: skip


def _disc(field: Field, cell: int) -> np.ndarray:
    """[cell] whether it is reached in time from `cell`."""
    down, along = cell // field.nx + field.disc_y, cell % field.nx + field.disc_x
    inside = (down >= 0) & (down < field.ny) & (along >= 0) & (along < field.nx)
    found = np.zeros(field.nx * field.ny, bool)
    found[down[inside] * field.nx + along[inside]] = True
    return found
