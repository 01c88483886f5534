"""Finding Chinese text: what of a text stands in the index, and what of a question is looked up there.

Pure.  Chinese has no spaces, so a run of characters is kept as its pairs of neighbours (`core.text.bigrams`) and
its last character, Latin words and numbers whole.  A question is found where all of its pieces are:

- two characters or more: by their pairs;
- one character alone: by the pairs that begin with it, or as the last of a run, so everywhere it stands;
- a Latin word or a number of four and more: by words that begin with it; shorter ones as they are.

The words of a text are one string, each word between blanks, so that a piece is in it or is not by one plain
look: the index of either database only says the same faster.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jiying.core.text import bigrams, is_han

LONGEST_WORD = 40
"""Characters of a Latin word or a number that count; PostgreSQL's index refuses words of thousands of bytes."""

LONGEST_QUESTION = 200
MOST_PIECES = 40
BEGINS_FROM = 4
"""From so many characters a Latin word or a number finds those that begin with it."""


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """One word looked for; `begins`: words that begin with it will do."""

    word: str
    begins: bool = False

    @property
    def inside(self) -> str:
        """What stands in the words of a text that has it."""
        return f" {self.word}" if self.begins else f" {self.word} "


def words_of(*texts: str) -> str:
    """The words of texts as one string, each once, between blanks; a blank alone where there is none.

    >>> words_of("3号电梯坏了", "B栋")
    ' 3 号电 电梯 梯坏 坏了 了 b 栋 '
    """
    words = dict.fromkeys(word for text in texts for word in _split(text))
    return f" {' '.join(words)} " if words else " "


def _split(text: str) -> Iterable[str]:
    """The words of one text: `bigrams`, and after the last pair of a run its last character."""
    pairs = bigrams(text)
    for place, word in enumerate(pairs):
        yield word[:LONGEST_WORD]
        if len(word) == 2 and is_han(word[0]) and not _goes_on(word, pairs[place + 1 : place + 2]):
            yield word[1]


def _goes_on(pair: str, following: list[str]) -> bool:
    """Whether the run of `pair` goes on with the next: then its last character begins the next pair.

    Two runs may meet (`电梯` and `梯子`): nothing is lost, for the character begins a pair all the same.
    """
    return bool(following) and len(following[0]) == 2 and following[0][0] == pair[1]


def pieces_of(question: str) -> tuple[Piece, ...]:
    """What of a question is looked up, at most `MOST_PIECES`; empty where nothing in it can be found by.

    >>> pieces_of("电梯 b 1204")
    (Piece(word='电梯', begins=False), Piece(word='b', begins=False), Piece(word='1204', begins=True))
    >>> pieces_of('水 "%*')
    (Piece(word='水', begins=True),)
    """
    found = dict.fromkeys(_piece(word[:LONGEST_WORD]) for word in bigrams(question[:LONGEST_QUESTION]))
    return tuple(found)[:MOST_PIECES]


def _piece(word: str) -> Piece:
    if is_han(word[0]):
        return Piece(word, begins=len(word) == 1)
    return Piece(word, begins=len(word) >= BEGINS_FROM)


def matches(question: str, words: str) -> bool:
    """Whether a text with these `words` answers the question; no question finds nothing.

    >>> matches("坏了", words_of("3号电梯坏了"))
    True
    """
    pieces = pieces_of(question)
    return bool(pieces) and all(piece.inside in words for piece in pieces)
