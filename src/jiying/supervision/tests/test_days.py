"""Blocks of days and the edges of a period, on days of 23, 24 and 25 hours."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from jiying.supervision.days import SPANS, Days, block_of, blocks, midnight

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


def test_blocks_cover_each_day_of_a_period_once():
    rng = random.Random(7)
    for _try in range(300):
        first = rng.randrange(738_000, 740_000)
        end = first + rng.randrange(0, 1200)
        covered = [day for span, start in blocks(first, end) for day in range(start, start + span)]
        assert covered == list(range(first, end))
        assert all(block_of(start, span) == start for span, start in blocks(first, end))


@pytest.mark.parametrize(("days", "most"), [(7, 7), (30, 17), (365, 33), (1096, 44)])
def test_a_long_period_is_few_blocks_whatever_day_it_begins_on(days, most):
    assert max(len(list(blocks(first, first + days))) for first in range(739_000, 739_064)) <= most


def test_the_spans_lie_within_one_another():
    assert all(longer % shorter == 0 for longer, shorter in pairwise(SPANS))


@pytest.mark.parametrize("zone", [SHANGHAI, NEW_YORK])
def test_a_period_between_midnights_has_no_edges(zone):
    days = Days.of(midnight(date(2026, 3, 1), zone), midnight(date(2026, 4, 1), zone), zone)
    assert (days.first, days.end, days.edges) == (date(2026, 3, 1).toordinal(), date(2026, 4, 1).toordinal(), ())


def test_the_days_on_which_clocks_change_have_23_and_25_hours():
    def hours(day):
        return (midnight(day + timedelta(days=1), NEW_YORK) - midnight(day, NEW_YORK)) / timedelta(hours=1)

    assert (hours(date(2026, 3, 8)), hours(date(2026, 11, 1)), hours(date(2026, 11, 2))) == (23, 25, 24)


def test_what_is_left_of_days_at_both_ends_is_an_edge():
    from_, to = datetime(2026, 11, 20, 3, tzinfo=UTC), datetime(2026, 11, 23, 20, tzinfo=UTC)
    days = Days.of(from_, to, SHANGHAI)
    assert (days.first, days.end) == (date(2026, 11, 21).toordinal(), date(2026, 11, 24).toordinal())
    assert days.edges == (
        (from_, datetime(2026, 11, 20, 16, tzinfo=UTC)),
        (datetime(2026, 11, 23, 16, tzinfo=UTC), to),
    )


def test_a_period_within_one_day_is_all_edge():
    from_, to = datetime(2026, 11, 20, 3, tzinfo=UTC), datetime(2026, 11, 20, 5, tzinfo=UTC)
    days = Days.of(from_, to, SHANGHAI)
    assert days.first == days.end
    assert days.edges == ((from_, to),)
