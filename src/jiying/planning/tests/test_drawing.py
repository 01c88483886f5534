"""Days drawn from a model: the same demand whatever else is changed, and more of it contains less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jiying.planning.changes import Change, Staff
from jiying.planning.drawing import Drawer
from jiying.planning.model import Hand, spread_of
from jiying.planning.tests.small import hand, made, model


def rows(demand) -> dict:
    columns = zip(demand.row, demand.minute, demand.skill, demand.emergency, demand.service, strict=True)
    return dict(zip(demand.key, columns, strict=True))


def test_staff_and_pools_change_nothing_of_the_demand(tmp_path):
    drawer = Drawer(made(tmp_path))
    usual = rows(drawer.demand(Change(), 1, 0))
    other = rows(drawer.demand(Change(pool="town", staff=(Staff("locks", 3),), keep=20), 1, 0))
    assert usual and usual == other


@pytest.mark.parametrize(("less", "more"), [(0.5, 1.0), (1.0, 1.3), (1.0, 2.0), (1.3, 3.7)])
def test_more_demand_contains_less(tmp_path, less, more):
    drawer = Drawer(made(tmp_path))
    few, many = (rows(drawer.demand(Change(demand=(("*", times),)), 1, 0)) for times in (less, more))
    assert few.items() < many.items()
    assert len(many) / len(few) == pytest.approx(more / less, rel=0.2)


def test_more_demand_of_one_skill_leaves_the_others_as_they_are(tmp_path):
    drawer = Drawer(made(tmp_path))
    locks = drawer.model.skills.index("locks")
    usual, more = (rows(drawer.demand(Change(demand=demand), 1, 0)) for demand in ((), (("locks", 2.0),)))
    assert {row[2] for key, row in more.items() if key not in usual} == {locks}


def test_another_day_and_another_seed_bring_other_orders(tmp_path):
    drawer = Drawer(made(tmp_path))
    days = [drawer.demand(Change(), seed, number).minute.tolist() for seed, number in ((1, 0), (1, 1), (2, 0))]
    assert days[0] != days[1] != days[2] != days[0]


def test_days_look_like_the_past_they_are_drawn_from(tmp_path):
    drawer = Drawer(found := made(tmp_path, orders=1200))
    drawn = [drawer.demand(Change(), 7, number) for number in range(40)]
    past = found.past
    assert np.mean([len(day.key) for day in drawn]) == pytest.approx(len(past), rel=0.03)
    minutes, service, town, urgent = (
        np.concatenate(parts)
        for parts in zip(*((day.minute, day.service, past.town[day.row], day.emergency) for day in drawn), strict=True)
    )
    hours = [np.bincount((times // 60).astype(int), minlength=24) / len(times) for times in (minutes, past.minute)]
    assert np.abs(hours[0] - hours[1]).max() < 0.01
    towns = [np.bincount(places, minlength=4) / len(places) for places in (town, past.town)]
    assert np.abs(towns[0] - towns[1]).max() < 0.03
    assert np.median(service) == pytest.approx(np.median(past.service), rel=0.05)
    assert urgent.mean() == pytest.approx(past.emergency.mean(), abs=0.01)


def test_visits_take_the_usual_half_hour_where_none_was_recorded():
    found = model((hand("a"),), service=float("nan"))
    drawn = Drawer(found).demand(Change(demand=(("*", 10.0),)), 1, 0)
    assert 25 < np.median(drawn.service) < 35


def test_a_shift_of_yesterday_reaches_into_today():
    night = Hand("n", 0, 0, ("lift",), ((1080, 1620, 1),), 0, "", "")
    assert night.spans(0) == ((1080.0, 1620.0),)
    assert night.spans(1) == ((0.0, 180.0),)
    assert night.spans(2) == ()


def test_busy_days_spread_the_demand_when_the_past_did():
    assert spread_of(np.array([50, 150] * 14)) == pytest.approx(0.26, abs=0.02)
    plain = model((hand("a"),))
    steady, spread = (
        np.std([len(Drawer(one).demand(Change(), 1, number).key) for number in range(60)])
        for one in (plain, replace(plain, spread=0.25))
    )
    assert spread > 2 * steady
