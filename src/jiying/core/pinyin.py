"""Names as they are typed in pinyin.  Pure; tones play no part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from pypinyin import lazy_pinyin

_SYLLABLE = re.compile(
    "(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?"
    "(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao|ou|an|en|in|un|ia|ie|iu|ua|ue|ui|uo|ve|er|[aoeiuv])"
)
_BEGUN = re.compile("[zcs]h|[bpmfdtnlgkhjqxrzcsyw]")
MOST_READINGS = 20


@lru_cache(maxsize=50_000)
def pinyin(text: str) -> str:
    """The pinyin of a name without tones and spaces; other letters and digits stay.

    >>> pinyin("潍坊新村 3 期")
    'weifangxincun3qi'
    """
    return "".join(char for char in "".join(lazy_pinyin(text)).lower() if char.isascii() and char.isalnum())


def initials_typed(letters: str) -> tuple[str, ...]:
    """The initials of what was typed in whole syllables, in the ways it can be read; the last may be begun only.

    >>> initials_typed("xian")
    ('x', 'xn', 'xa', 'xan')
    >>> initials_typed("jinqiaoxinc")[0]
    'jqxc'
    >>> initials_typed("wfhy")
    ()
    """
    return tuple(dict.fromkeys(islice(_readings(letters, 0), MOST_READINGS)))


def _readings(letters: str, at: int) -> Iterator[str]:
    """Initials of the readings of the rest, the longest syllable first."""
    if at == len(letters):
        yield ""
        return
    longest = range(min(6, len(letters) - at), 0, -1)
    ends = [at + n for n in longest if _SYLLABLE.fullmatch(letters, at, at + n)]
    if at and _BEGUN.fullmatch(letters, at):
        ends.append(len(letters))
    for end in ends:
        for rest in _readings(letters, end):
            yield letters[at] + rest
