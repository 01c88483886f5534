"""The bound by a linear programme: never below what can be done, and exact where that is plain."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from bench import bounds
from hypothesis import HealthCheck, given, settings
from tests.tinydays import calls, hands, most_by_trying, tiny

ALL_DAY = (0.0, 0.0, "a", "0-480")


@pytest.mark.parametrize("ahead", [False, True])
@given(people=hands(), orders=calls())
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_no_plan_reaches_more_than_the_bound(ahead, people, orders):
    with tempfile.TemporaryDirectory(prefix="jiying-test-") as folder:
        day = tiny(Path(folder), people, orders)
    many = int((day.emergency == 1).sum())
    assert bounds.most_in_time(day, ahead) * many >= 100 * most_by_trying(day, ahead)


BY_HAND = {
    "one worker, two at once: one of them": ([ALL_DAY], [(100, 0, 0, "a", 1, 60)] * 2, (50.0, 50.0)),
    "two workers have both": ([ALL_DAY] * 2, [(100, 0, 0, "a", 1, 60)] * 2, (100.0, 100.0)),
    "one after the other, in time": ([ALL_DAY], [(100, 0, 0, "a", 1, 20)] * 2, (100.0, 100.0)),
    "too far, unless they may wait there": ([ALL_DAY], [(100, 5.5, 0, "a", 1, 20)], (0.0, 100.0)),
    "too far from home, but not from an ordinary order": (
        [ALL_DAY], [(100, 5.5, 0, "a", 1, 20), (30, 3, 0, "a", 0, 20)], (100.0, 100.0),
    ),
    "the way from home at the beginning of the shift": ([(5, 0, "a", "50-480")], [(40, 0, 0, "a", 1, 20)], (0.0, 0.0)),
    "the shift ends on the way": ([(5, 0, "a", "50-55")], [(50, 0, 0, "a", 1, 20)], (100.0, 100.0)),
    "the shift has ended": ([(0, 0, "a", "0-50")], [(50.5, 0, 0, "a", 1, 20), (10, 0, 0, "a", 1, 5)], (50.0, 50.0)),
    "another trade": ([(0, 0, "b", "0-480")], [(100, 0, 0, "a", 1, 20)], (0.0, 0.0)),
    "of two trades one minute is worth one": (
        [(0, 0, "a|b", "0-480")], [(100, 0, 0, "a", 1, 60), (100, 0, 0, "b", 1, 60)], (50.0, 50.0),
    ),
    "no emergency at all": ([ALL_DAY], [(100, 0, 0, "a", 0, 20)], (100.0, 100.0)),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_where_it_is_plain_the_bound_is_what_can_be_done(case, tmp_path):
    people, orders, expected = BY_HAND[case]
    day = tiny(tmp_path, people, orders)
    assert tuple(bounds.most_in_time(day, ahead) for ahead in (False, True)) == expected
    many = int((day.emergency == 1).sum())
    if many:
        assert tuple(100 * most_by_trying(day, ahead) / many for ahead in (False, True)) == expected


def test_emergencies_served_in_part_count_in_part(tmp_path):
    """Each begun at the last moment (two minutes before 130, with the referee's tolerance 128.02) takes 6.98 of the 15
    minutes before the shift ends at 135, and begun earlier more: so 15 / 6.98 of the three, where a worker has one."""
    day = tiny(tmp_path, [(0, 0, "a", "0-135")], [(100, 0, 0, "a", 1, 60)] * 3)
    assert most_by_trying(day, True) == 1
    assert bounds.most_in_time(day, True) == pytest.approx(100 * 15 / 6.98 / 3, abs=0.01)
