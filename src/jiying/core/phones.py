"""Telephone numbers."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import PhoneMetadata

from jiying.core.errors import BadInput

#: What people write between digits.  Letters would be an extension, which E.164 cannot hold, or no number.
_WRITTEN = re.compile(r"\+?[0-9 ().\-]+")
#: Dashes that NFKC leaves alone.
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−ー·", "-"))


@cache
def _mobile() -> re.Pattern[str]:
    """A mobile of the mainland by the library's own pattern: most numbers here are, and it parses slowly."""
    known = PhoneMetadata.metadata_for_region("CN")
    assert known is not None and known.mobile is not None
    return re.compile(rf"(?:\+?86)?({known.mobile.national_number_pattern})")


def parse_phone(text: Any, *, region: str = "CN", field: str = "reporter.phone") -> str:
    """A telephone number in E.164 (`+8613812345678`).

    Spaces, dashes and full-width digits are understood; landlines want their area code.  An extension is
    refused, not dropped.

    Raises:
        BadInput: `bad_phone`.
    """
    if not isinstance(text, str) or len(text) > 40:
        raise _refusal(field)
    written = unicodedata.normalize("NFKC", text).translate(_DASHES).strip()
    if not _WRITTEN.fullmatch(written):
        raise _refusal(field)
    if region == "CN" and (mobile := _mobile().fullmatch(written)):
        return f"+86{mobile[1]}"
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException as error:
        raise _refusal(field) from error
    if not phonenumbers.is_valid_number(number):
        raise _refusal(field)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refusal(field: str) -> BadInput:
    return BadInput.of(field, "bad_phone", _("电话号码不对，请填 11 位手机号，或带区号的固定电话（如 021-12345678）。"))


def spaced(phone: str) -> str:
    """An E.164 number as people here read it: mobiles 3 4 4, landlines with their area code.

    >>> spaced("+8613812345678"), spaced("+862150123456"), spaced("+12025550123")
    ('138 1234 5678', '021 5012 3456', '+1 202-555-0123')
    """
    number = phonenumbers.parse(phone, "CN")
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, style.NATIONAL if number.country_code == 86 else style.INTERNATIONAL)


def last4(phone: str) -> str:
    """The last four digits, which a resident types to prove that the order is theirs.

    >>> last4("+8613812345678")
    '5678'
    """
    return "".join(char for char in phone if char.isdigit())[-4:]
