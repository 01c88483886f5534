"""Shares and their intervals, against another library and against chance itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from jiying.planning.estimates import difference, ninth_tenth, quantile_t, share_of


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 19, 30, 99, 364])
def test_quantiles_are_those_of_student(degrees):
    assert quantile_t(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-9)


def test_for_days_of_one_size_the_interval_is_that_of_their_mean():
    met = np.array([90, 95, 92, 97, 88])
    low, high = stats.t.interval(0.95, 4, met.mean() / 100, stats.sem(met / 100))
    found = share_of(met, np.full(5, 100))
    assert (found.share, found.low, found.high, found.n) == (
        pytest.approx(0.924), pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6), 500
    )  # fmt: skip


def test_the_interval_holds_the_truth_about_95_times_of_100():
    rng, held = np.random.default_rng(5), 0
    for _time in range(1000):
        due = rng.poisson(60, 12) + 1
        found = share_of(rng.binomial(due, 0.7), due)
        held += found.low <= 0.7 <= found.high
    assert 925 <= held <= 975


def test_the_difference_of_two_that_lived_the_same_days_is_surer_than_either():
    rng = np.random.default_rng(1)
    due = rng.poisson(100, 10) + 1
    before = rng.binomial(due, rng.uniform(0.6, 0.9, 10))
    after = np.minimum(before + 2, due)
    found, alone = difference(after, due, before, due), share_of(before, due)
    assert found.low < 20 / due.sum() < found.high
    assert found.high - found.low < (alone.high - alone.low) / 10


def test_one_day_has_no_interval_and_no_day_no_share():
    assert share_of(np.array([3]), np.array([4])).low is None
    assert difference(np.array([3]), np.array([4]), np.array([2]), np.array([4])).high is None
    assert share_of(np.zeros(3, int), np.zeros(3, int)).share is None


def test_three_of_three_are_not_certain():
    found = share_of(np.array([1, 2]), np.array([1, 2]))
    assert (found.share, found.high) == (1.0, 1.0) and found.low == pytest.approx(0.4385, abs=1e-3)
    assert share_of(np.zeros(2, int), np.array([1, 2])).high == pytest.approx(0.5615, abs=1e-3)


def test_nine_of_ten_within_the_minute_that_reaches_it():
    waits = np.zeros(242, int)
    waits[[5, 20, 241]] = 80, 10, 10
    assert ninth_tenth(waits) == 20
    waits[[20, 241]] = 9, 11
    assert ninth_tenth(waits) is None
    assert ninth_tenth(np.zeros(242, int)) is None
