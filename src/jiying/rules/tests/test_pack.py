"""Conditions and limits, alone."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiying.rules.pack import KINDS, PARTS, UNITS, URGENCIES, Condition, Limit, Traits, under

CATEGORIES = ("leak", "lift", "gas")
ESTATES = ("residential", "public")
TOWNS = ("310115004", "310115103")
ALL = 3 * 2 * 3 * 2 * 2 * 2 * 2 * 2


def some(values: tuple[str, ...]) -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | st.frozensets(st.sampled_from(values))


conditions = st.builds(
    Condition,
    kinds=some(KINDS[:3]),
    urgencies=some(URGENCIES),
    categories=some(CATEGORIES),
    parts=some(PARTS),
    drawn=st.none() | st.booleans(),
    approved=st.none() | st.booleans(),
    estate_types=some(ESTATES),
    towns=some(TOWNS),
)


def matched(condition: Condition) -> set[Traits]:
    """Every order that matches, by trying all there are."""
    orders = product(KINDS[:3], URGENCIES, CATEGORIES, PARTS, (True, False), (True, False), ESTATES, TOWNS)
    return {order for order in (Traits(*traits) for traits in orders) if condition.matches(order)}


@given(conditions, conditions)
def test_two_conditions_meet_where_one_order_matches_both(one, two):
    assert one.meets(two) == two.meets(one) == bool(matched(one) & matched(two))


def test_a_condition_that_asks_nothing_matches_every_order():
    assert len(matched(Condition())) == ALL


@pytest.mark.parametrize(
    ("condition", "share"),
    [
        (Condition(urgencies=frozenset({"emergency"})), 1 / 2),
        (Condition(parts=frozenset({"common"}), drawn=False), 1 / 4),
        (Condition(kinds=frozenset({"repair"}), categories=frozenset({"gas", "lift"})), 2 / 9),
        (Condition(categories=frozenset()), 0),
        (Condition(towns=frozenset({"310115103"}), estate_types=frozenset({"public"})), 1 / 4),
        (Condition(approved=True), 1 / 2),
    ],
)
def test_everything_a_condition_asks_must_hold(condition, share):
    assert len(matched(condition)) == pytest.approx(ALL * share)


@pytest.mark.parametrize(("unit", "minutes"), list(zip(UNITS, (2, 2, 2880, 2880), strict=True)))
def test_a_limit_is_known_in_minutes_in_every_unit(unit, minutes):
    assert Limit(2, unit).minutes == minutes


def test_a_category_stands_for_those_beneath_it_and_not_for_those_that_begin_alike():
    codes = ["water", "water.leak", "water.leak.roof", "waterworks", "lift"]
    assert under("water", codes) == {"water", "water.leak", "water.leak.roof"}
    assert under("water.leak", codes) == {"water.leak", "water.leak.roof"}
    assert under("power", codes) == frozenset()
