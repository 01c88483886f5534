"""Cleaning, masking and splitting what people type."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiying.core.errors import BadInput
from jiying.core.text import bigrams, clean, initials, mask_name, mask_phone


def cleaned(text, **kwargs):
    return clean(text, **{"field": "description", "max_chars": 2000, **kwargs})


def code_of(text, **kwargs):
    with pytest.raises(BadInput) as caught:
        cleaned(text, **kwargs)
    assert caught.value.errors[0].field == "description"
    return caught.value.first_code


@given(st.text(), st.booleans())
def test_nul_and_other_controls_never_survive(text, single_line):
    result = cleaned(text, max_chars=10_000, required=False, single_line=single_line)
    allowed = "" if single_line else "\n\t"
    assert all(char in allowed or unicodedata.category(char) not in ("Cc", "Cs") for char in result)
    assert result == result.strip()
    result.encode()


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text):
    once = cleaned(text, max_chars=10_000, required=False)
    assert cleaned(once, max_chars=10_000, required=False) == once


@pytest.mark.parametrize(
    "text",
    ["<b>漏水</b><script>alert(1)</script>", '=HYPERLINK("x")', "👨‍👩‍👧 救命 🚰", "'; DROP TABLE orders; --"],
)
def test_html_formulas_and_emoji_stay_text(text):
    assert cleaned(text) == text


def test_line_ends_of_all_machines_become_one_kind():
    assert cleaned("一\r\n二\r三\u2028四\x85五\tx") == "一\n二\n三\n四\n五\tx"


def test_a_single_line_has_no_breaks():
    assert cleaned(" 三\r\n号\t楼 ", single_line=True) == "三 号 楼"


def test_composed_and_decomposed_letters_become_one():
    assert cleaned("e\u0301") == "é"


def test_marks_that_turn_the_direction_are_removed():
    assert cleaned("abc\u202edcba\u2069") == "abcdcba"


@pytest.mark.parametrize("text", [None, "", " \n\t", "\x00\x00", "\u200b\u200d", "\u3000"])
def test_what_shows_nothing_counts_as_empty(text):
    assert code_of(text) == "required"
    assert cleaned(text, required=False) == ""


def test_too_long_is_refused_and_not_cut():
    assert cleaned("水" * 2000) == "水" * 2000
    assert code_of("水" * 2001) == "too_long"
    assert code_of("水" * 100_000) == "too_long"


@pytest.mark.parametrize("text", [5, ["x"], {"a": 1}, b"x"])
def test_what_is_no_text_is_refused(text):
    assert code_of(text) == "invalid"


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812345678", "138****5678"),
        ("+8613812345678", "138****5678"),
        ("138-1234-5678", "138****5678"),
        ("+862150123456", "021-****3456"),
        ("021-50123456", "021-****3456"),
        ("+8651287654321", "0512-*****321"),
        ("+12025550123", "+1 ******0123"),
        ("+85261234567", "+852 ****4567"),
        ("12345", "***45"),
        ("1", "*"),
        ("", ""),
    ],
)
def test_a_telephone_is_masked_by_its_kind(phone, shown):
    assert mask_phone(phone) == shown


@given(st.one_of(st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True), st.text(max_size=30)))
def test_a_masked_telephone_never_shows_more_than_seven_digits(phone):
    assert sum(char.isdigit() for char in mask_phone(phone)) <= 7


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_a_mobile_is_always_masked_3_4_4(phone):
    assert mask_phone("+86" + phone) == f"{phone[:3]}****{phone[-4:]}"


@pytest.mark.parametrize(("name", "shown"), [("王小明", "王**"), ("王", "王*"), ("", ""), ("Alexandra Smith", "A****")])
def test_a_name_shows_its_first_character(name, shown):
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("小区", "xq"),
        ("金桥新村 3 期", "jqxc3q"),
        ("Lujiazui 陆家嘴", "lujiazuiljz"),
        ("重庆路", "cql"),
        ("！？", ""),
        ("", ""),
    ],
)
def test_initials_of_chinese(text, letters):
    assert initials(text) == letters


def test_initials_are_at_most_sixty():
    assert len(initials("水" * 500)) == 60


def test_two_character_words_are_found():
    tokens = bigrams("三号楼电梯坏了，WiFi没有信号，请电 021")
    assert {"电梯", "坏了", "wifi", "信号", "021"} <= set(tokens)
    assert "了w" not in tokens


def test_a_single_character_alone_and_rare_characters_are_words():
    assert bigrams("栋") == ["栋"]
    assert bigrams("𠮷野家 café") == ["𠮷野", "野家", "café"]


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=30), st.data())
def test_every_pair_of_neighbours_is_a_token(text, data):
    at = data.draw(st.integers(0, len(text) - 2))
    assert text[at : at + 2] in bigrams(text)
