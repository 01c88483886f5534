"""What a report may be about, by its words: a category and an urgency, with the reason, never more than a suggestion.

Pure.  The pack's `keywords` give words points for a category, an urgency, or both.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass

from jiying.rules.pack import Keyword, Pack

LEAST = 2
"""Fewer points are a guess, and are not shown."""

LONGEST = 1000
"""So many characters of a report are read."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A category ("" where the words say only how urgent it is), an urgency ("": as is usual for the category), why.

    `why`: the words that spoke for the category, with their points, the strongest first; `why_urgency` likewise.
    """

    category: str
    urgency: str
    why: tuple[tuple[str, int], ...]
    why_urgency: tuple[tuple[str, int], ...] = ()


def suggest(pack: Pack, said: str) -> Suggestion | None:
    """The category for which the words have the most points; of equals, the one that was said first.

    >>> from jiying.rules import packs
    >>> found = suggest(packs.named("example", "2026.1"), "厨房水管漏水了")
    >>> found.category, found.why
    ('leak', (('漏水', 4),))
    """
    spoken = _spoken(pack, said)
    by_category: dict[str, list[tuple[str, int]]] = defaultdict(list)
    by_urgency: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for word, keyword in spoken:
        if keyword.category:
            by_category[keyword.category].append((word, keyword.weight))
        if keyword.urgency:
            by_urgency[keyword.urgency].append((word, keyword.weight))
    category, urgency = _strongest(by_category), _strongest(by_urgency)
    if category and pack.categories[category].default_urgency == urgency:
        urgency = ""
    if not category and not urgency:
        return None
    return Suggestion(category, urgency, _ranked(by_category[category]), _ranked(by_urgency[urgency]))


def _spoken(pack: Pack, said: str) -> list[tuple[str, Keyword]]:
    """The keywords in what was said, each once, in the order of speaking; a longer one hides those inside it."""
    text = unicodedata.normalize("NFKC", said[:LONGEST]).casefold()
    taken = bytearray(len(text))
    found: list[tuple[int, str, Keyword]] = []
    for word in sorted(pack.keywords, key=len, reverse=True):
        at = text.find(word)
        first = -1
        while at >= 0:
            if not any(taken[at : at + len(word)]):
                taken[at : at + len(word)] = b"\1" * len(word)
                first = at if first < 0 else first
            at = text.find(word, at + 1)
        if first >= 0:
            found.append((first, word, pack.keywords[word]))
    return [(word, keyword) for _at, word, keyword in sorted(found, key=lambda item: item[0])]


def _strongest(sides: dict[str, list[tuple[str, int]]]) -> str:
    """The side with the most points, at least `LEAST`; the first of equals; "" where there is none."""
    points = {side: sum(weight for _word, weight in words) for side, words in sides.items()}
    best = max(points, key=lambda side: points[side], default="")
    return best if best and points[best] >= LEAST else ""


def _ranked(words: list[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(words, key=lambda pair: -pair[1]))
