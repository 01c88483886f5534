"""From the world in memory to the outlook: the fleet engine's grid of coverage, filled with what lives."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from jiying.dispatch.engine.fleet.field import (
    LOAD,
    LOOKED_AT,
    PACE,
    PACE_AT,
    SERVICE_N,
    SERVICE_SQUARES,
    SERVICE_SUM,
    Field,
)
from jiying.dispatch.engine.fleet.plain import look, lost, service_min, service_shape
from jiying.dispatch.engine.fleet.tables import BUSY, GOING, IDLE, OFF
from jiying.dispatch.engine.fleet.world import World as Fleet
from jiying.dispatch.engine.fleet.world import world_of
from jiying.dispatch.engine.outlook import AHEAD_SLOTS, PRICES, ROAD, SLOT_MIN, Outlook, Plane
from jiying.dispatch.staff import Person
from jiying.dispatch.world import World
from jiying.orders.states import State
from jiying.rules.pack import SKILLS

DAY_MIN = 1440.0
KNOWN_SKILLS = tuple(sorted(SKILLS))
STATES = {State.ASSIGNED: GOING, State.EN_ROUTE: GOING, State.ON_SITE: BUSY}


def outlook_of(world: World, people: list[Person], plane: Plane, zone: ZoneInfo, now: datetime) -> Outlook:
    """What is known at `now`, from a world that `follow` has brought up to date."""
    world.forget(now)
    fleet, minute = fleet_of(world, people, plane, zone, now)
    field = fleet.field
    look(minute, fleet.workers, field, PRICES)
    mean, spread = service_shape(field)
    on_duty = int(np.count_nonzero(fleet.workers["state"] != OFF))
    staff = max(on_duty, 1)
    expected = service_min(field) + ROAD.access_min
    load = float(field.known[LOAD])
    surge = min(max((load - PRICES.surge_from) / (PRICES.surge_full - PRICES.surge_from), 0.0), 1.0)
    slot = int(minute / SLOT_MIN)
    staffing = np.zeros((len(KNOWN_SKILLS), AHEAD_SLOTS))
    ahead = fleet.roster[:, slot : slot + AHEAD_SLOTS]
    staffing[:, : ahead.shape[1]] = ahead
    return Outlook(
        at=now, plane=plane, x0=field.x0, y0=field.y0, cell_km=field.cell_km, rows=field.ny, columns=field.nx,
        skills=KNOWN_SKILLS, lost=lost(field), work=(float(mean), float(spread)), staffing=staffing,
        pressure=PRICES.pressing * len(world.waiting) * expected / staff / 240.0,
        value=PRICES.value + (PRICES.surge_value - PRICES.value) * surge, load=load, staff=on_duty,
        shares=tuple((field.seen_skill / field.seen_skill.sum()).tolist()), **_crowd(fleet, people),
    )  # fmt: skip


def fleet_of(world: World, people: list[Person], plane: Plane, zone: ZoneInfo, now: datetime) -> tuple[Fleet, float]:
    """The engine's world at `now`, learnt from the window, and which minute `now` is there."""
    base = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)

    def minute_of(at: datetime) -> float:
        return (at - base).total_seconds() / 60

    minute = minute_of(now)
    places = np.array([plane.km(one.home) for one in people], float).reshape(-1, 2)
    bits = np.array([sum(1 << n for n, skill in enumerate(KNOWN_SKILLS) if skill in one.skills) for one in people])
    shifts = [[(minute_of(begin), minute_of(end)) for begin, end in one.duty(now, zone)] for one in people]
    none = np.zeros(len(people), np.int64)
    fleet = world_of(
        places, bits.astype(np.int64), shifts, none, none, len(KNOWN_SKILLS), 1, ROAD, PRICES,
    )  # fmt: skip
    place_of = {one.id.int: row for row, one in enumerate(people)}
    for row, own in enumerate(shifts):
        here = next((span for span in own if minute < span[1]), (math.inf, math.inf))
        worker = fleet.workers[row]
        worker["duty_from"], worker["duty_to"] = here
        worker["state"], worker["free_min"] = (IDLE if here[0] <= minute else OFF), minute
        worker["x"], worker["y"] = plane.km(people[row].place)
    # The one that is farthest on says where somebody is: at work before on the way, on the way before sent.
    for held in sorted(world.in_hand.values(), key=lambda one: (STATES[State(one.state)], one.since, one.worker)):
        row_of = place_of.get(held.worker)
        if row_of is None:
            continue
        worker = fleet.workers[row_of]
        if worker["state"] == OFF:
            # Who is at it is not off, whatever the shift says; for how long they stay nobody knows.
            worker["duty_from"], worker["duty_to"] = minute, minute
        worker["state"], worker["arrive_min"] = STATES[State(held.state)], minute_of(held.since)
        if held.at is not None and held.state != State.ASSIGNED:
            worker["x"], worker["y"] = plane.km(held.at)
    _learn(fleet.field, world, plane, now, minute)
    return fleet, minute


def _learn(field: Field, world: World, plane: Plane, now: datetime, minute: float) -> None:
    """What the engine learns order by order, all at once: the same sums, whenever somebody looked in between."""
    known = field.known
    rows = [one for one in world.seen.values() if one.reported <= now]
    ages = np.array([(now - one.reported).total_seconds() / 60 for one in rows])
    urgent = np.array([one.urgent for one in rows], bool)
    if rows:
        x, y = plane.all_km(np.array([(one.at.lon, one.at.lat) for one in rows]))
        column = np.clip((x - field.x0) / field.cell_km, 0.0, field.nx - 1.0).astype(np.int64)
        row = np.clip((y - field.y0) / field.cell_km, 0.0, field.ny - 1.0).astype(np.int64)
        weight = np.where(urgent, 2.0, 1.0) * np.exp(-ages / PRICES.memory_min)
        field.seen[:] += np.bincount(row * field.nx + column, weight, field.nx * field.ny)
        known[PACE] = float(np.exp(-ages[urgent] / PRICES.pace_min).sum()) / PRICES.pace_min
    for one in rows:
        if one.urgent and one.skill in KNOWN_SKILLS:
            field.seen_skill[KNOWN_SKILLS.index(one.skill)] += 1.0
    known[PACE_AT] = known[LOOKED_AT] = minute
    for _begun, minutes in world.worked.values():
        length = math.log(max(minutes, 0.5))
        known[SERVICE_N] += 1.0
        known[SERVICE_SUM] += length
        known[SERVICE_SQUARES] += length * length


def _crowd(fleet: Fleet, people: list[Person]) -> dict[str, Any]:
    """Who is on duty and free: where, with which skills, of which company."""
    free = np.flatnonzero(fleet.workers["state"] == IDLE)
    companies = sorted({str(people[row].company) for row in free})
    number = {company: n for n, company in enumerate(companies)}
    rows = fleet.workers[free]
    mine = [number[str(people[row].company)] for row in free]
    crowd = np.stack([rows["x"].round(3), rows["y"].round(3), rows["skills"], np.array(mine)], axis=1)
    return {"crowd": crowd.astype(float).reshape(-1, 4), "companies": tuple(companies)}
