"""Buckets and a heap of events make the plans that looking at everybody makes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiying.dispatch.days.reading import APART_MIN, NO_DUTY, NO_PLACE, Day
from jiying.dispatch.days.running import play
from jiying.dispatch.tests import plain

SIMPLE = ("team", "town", "nearest")
KINDS = 3

# Whole and half kilometres and minutes: much happens at one place, in one moment, and as far as another.
places = st.tuples(st.integers(0, 16), st.integers(0, 6)).map(lambda at: (at[0] / 2, at[1] / 2))
minutes = st.integers(0, 200).map(lambda half: half / 2) | st.integers(0, 600).map(lambda tick: round(tick / 6, 4))


@st.composite
def spans(draw) -> tuple[tuple[float, float], ...]:
    """Up to three shifts in order and apart, as they are read."""
    times = sorted(draw(st.lists(st.integers(-10, 130), min_size=0, max_size=6, unique=True)))
    pairs = zip(times[::2], times[1::2], strict=False)
    return tuple((float(a) + APART_MIN, float(b)) for a, b in pairs)


@st.composite
def days(draw) -> Day:
    """A small day of a hundred minutes, with people who lack a skill or a shift and orders that nobody can serve."""
    orders = draw(
        st.lists(
            st.tuples(
                minutes, places, st.integers(0, KINDS - 1), st.booleans(),
                st.sampled_from([0.0, 0.1, 5.0, 17.25, 60.0]),
                st.integers(0, 2), st.booleans(),
            ),
            max_size=30,
        )
    )  # fmt: skip
    people = draw(st.lists(st.tuples(places, st.integers(0, 2**KINDS - 1), spans(), st.integers(0, 2)), max_size=8))
    lost = [at % 7 == 6 for at in range(len(orders))] if draw(st.booleans()) else [False] * len(orders)
    never = {row: NO_PLACE for row in range(len(orders)) if lost[row]}
    for row, order in enumerate(orders):
        if not any(skills >> order[2] & 1 and own and own[-1][1] > order[0] for _, skills, own, _ in people):
            never.setdefault(row, NO_DUTY)
    return Day(
        orders=tuple(f"o{row}" for row in range(len(orders))),
        reported=np.array([order[0] for order in orders]),
        order_places=np.array(
            [(np.nan, np.nan) if gone else order[1] for gone, order in zip(lost, orders, strict=True)], float
        ).reshape(-1, 2),
        order_skill=np.array([order[2] for order in orders], np.int64),
        emergency=np.array([order[3] for order in orders], np.int64),
        service=np.array([order[4] for order in orders], float),
        order_town=tuple(f"t{order[5] // 2}" for order in orders),
        order_team=tuple(f"m{order[5]}" for order in orders),
        workers=tuple(f"w{one}" for one in range(len(people))),
        worker_places=np.array([one[0] for one in people], float).reshape(-1, 2),
        worker_skills=np.array([one[1] for one in people], np.int64),
        shifts=tuple(one[2] for one in people),
        worker_town=tuple(f"t{one[3] // 2}" for one in people),
        worker_team=tuple(f"m{one[3]}" for one in people),
        skills=("a", "b", "c"),
        why_never=never,
    )


def trips(day: Day, policy: str, until: float | None, *, timed: bool) -> list[plain.Trip]:
    played = play(day, policy, until, timed=timed)
    rows = played.feed_rows[played.trips["order"]].tolist() if len(played.trips) else []
    found = zip(played.trips["depart"].tolist(), played.trips["worker"].tolist(), rows,
                played.trips["arrive"].tolist(), strict=True)  # fmt: skip
    return sorted(found)


@pytest.mark.parametrize("policy", SIMPLE)
@given(day=days(), until=st.none() | minutes)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=120)
def test_the_plan_is_that_of_looking_at_everybody_each_time(policy, day, until):
    last = max((end for own in day.shifts for _, end in own), default=0.0)
    expected = plain.plan(day, policy, last if until is None else min(until, last))
    assert trips(day, policy, until, timed=False) == expected
    assert trips(day, policy, until, timed=True) == expected
