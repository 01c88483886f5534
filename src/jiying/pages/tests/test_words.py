"""A thing has one name wherever it is seen."""

from __future__ import annotations

import pytest

from jiying.pages import words as pages
from jiying.rules import words as rules


@pytest.mark.parametrize(
    ("in_rules", "on_pages"),
    [(rules.AUDIENCES, pages.AUDIENCES), (rules._URGENCIES, pages.URGENCIES), (rules._PARTS, pages.PARTS)],
)
def test_a_rule_pack_names_things_as_all_other_pages_do(in_rules, on_pages):
    assert {code: str(word) for code, word in in_rules.items()} == {code: str(on_pages[code]) for code in in_rules}
