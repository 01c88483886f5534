"""Likely the same matter: points with reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from jiying.orders.alike import FURTHEST, LIKELY, Matter, likeness, words_in

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEAK = Matter("E1", NOON, "3号楼", "502", "leak", words_in("厨房水管漏水"))


def later(**other: object) -> Matter:
    """The same report again, two hours later, but for what is said."""
    return replace(LEAK, **{"at": NOON + timedelta(hours=2), **other})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("new", "likely"),
    [
        (later(), True),
        (later(category="", words=frozenset()), True),
        (later(unit="", words=frozenset()), True),
        (later(unit="1204", words=frozenset()), False),
        (later(unit="1204", words=words_in("厨房漏水，水管坏了")), True),
        (later(building="8号楼", words=frozenset()), False),
        (later(building="8号楼", at=NOON + timedelta(minutes=20), words=frozenset()), True),
        (later(building="", unit="", category="lift", words=words_in("电梯停了")), False),
        (later(estate="E2"), False),
        (later(at=NOON + timedelta(days=4), unit="", words=frozenset()), False),
        (later(at=NOON + FURTHEST + timedelta(minutes=1)), False),
        (later(at=NOON - timedelta(minutes=5)), True),
    ],
)
def test_what_is_likely_the_same_and_what_is_not(new, likely):
    found = likeness(new, LEAK)
    assert (found is not None and found.likely) == likely


def test_later_is_never_more_alike():
    hours = (0, 0.9, 1.1, 23, 25, 71, 73, 300)
    points = [likeness(later(at=NOON + timedelta(hours=n)), LEAK).points for n in hours]  # type: ignore[union-attr]
    assert all(one >= two for one, two in pairwise(points))
    assert points[0] > points[-1]


def test_the_reasons_are_those_that_gave_points():
    found = likeness(later(unit="1204", category="lift"), LEAK)
    assert found is not None
    assert found.why == ("building", "alike", "day")
    assert found.points == 2 - 2 - 2 + 2 + 1 < LIKELY
