"""Telephone numbers."""

from __future__ import annotations

import unicodedata
from typing import Any

import phonenumbers
from django.utils.translation import gettext as _

from jiying.core.errors import BadInput


def parse_phone(text: Any, *, region: str = "CN", field: str = "reporter.phone") -> str:
    """A telephone number in E.164 (`+8613812345678`).

    Spaces, dashes and full-width digits are understood; landlines want their area code.

    Raises:
        BadInput: `bad_phone`.
    """
    refusal = BadInput.of(
        field, "bad_phone", _("电话号码不对，请填 11 位手机号，或带区号的固定电话（如 021-12345678）。")
    )
    if not isinstance(text, str) or len(text) > 40:
        raise refusal
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), region)
    except phonenumbers.NumberParseException as error:
        raise refusal from error
    if not phonenumbers.is_valid_number(number):
        raise refusal
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
