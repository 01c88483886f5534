"""Whether two reports are likely about the same matter.

Pure: points are added up, each with its reason, and shown; nobody is merged by it.  How often it is right is measured
by `bench/duplicates.py` on a year it was not tuned on (`docs/intake.md`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jiying.core.text import bigrams

SAME_UNIT, SAME_BUILDING, OTHER_UNIT = 4, 2, -2
SAME_CATEGORY, OTHER_CATEGORY = 2, -2
WORDS_ALIKE, WORDS_CLOSE = 2, 1
CLOSE_SHARE, ALIKE_SHARE = 0.25, 0.5
WITHIN: tuple[tuple[timedelta, str, int], ...] = (
    (timedelta(hours=1), "hour", 2),
    (timedelta(hours=24), "day", 1),
    (timedelta(hours=72), "days", 0),
)
LONG_AGO = -3
FURTHEST = timedelta(days=14)
"""Older reports are not looked at: what has been open so long is asked about by its number."""

LIKELY = 4
"""From so many points on two reports are shown as likely the same."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What tells one report from another.  Empty texts are not known; `estate` is never empty."""

    estate: str
    at: datetime
    building: str = ""
    unit: str = ""
    category: str = ""
    words: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class Likeness:
    """How many points speak for the same matter, and which reasons gave some."""

    points: int
    why: tuple[str, ...]

    @property
    def likely(self) -> bool:
        return self.points >= LIKELY


def words_in(said: str) -> frozenset[str]:
    """The pairs of characters and the words of what was said, for comparing; single characters say little."""
    return frozenset(word for word in bigrams(said) if len(word) > 1)


def likeness(new: Matter, earlier: Matter) -> Likeness | None:
    """How alike a report is to an earlier one that is still open; None where they have nothing to do with each other.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    >>> leak = Matter("E1", noon, "3号楼", "502", "leak", words_in("厨房漏水"))
    >>> again = Matter("E1", noon + timedelta(minutes=20), "3号楼", "502", "leak", words_in("厨房还在漏水"))
    >>> likeness(again, leak)
    Likeness(points=10, why=('unit', 'category', 'alike', 'hour'))
    >>> likeness(Matter("E1", noon + timedelta(days=2), "8号楼", "", "lift"), leak).likely
    False
    """
    apart = new.at - earlier.at
    if new.estate != earlier.estate or apart > FURTHEST:
        return None
    found = [*_place(new, earlier), *_matter(new, earlier), _time(apart)]
    return Likeness(sum(points for _why, points in found), tuple(why for why, points in found if points > 0))


def _place(new: Matter, earlier: Matter) -> list[tuple[str, int]]:
    if not new.building or new.building != earlier.building:
        return []
    if new.unit and new.unit == earlier.unit:
        return [("unit", SAME_UNIT)]
    other = [("other_unit", OTHER_UNIT)] if new.unit and earlier.unit else []
    return [("building", SAME_BUILDING), *other]


def _matter(new: Matter, earlier: Matter) -> list[tuple[str, int]]:
    found = []
    if new.category and earlier.category:
        same = new.category == earlier.category
        found.append(("category", SAME_CATEGORY) if same else ("other_category", OTHER_CATEGORY))
    if new.words and earlier.words:
        share = len(new.words & earlier.words) / min(len(new.words), len(earlier.words))
        if share >= CLOSE_SHARE:
            found.append(("alike", WORDS_ALIKE) if share > ALIKE_SHARE else ("close", WORDS_CLOSE))
    return found


def _time(apart: timedelta) -> tuple[str, int]:
    """Two reports may be typed in another order than they were made: which is first is no matter."""
    return next(((why, points) for limit, why, points in WITHIN if abs(apart) <= limit), ("long_ago", LONG_AGO))
