"""Finding a place by what somebody types or says of it.

By characters of its name or address, pinyin initials (also of inner words) or whole pinyin, its code; with the
building and the room behind it, if they are typed too (`潍坊路100弄3号`, `wfhy 3 502`).  What fits best comes
first.  Only where nothing fits as typed, what sounds alike or differs by a character is taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Length, Lower, Replace

from jiying.core.pinyin import initials_typed, pinyin
from jiying.core.text import bigrams, initials
from jiying.estates.models import Building, Estate

LONGEST = 60
LOOKED_AT = 150
"""So many estates are compared one by one, where nothing fits as typed."""

ALIKE = 0.7
"""Share of the typed characters that a name must have, in their order, to be taken for a slip."""

_ROOM = r"(?:[\s\-/]*(?P<unit>\d{2,5})\s*室?)?"
_TAILS = (
    re.compile(
        rf"(?P<head>.*\S)\s*?(?P<building>(?<![0-9])\d{{1,4}}|[a-z]\d{{0,2}})\s*(?:号楼|号|幢|栋|座|#)\s*{_ROOM}"
    ),
    re.compile(rf"(?P<head>.*[^\d\s\-/])[\s\-]*(?P<building>\d{{1,5}})\s*{_ROOM}"),
)
_NUMBER = re.compile(r"[a-z]?\d+|[a-z]")


@dataclass(frozen=True, slots=True)
class Found:
    """An estate, and of it the building and room that were typed ("" where none was, or none fits)."""

    estate: Estate
    building: str = ""
    unit: str = ""


def find(words: str, within: QuerySet[Estate], limit: int = 12) -> list[Found]:
    """The places among `within` that fit the words, the best first."""
    words = "".join(char for char in words if char.isprintable())[:LONGEST]
    typed = unicodedata.normalize("NFKC", words).casefold().strip()
    if not typed:
        return []
    within = within.select_related("town", "committee")
    for head, building, unit in _readings(typed):
        estates = _as_typed(head, within, limit)
        if estates:
            return _placed(estates, building, unit)
    for head, building, unit in _readings(typed):
        estates = _alike(head, within, limit)
        if estates:
            return _placed(estates, building, unit)
    return []


def _readings(typed: str) -> Iterator[tuple[str, str, str]]:
    """The words as a name alone; then with a building and a room at their end."""
    yield typed, "", ""
    for tail in _TAILS:
        if found := tail.fullmatch(typed):
            yield found["head"].strip(" -"), found["building"], found["unit"] or ""


def _as_typed(typed: str, within: QuerySet[Estate], limit: int) -> list[Estate]:
    """Estates whose name, address, initials or code have the words; blanks in addresses do not count."""
    parts = typed.split()
    whole = "".join(parts)
    if not whole:
        return []
    rows: Any = within.alias(plain_name=_plain("name"), plain_address=_plain("address"))
    letters = initials(whole) if whole.isascii() else ""
    fits = [
        (Q(code__iexact=typed) | Q(plain_name=whole), 0),
        (Q(plain_name__startswith=whole), 1),
        *([(Q(initials=letters), 2), (Q(initials__startswith=letters), 3)] if letters else []),
        (Q(plain_name__contains=whole), 4),
        *([(Q(initials__contains=letters), 5)] if letters else []),
    ]
    fit = Case(*(When(when, then=Value(n)) for when, n in fits), default=Value(6), output_field=IntegerField())
    same = rows.filter(_has(whole) | Q(code__iexact=typed)).alias(fit=fit)
    found = list(same.order_by("fit", Length("name"), "name", "code")[:limit])
    if found or len(parts) < 2:
        return found
    # Nothing has the words as they follow each other: then each by itself, in the name, the address or the town.
    each = rows.filter(reduce(and_, (_has(part) | Q(town__name__contains=part) for part in parts)))
    named = Case(When(reduce(and_, (Q(plain_name__contains=part) for part in parts)), then=Value(0)), default=Value(1))
    return list(each.alias(named=named).order_by("named", Length("name"), "name", "code")[:limit])


def _plain(column: str) -> Replace:
    return Replace(Lower(F(column)), Value(" "), Value(""))


def _has(part: str) -> Q:
    has = Q(plain_name__contains=part) | Q(plain_address__contains=part)
    if part.isascii() and (letters := initials(part)):
        has |= Q(initials__contains=letters)
    return has


def _alike(typed: str, within: QuerySet[Estate], limit: int) -> list[Estate]:
    """Estates whose name sounds like the words, or has nearly all of their characters."""
    whole = "".join(typed.split())
    if whole.isascii():
        return _spelt(whole, within, limit) if whole.isalnum() and len(whole) >= 3 else []
    pairs = [pair for pair in bigrams(whole) if len(pair) == 2]
    sounds = initials(whole)
    near = [Q(name__contains=pair) for pair in pairs] + ([Q(initials__contains=sounds)] if len(sounds) > 1 else [])
    if not near:
        return []
    said = pinyin(whole)
    scored = [
        (1.0 if said in pinyin(estate.name) else _share(whole, estate.name), estate)
        for estate in within.filter(reduce(or_, near)).order_by(Length("name"), "name")[:LOOKED_AT]
    ]
    return _best([(score, estate) for score, estate in scored if score >= ALIKE], limit)


def _spelt(letters: str, within: QuerySet[Estate], limit: int) -> list[Estate]:
    """Estates by their whole pinyin; else by initials of which the first or the last was a slip."""
    ways = initials_typed(letters)
    if ways:
        near = reduce(or_, (Q(initials__contains=way) for way in ways))
        rows = within.filter(near).order_by(Length("name"), "name")[:LOOKED_AT]
        found = [(1.0, estate) for estate in rows if letters in pinyin(estate.name)]
        if found:
            return _best(found, limit)
    if len(letters) < 4:
        return []
    rows = within.filter(Q(initials__contains=letters[:-1]) | Q(initials__contains=letters[1:]))
    return list(rows.order_by(Length("name"), "name")[:limit])


def _share(typed: str, name: str) -> float:
    """How much of what was typed stands in the name, in the same order."""
    blocks = SequenceMatcher(None, typed, name.casefold(), autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(typed)


def _best(scored: Sequence[tuple[float, Estate]], limit: int) -> list[Estate]:
    ranked = sorted(scored, key=lambda pair: (-pair[0], len(pair[1].name), pair[1].name))
    return [estate for _score, estate in ranked[:limit]]


def _placed(estates: Sequence[Estate], building: str, unit: str) -> list[Found]:
    """With the building of that number where the estate has it: those first.

    A number that is no building's, and long enough for a room's, is the room.
    """
    if not building:
        return [Found(estate) for estate in estates]
    numbered: dict[Any, str] = {}
    for row in Building.objects.filter(estate__in=estates, name__icontains=building).order_by("-name"):
        if number_of(row.name) == building.lstrip("0"):
            numbered[row.estate_id] = row.name
    room = unit or (building if building.isdigit() and len(building) >= 3 else "")
    found = [
        Found(estate, numbered[estate.pk], unit) if estate.pk in numbered else Found(estate, "", room)
        for estate in estates
    ]
    return sorted(found, key=lambda place: not place.building)


def number_of(building: str) -> str:
    """The number that people say for a building: the last in its name.

    >>> number_of("潍坊路100弄3号"), number_of("B座"), number_of("会所")
    ('3', 'b', '')
    """
    found = _NUMBER.findall(unicodedata.normalize("NFKC", building).casefold())
    return str(found[-1]).lstrip("0") if found else ""
