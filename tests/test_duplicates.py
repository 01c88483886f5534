"""How often the rule for likely duplicates is right, recounted from the real complaints."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from bench import duplicates


@pytest.mark.needs_shared
def test_on_a_year_it_was_not_tuned_on_the_rule_is_twice_as_often_right_as_the_plain_one(shared):
    complaints = duplicates.read(shared / "data" / duplicates.FILE)
    half = [complaint for complaint in complaints if complaint.matter.at < datetime(2012, 7, 1, tzinfo=UTC)]
    ours, plain = (duplicates.score(half, rule, 2012) for rule in (duplicates.ours, duplicates.same_address))
    assert ours.marked == plain.marked > 300
    assert ours.precision is not None and plain.precision is not None and ours.recall is not None
    assert ours.precision > 0.85 > 0.5 > plain.precision
    assert ours.recall > 0.85
