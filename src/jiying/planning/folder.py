"""A model from a day's two tables (`orders.csv`, `workers.csv`), without a database."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from jiying.dispatch.days.reading import Day, read_day
from jiying.planning.model import DAY_MIN, Hand, Model, Past, Town, checked, service_of, towns_of

EVERY_DAY = 127


def read_folder(folder: Path) -> Model:
    """The model of the day in `folder`; its teams stand for companies, since the tables tell no more.

    Raises:
        BadInput: the tables cannot be read, or nothing can be learnt from them.
    """
    return checked(of_day(folder.resolve().name, read_day(folder)))


def of_day(name: str, day: Day) -> Model:
    """The model of one day.  Orders without a place or of a skill that nobody has are left out, with a remark."""
    usable = np.isfinite(day.order_places).all(axis=1) & (day.order_skill >= 0) & (day.reported >= 0)
    usable &= day.reported < DAY_MIN
    rows = np.flatnonzero(usable)
    towns = sorted({*day.order_town, *day.worker_town}, key=_by_number)
    teams = sorted({*day.order_team, *day.worker_team}, key=_by_number)
    town_at, team_at = ({code: place for place, code in enumerate(codes)} for codes in (towns, teams))
    x, y = day.order_places[rows].T if len(rows) else (np.zeros(0), np.zeros(0))
    town = np.array([town_at[day.order_town[row]] for row in rows], np.int64)
    team = np.array([team_at[day.order_team[row]] for row in rows], np.int64)
    past = Past(
        minute=day.reported[rows], x=x, y=y, skill=day.order_skill[rows], emergency=day.emergency[rows],
        service=np.array([service_of(minutes) for minutes in day.service[rows].tolist()]),
        town=town, team=team, company=team,
    )  # fmt: skip
    remarks = list(day.remarks)
    if left := len(day.orders) - len(rows):
        remarks.append(f"{left} orders are left out: no place, outside of the day, or a skill that nobody has")
    return Model(
        name=name, skills=day.skills,
        towns=towns_of(town, x, y, {place: Town(code, code, math.nan, math.nan) for place, code in enumerate(towns)}),
        teams=tuple(teams), companies=tuple(teams), past=past,
        staff=tuple(_hands(day, town_at)), days=1, first=name, last=name, remarks=tuple(remarks),
    )  # fmt: skip


def _hands(day: Day, town_at: dict[str, int]) -> list[Hand]:
    hands = []
    for one, key in enumerate(day.workers):
        skills = tuple(skill for place, skill in enumerate(day.skills) if int(day.worker_skills[one]) >> place & 1)
        if not skills or not np.isfinite(day.worker_places[one]).all():
            continue
        x, y = day.worker_places[one].tolist()
        shifts = tuple((begin, end, EVERY_DAY) for begin, end in day.shifts[one])
        team = day.worker_team[one]
        hands.append(Hand(key, x, y, skills, shifts, town_at[day.worker_town[one]], team, team))
    return hands


def _by_number(code: str) -> tuple[int, str]:
    return (int(code) if code.isdigit() else 10**18, code)
