"""Text that people typed: cleaned, masked, and split for search."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.utils.translation import gettext as _
from pypinyin import Style, lazy_pinyin

from jiying.core.errors import BadInput

_BREAKS = re.compile(r"\r\n?|\u2028|\u2029")
_WORD = re.compile(r"[0-9a-z]+|[\u3400-\u9fff]+")


def clean(
    text: Any, *, field: str, max_chars: int, required: bool = True, single_line: bool = False
) -> str:
    """`text` without control characters, newlines as \\n, in NFC, trimmed.  Nothing is cut silently.

    HTML, formulas and emoji stay what they are: text.

    Raises:
        BadInput: `required`, `too_long`, or `invalid` when it is no text.
    """
    if text is None:
        text = ""
    if not isinstance(text, str):
        raise BadInput.of(field, "invalid", _("这里应当是文字。"))
    if len(text) > max_chars * 4 + 1000:
        raise BadInput.of(field, "too_long", _too_long(len(text), max_chars))
    text = unicodedata.normalize("NFC", _BREAKS.sub("\n", text))
    if single_line:
        text = re.sub(r"\s+", " ", text)
    text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs")).strip()
    if required and not text:
        raise BadInput.of(field, "required", _("这里不能空着。"))
    if len(text) > max_chars:
        raise BadInput.of(field, "too_long", _too_long(len(text), max_chars))
    return text


def _too_long(length: int, limit: int) -> str:
    return _("太长了：%(length)d 个字，最多 %(limit)d 个字。") % {"length": length, "limit": limit}


def mask_phone(phone: str) -> str:
    """A telephone with its middle hidden: 3-4-4 for mobiles.

    >>> mask_phone("+8613812345678")
    '138****5678'
    """
    if not phone:
        return ""
    digits = phone.removeprefix("+86") if phone.startswith("+86") else phone
    shown = 3 if len(digits) >= 11 else 1
    hidden = max(len(digits) - shown - 4, 3)
    if len(digits) <= shown + 4:
        return "*" * max(len(digits) - 2, 1) + digits[-2:]
    return digits[:shown] + "*" * hidden + digits[-4:]


def mask_name(name: str) -> str:
    """The first character and stars.

    >>> mask_name("王小明")
    '王**'
    """
    return name[:1] + "*" * min(max(len(name) - 1, 1), 4) if name else ""


def initials(text: str) -> str:
    """Pinyin initials in lower case; letters and digits stay, the rest goes.

    >>> initials("金桥新村 3 期")
    'jqxc3q'
    """
    parts = lazy_pinyin(text, style=Style.FIRST_LETTER, errors=lambda chars: list(chars))
    return "".join(part for part in "".join(parts).lower() if part.isascii() and part.isalnum())[:60]


def bigrams(text: str) -> list[str]:
    """Tokens for Chinese search: pairs of neighbouring characters; Latin words and numbers whole.

    >>> bigrams("3号电梯坏了 B栋")
    ['3', '号电', '电梯', '梯坏', '坏了', 'b', '栋']
    """
    tokens: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).lower()):
        if word[0].isascii() or len(word) == 1:
            tokens.append(word)
        else:
            tokens += [word[i : i + 2] for i in range(len(word) - 1)]
    return tokens
