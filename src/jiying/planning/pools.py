"""Who may be sent where: the pools, from the narrowest to the widest.  Pure.

Within a pool anybody with the skill may go; nobody goes beyond it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jiying.planning.model import Model

TEAM, COMPANY, TOWN, ALLIANCE, DISTRICT = "team", "company", "town", "alliance", "district"
POOLS = (TEAM, COMPANY, TOWN, ALLIANCE, DISTRICT)
ENTITLED = COMPANY
"""Whose turn it is by right today: the company whose contract runs (`dispatch` calls that tier `team`)."""

ALLIANCES, MOST_ALLIANCES = 6, 36
AUTO, NEAREST = "auto", "nearest"
RULES = (AUTO, NEAREST)


def usual_rule(pool: str) -> str:
    """How people are sent within a pool unless said otherwise.

    The engine that looks at all together wants many people at once; among a team's few whoever is nearest goes.
    """
    return NEAREST if pool in (TEAM, COMPANY) else AUTO


BESIDE = ((TEAM, NEAREST), (COMPANY, NEAREST), (TOWN, NEAREST), (TOWN, AUTO), (ALLIANCE, AUTO), (DISTRICT, AUTO))
"""The pools that are compared.  A town stands there under both rules, so that what the pool gains and what the rule
gains can be told apart."""


def alliances(model: Model, number: int) -> np.ndarray:
    """Which regional alliance each town belongs to: neighbours, with about as many past orders each.

    The towns are parted across their longer side where the orders are halved (or as near to it as the number wants),
    and each part again.
    """
    weight = np.bincount(model.past.town, minlength=len(model.towns)).astype(float) + 1.0
    out = np.zeros(len(model.towns), np.int64)
    _part(model, list(range(len(model.towns))), weight, min(number, len(model.towns)), 0, out)
    return out


def _part(model: Model, towns: list[int], weight: np.ndarray, number: int, first: int, out: np.ndarray) -> None:
    if number <= 1 or len(towns) <= 1:
        out[towns] = first
        return
    places = [(model.towns[t].x, model.towns[t].y) for t in towns]
    wide, high = (max(axis) - min(axis) for axis in zip(*places, strict=True))
    line = sorted(
        towns,
        key=lambda t: (
            (model.towns[t].x, model.towns[t].y) if wide >= high else (model.towns[t].y, model.towns[t].x),
            t,
        ),
    )
    left = number // 2
    wanted = float(weight[line].sum()) * left / number
    sums = np.cumsum(weight[line])
    cut = min(max(int(np.argmin(np.abs(sums - wanted))) + 1, left), len(line) - (number - left))
    _part(model, line[:cut], weight, left, first, out)
    _part(model, line[cut:], weight, number - left, first + left, out)


def labels(
    pool: str, model: Model, group: np.ndarray, towns: np.ndarray, teams: Sequence[str], companies: Sequence[str]
) -> list[str]:
    """The pool's name of each of several orders or workers, of which the towns, teams and companies are given.

    `group`: the alliance of each town.
    """
    if pool == TEAM:
        return list(teams)
    if pool == COMPANY:
        return list(companies)
    if pool == TOWN:
        return [model.towns[town].code for town in towns.tolist()]
    if pool == ALLIANCE:
        return [f"alliance {group[town]}" for town in towns.tolist()]
    return [""] * len(towns)
