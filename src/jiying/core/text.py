"""Text that people typed: cleaned, masked, and split for search."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import phonenumbers
from django.utils.translation import gettext as _
from pypinyin import Style, lazy_pinyin

from jiying.core.errors import BadInput

_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
#: Controls, halves of surrogate pairs, the byte order mark, and the marks that turn the writing direction
#: (they can make a page show another text than is stored).  Joiners stay: emoji are made with them.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"\s+")
_VISIBLE = re.compile("[^\\s\u200b-\u200f\u2060\u00ad]")
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(f"([{_HAN}]+)|([^\\W_{_HAN}]+)")
_ONE_HAN = re.compile(f"[{_HAN}]")

INITIALS_CHARS = 60


def clean(text: Any, *, field: str, max_chars: int, required: bool = True, single_line: bool = False) -> str:
    """`text` without control characters, newlines as \\n, in NFC, trimmed.  Nothing is cut silently.

    HTML, formulas and emoji stay what they are: text.  `max_chars` counts code points of the result.

    Raises:
        BadInput: `required` (nothing visible in it), `too_long`, or `invalid` when it is no text.
    """
    if text is None:
        text = ""
    if not isinstance(text, str):
        raise BadInput.of(field, "invalid", _("这里应当是文字。"))
    if len(text) > max_chars * 4 + 1000:
        raise BadInput.of(field, "too_long", _too_long(len(text), max_chars))
    cleaned = _BREAKS.sub("\n", text)
    if single_line:
        cleaned = _SPACES.sub(" ", cleaned)
    # Strip after removing: a control character may have kept white space from the edge.
    cleaned = unicodedata.normalize("NFC", _UNWANTED.sub("", cleaned)).strip()
    if not _VISIBLE.search(cleaned):
        cleaned = ""
    if required and not cleaned:
        raise BadInput.of(field, "required", _("这里不能空着。"))
    if len(cleaned) > max_chars:
        raise BadInput.of(field, "too_long", _too_long(len(cleaned), max_chars))
    return cleaned


def _too_long(length: int, limit: int) -> str:
    return _("太长了：%(length)d 个字，最多 %(limit)d 个字。") % {"length": length, "limit": limit}


def mask_phone(phone: str) -> str:
    """A telephone with its middle hidden, never more than seven digits shown.

    Mobiles 3-4-4; landlines keep their area code, numbers of other countries their country code.

    >>> mask_phone("+8613812345678")
    '138****5678'
    >>> mask_phone("+862150123456")
    '021-****3456'
    >>> mask_phone("+12025550123")
    '+1 ******0123'
    """
    if not phone:
        return ""
    try:
        number = phonenumbers.parse(phone, "CN")
    except phonenumbers.NumberParseException:
        return _stars("".join(char for char in phone if char.isdigit()), 0, 2)
    digits = phonenumbers.national_significant_number(number)
    if number.country_code != 86:
        return f"+{number.country_code} {_stars(digits, 0, 4)}"
    if len(digits) == 11 and digits[0] == "1":
        return _stars(digits, 3, 4)
    area = phonenumbers.length_of_geographical_area_code(number)
    return f"0{digits[:area]}-{_stars(digits[area:], 0, 6 - area)}" if area else _stars(digits, 0, 4)


def _stars(digits: str, head: int, tail: int) -> str:
    """`digits` with the first `head` and last `tail` shown; at least half of them stay hidden otherwise."""
    if len(digits) < head + tail + 3:
        head, tail = 0, min(tail, len(digits) // 2)
    hidden = len(digits) - head - tail
    return digits[:head] + "*" * max(hidden, 1) + digits[len(digits) - tail :]


def mask_name(name: str) -> str:
    """The first character and stars, at most four.

    >>> mask_name("王小明")
    '王**'
    """
    return name[:1] + "*" * min(max(len(name) - 1, 1), 4) if name else ""


def initials(text: str) -> str:
    """Pinyin initials in lower case, the first 60; letters and digits stay, the rest goes.

    >>> initials("金桥新村 3 期")
    'jqxc3q'
    """
    parts = lazy_pinyin(text, style=Style.FIRST_LETTER, errors="default")
    found = (char for char in "".join(parts).lower() if char.isascii() and char.isalnum())
    return "".join(found)[:INITIALS_CHARS]


def is_han(char: str) -> bool:
    """Whether a character is Chinese.

    >>> is_han("水"), is_han("a")
    (True, False)
    """
    return _ONE_HAN.match(char) is not None


def bigrams(text: str) -> list[str]:
    """Tokens for Chinese search: pairs of neighbouring characters; Latin words and numbers whole.

    Texts and questions are split alike: a question is found where all of its tokens are.  A question of one
    character finds only texts in which it stands alone; search those by substring.

    >>> bigrams("3号电梯坏了 B栋")
    ['3', '号电', '电梯', '梯坏', '坏了', 'b', '栋']
    """
    tokens: list[str] = []
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text).lower()):
        word = match[0]
        if match[2] or len(word) == 1:
            tokens.append(word)
        else:
            tokens += [word[i : i + 2] for i in range(len(word) - 1)]
    return tokens
