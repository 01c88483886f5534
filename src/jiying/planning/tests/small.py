"""Small models for tests: a town or two, a few people, whose answers can be told by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jiying.dispatch.tests.made import Made, make
from jiying.planning.folder import read_folder
from jiying.planning.model import Hand, Model, Past, Town

SKILLS = ("lift", "water")


def hand(key: str, skills: tuple[str, ...] = SKILLS, shifts=((0, 1440),), *, x: float = 0.0, town: int = 0) -> Hand:
    return Hand(key, x, 0.0, skills, tuple((*span, 127) for span in shifts), town, f"team {town}", f"company {town}")


def model(
    staff: tuple[Hand, ...], *, a_day: int = 48, emergency: int = 1, skill: int = 1, x: float = 0.0, town: int = 0,
    days: int = 1, hours: tuple[float, float] = (0, 24), service: float = 10.0,
) -> Model:  # fmt: skip
    """As many orders a day of one skill at one point, spread over the hours; two towns 40 km apart."""
    many = a_day * days
    begin, end = hours
    same = lambda value: np.full(many, value, np.int64)  # noqa: E731
    past = Past(
        np.sort(60 * (begin + (end - begin) * (np.arange(many) + 0.5) / many)), np.full(many, x), np.zeros(many),
        same(skill), same(emergency), np.full(many, service), same(town), same(town), same(town),
    )  # fmt: skip
    towns = (Town("t0", "甲镇", 0.0, 0.0), Town("t1", "乙镇", 40.0, 0.0))
    return Model("small", SKILLS, towns, ("team 0", "team 1"), ("company 0", "company 1"), past, staff, days)


def made(folder: Path, **more) -> Model:
    """A made-up day of some size, as a model."""
    settings = {"seed": 3, "orders": 360, "workers": 60, "estates": 60, "towns": 4, "wide_km": 9.0, "high_km": 9.0}
    return read_folder(make(folder / "day", Made(**{**settings, **more})))
