"""Telephone numbers."""

from __future__ import annotations

from contextlib import suppress

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiying.core.errors import BadInput
from jiying.core.phones import last4, parse_phone


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("13812345678", "+8613812345678"),
        (" 138 1234 5678 ", "+8613812345678"),
        ("138-1234-5678", "+8613812345678"),
        ("138–1234—5678", "+8613812345678"),
        ("１３８１２３４５６７８", "+8613812345678"),
        ("＋86 138 1234 5678", "+8613812345678"),
        ("0086 13812345678", "+8613812345678"),
        ("021-50123456", "+862150123456"),
        ("（021）5012 3456", "+862150123456"),
        ("0512-87654321", "+8651287654321"),
        ("+1 (202) 555-0123", "+12025550123"),
        ("+852 6123 4567", "+85261234567"),
    ],
)
def test_what_people_write_becomes_e164(written, e164):
    assert parse_phone(written) == e164


@pytest.mark.parametrize(
    "written",
    [
        "",
        "123",
        "1381234567",
        "138123456789",
        "12345678901",
        "电话没有",
        "tel 13812345678",
        "<b>13812345678</b>",
        "138CALLNOW",
        "021-50123456转8",
        "021-50123456 x8",
        "1" * 100_000,
        "138\x001234567",
        None,
        13812345678,
        ["13812345678"],
    ],
)
def test_what_is_no_number_is_refused_with_what_to_do(written):
    with pytest.raises(BadInput) as caught:
        parse_phone(written, field="phone")
    assert caught.value.first_code == "bad_phone"
    assert caught.value.errors[0].field == "phone"
    assert "11 位" in caught.value.detail


@given(st.text())
def test_any_text_gives_a_number_or_a_refusal(text):
    with suppress(BadInput):
        assert parse_phone(text).startswith("+")


def test_another_region_reads_its_own_numbers():
    assert parse_phone("(202) 555-0123", region="US") == "+12025550123"


def test_the_last_four_digits():
    assert last4("+8613812345678") == "5678"
    assert last4("") == ""


@given(
    st.sampled_from(["", "86", "+86", "+ 86", "0086", "0"]), st.from_regex(r"1[0-9]{9,11}", fullmatch=True), st.data()
)
def test_a_mobile_is_read_as_the_library_reads_it(before, digits, data):
    spaces = data.draw(st.sampled_from(["", " ", "-"]))
    written = f"{before}{spaces}{digits}"
    try:
        number = phonenumbers.parse(written, "CN")
        theirs = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        theirs = theirs if phonenumbers.is_valid_number(number) else None
    except phonenumbers.NumberParseException:
        theirs = None
    try:
        ours = parse_phone(written)
    except BadInput:
        ours = None
    assert ours == theirs
