"""The formulas, by examples a reader can check by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from jiying.supervision.figures import Tally, per_1000, quantile, share, wilson


def test_a_share_of_nothing_is_nothing():
    shown = Tally().shown(30)
    assert share(0, 0) is None
    assert shown["promises"]["respond_30"]["share"] is None
    assert shown["responsiveness"]["share"] is None
    assert shown["satisfaction"] == {"share": None, "low": None, "high": None, "n": 0}
    assert shown["median_min"] is None
    assert shown["rework"] is None
    assert set(shown["left_out"].values()) == {None}
    assert shown["complaints_per_1000"] is None


def test_fairly_satisfied_counts_nine_tenths():
    tally = Tally(Counter({"rating.satisfied": 6, "rating.fairly": 3, "rating.dissatisfied": 1}))
    shown = tally.shown(30)["satisfaction"]
    assert shown["share"] == pytest.approx(0.87)
    assert shown["n"] == 10
    assert shown["low"] < 0.87 < shown["high"] <= 1


@pytest.mark.parametrize(
    ("p", "n", "low", "high"),
    # Values of the score interval as printed in statistical tables: 0/10, 5/10, 81/263.
    [(0.0, 10, 0.0, 0.2775), (0.5, 10, 0.2366, 0.7634), (81 / 263, 263, 0.2553, 0.3662)],
)
def test_wilsons_interval_gives_the_published_values(p, n, low, high):
    assert wilson(p, n) == pytest.approx((low, high), abs=5e-4)


def test_quantiles_are_by_nearest_rank():
    minutes = dict.fromkeys(range(1, 11), 1)
    assert quantile(minutes, 0.5) == 5
    assert quantile(minutes, 0.9) == 9
    assert quantile({7: 1}, 0.9) == 7


def test_responsiveness_counts_signing_contacting_and_arriving_only():
    tally = Tally(Counter({"sign.met": 3, "sign.missed": 1, "respond_30.met": 1, "complete.missed": 100}))
    assert tally.responsiveness() == {"due": 5, "met": 4, "share": 0.8}


def test_totals_are_sums_not_means_of_shares():
    one = Tally(Counter({"sign.met": 1, "m.10": 1}))
    one.add(Tally(Counter({"sign.met": 1, "sign.missed": 8, "m.40": 2})))
    assert one.shown(30)["promises"]["sign"]["share"] == 0.2
    assert one.shown(30)["median_min"] == 40


def test_complaints_are_per_thousand_households_and_month():
    assert per_1000(2, 4000, 30.4375 * 2) == pytest.approx(0.25)
    assert per_1000(2, 0, 30) is None
