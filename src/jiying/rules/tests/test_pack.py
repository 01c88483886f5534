"""Conditions and limits, alone."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiying.rules.pack import KINDS, PARTS, UNITS, URGENCIES, Condition, Limit

CATEGORIES = ("leak", "lift", "gas")


def some(values: tuple[str, ...]) -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | st.frozensets(st.sampled_from(values))


conditions = st.builds(
    Condition,
    kinds=some(KINDS[:3]),
    urgencies=some(URGENCIES),
    categories=some(CATEGORIES),
    parts=some(PARTS),
    drawn=st.none() | st.booleans(),
)


def matched(condition: Condition) -> set[tuple[str, str, str, str, bool]]:
    """Every order that matches, by trying all there are."""
    orders = product(KINDS[:3], URGENCIES, CATEGORIES, PARTS, (True, False))
    return {
        (kind, urgency, category, part, drawn)
        for kind, urgency, category, part, drawn in orders
        if condition.matches(kind=kind, urgency=urgency, category=category, part=part, drawn=drawn)
    }


@given(conditions, conditions)
def test_two_conditions_meet_where_one_order_matches_both(one, two):
    assert one.meets(two) == two.meets(one) == bool(matched(one) & matched(two))


def test_a_condition_that_asks_nothing_matches_every_order():
    assert len(matched(Condition())) == 3 * 2 * 3 * 2 * 2


@pytest.mark.parametrize(
    ("condition", "share"),
    [
        (Condition(urgencies=frozenset({"emergency"})), 1 / 2),
        (Condition(parts=frozenset({"common"}), drawn=False), 1 / 4),
        (Condition(kinds=frozenset({"repair"}), categories=frozenset({"gas", "lift"})), 2 / 9),
        (Condition(categories=frozenset()), 0),
    ],
)
def test_everything_a_condition_asks_must_hold(condition, share):
    assert len(matched(condition)) == pytest.approx(72 * share)


@pytest.mark.parametrize(("unit", "minutes"), list(zip(UNITS, (2, 2, 2880, 2880), strict=True)))
def test_a_limit_is_known_in_minutes_in_every_unit(unit, minutes):
    assert Limit(2, unit).minutes == minutes
