"""Finding orders by words: the index of what was said, and the condition that asks it.

The words of an order (`core.grams`) stand in one row of `OrderWords`.  Beside it each database keeps an index of
its own: SQLite an FTS5 table that triggers keep equal, PostgreSQL a `tsvector` column with a GIN index.  The row
alone says what matches; the index only says it sooner.

The follower `search` keeps the rows, a moment behind the event log; `rebuild` makes them anew.  The newest orders,
which it has not read yet, are looked at themselves, so that what was just reported is found.
"""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import and_

from django.db import connection, transaction
from django.db.models import F, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from jiying.core.grams import Piece, pieces_of, words_of
from jiying.orders.models import Cursor, Event, EventText, Order, OrderQuerySet, OrderText, OrderWords
from jiying.orders.states import OBSERVATIONS, OPEN
from jiying.people.scopes import Scope

FOLLOWER = "search"
NUMBER = re.compile(r"([0-9]{6})-?([0-9]{0,6})")
SAID_LATER = ("text", "note", "comment", "reason_text", "rule", "answer_text")
"""The texts of events that are looked in (`texts.PERSONAL` without positions)."""

IS_OPEN = "·open"
"""A word that no question can say: it stands with the orders that have not ended."""

IN_TOWN = "·t"
"""The beginning of another such word: a town's code follows."""

COLLECTED = 800
"""Up to so many answers are collected and sorted; with more, the list is walked in its own order to a full page."""

LATEST_TRIED = 300
"""So many of the latest answers are tried, whether they fill a page of the latest reports."""

REBUILT_AT_ONCE = 500

_SAYS_NOTHING = OBSERVATIONS - {"erase"}
"""Events without words that leave an order open or ended as it was."""

NEWEST = 100
"""So many orders that the index does not have yet are looked at themselves."""


@dataclass(frozen=True, slots=True)
class Latest:
    """A page of a list with the latest reports first: so many `rows`, `before` a time (None: from the beginning).

    The list must be narrowed to before that time already.
    """

    rows: int
    before: datetime | None = None

    @property
    def below(self) -> int:
        """The ids of words of reports up to that time, its whole second included, are below."""
        return _moment(self.before + timedelta(seconds=1)) if self.before else 2**63 - 1


def narrowed(
    rows: OrderQuerySet,
    question: str,
    *,
    scope: Scope | None = None,
    open_only: bool = False,
    latest: Latest | None = None,
) -> OrderQuerySet:
    """Those of `rows` that answer the question: a number or its beginning, else words.

    A question in which nothing can be looked up (punctuation, pictures) finds nothing.  `scope`: whose `rows` these
    are; who sees a town or two has the index asked for these alone.  `open_only`: the caller
    wants only orders that have not ended, which the index can say.  `latest`: the caller shows a page of the latest
    reports; then the answer may be cut behind that page.
    """
    numbers = numbered(question)
    if numbers is not None:
        first, last = numbers
        if Order.objects.filter(number__gte=first, number__lt=last).exists():
            return rows.filter(number__gte=first, number__lt=last)
    pieces = pieces_of(question)
    if not pieces:
        return rows.none()
    if open_only:
        pieces = (Piece(IS_OPEN), *pieces)
    towns = _towns_alone(scope)
    found = _TWINS[connection.vendor](rows, pieces, towns, latest)
    beside = _newest(pieces)
    if scope is not None and towns:
        # Few, and named: an "or" between an index and a look at each row would walk all rows.
        mine = Order.objects.filter(looked_at(pieces), reporter_id=scope.user_id)
        beside += mine.order_by().values_list("pk", flat=True)
    if beside:
        found |= Q(pk__in=beside)
    return rows.filter(found)


def _towns_alone(scope: Scope | None) -> Sequence[str]:
    """The towns of who sees nothing beside them but what they reported themselves."""
    if scope is None or scope.districts or scope.committees or scope.owned or scope.companies:
        return ()
    return () if scope.managed or scope.works_for else sorted(scope.towns)


def _newest(pieces: Sequence[Piece]) -> list[uuid.UUID]:
    """Those of the newest orders that answer, of which the index has nothing yet."""
    read = Cursor.objects.filter(follower=FOLLOWER).values_list("seq", flat=True).first() or 0
    unread = Event.objects.filter(seq__gt=read, version=1).order_by("-seq").values_list("order_id", flat=True)[:NEWEST]
    ids = list(unread)
    if not ids:
        return []
    waiting = Order.objects.filter(pk__in=ids, words=None).select_related("town", "estate", "building", "text")
    return [
        order.pk
        for order in waiting
        if (words := _words(order, getattr(order, "text", None), ())) and all(p.inside in words for p in pieces)
    ]


def numbered(question: str) -> tuple[str, str] | None:
    """The range of numbers that begin as the question does; None where it is no number.

    >>> numbered("261124038")
    ('261124-038', '261124-038~')
    >>> numbered("电梯") is None
    True
    """
    found = NUMBER.fullmatch(question.strip())
    if found is None:
        return None
    begins = f"{found[1]}-{found[2]}"
    return begins, f"{begins}~"


_ANSWERS = "SELECT rowid FROM orders_orderwords_fts WHERE orders_orderwords_fts MATCH %s"


def _on_sqlite(rows: OrderQuerySet, pieces: Sequence[Piece], towns: Sequence[str], latest: Latest | None) -> Q:
    """Rare words are collected from the index; for frequent ones the list is walked, and each row looked at.

    SQLite would collect and sort half of all orders for a page of fifty.  A word may be frequent and yet old: a list
    of the latest is therefore tried first with the latest answers alone, which are enough if they fill the page.
    """
    strong, weak = _by_strength(pieces)
    match = " AND ".join(f'"{piece.word}"{" *" if piece.begins else ""}' for piece in strong)
    if towns:
        match += " AND (" + " OR ".join(f'"{IN_TOWN}{code}"' for code in towns) + ")"
    more = looked_at(weak) if weak else Q()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({_ANSWERS} LIMIT {COLLECTED + 1})", [match])
        if cursor.fetchone()[0] <= COLLECTED:
            return Q(pk__in=RawSQL(f"SELECT order_id FROM orders_orderwords WHERE id IN ({_ANSWERS})", [match])) & more
    if latest is not None:
        top = f"{_ANSWERS} AND rowid < %s ORDER BY rowid DESC LIMIT {LATEST_TRIED}"
        ids = RawSQL(f"SELECT order_id FROM orders_orderwords WHERE id IN ({top})", [match, latest.below])
        found = Q(pk__in=ids) & more
        if rows.filter(found).order_by()[: latest.rows].count() == latest.rows:
            return found
    return looked_at(pieces)


def _by_strength(pieces: Sequence[Piece]) -> tuple[Sequence[Piece], Sequence[Piece]]:
    """What the index is asked for, and what is only looked at in its answers: a single character stands everywhere."""
    weak = [piece for piece in pieces if piece.begins and len(piece.word) == 1]
    strong = [piece for piece in pieces if piece not in weak]
    return (strong, weak) if any(piece.word != IS_OPEN for piece in strong) else (pieces, [])


def looked_at(pieces: Iterable[Piece]) -> Q:
    """The plain look at each row's words, without an index: what the indexes of both databases must agree with."""
    looks = (GreaterThan(StrIndex(F("words__words"), Value(piece.inside)), Value(0)) for piece in pieces)
    return reduce(and_, (Q(look) for look in looks))


def _on_postgresql(rows: OrderQuerySet, pieces: Sequence[Piece], towns: Sequence[str], latest: Latest | None) -> Q:
    """PostgreSQL knows how frequent words are, and chooses by itself between collecting and walking."""
    strong, weak = _by_strength(pieces)
    match = " & ".join(f"'{piece.word}'{':*' if piece.begins else ''}" for piece in strong)
    if towns:
        match += " & (" + " | ".join(f"'{IN_TOWN}{code}'" for code in towns) + ")"
    ids = RawSQL("SELECT order_id FROM orders_orderwords WHERE tokens @@ %s::tsquery", [match])
    return Q(pk__in=ids) & (looked_at(weak) if weak else Q())


_TWINS: dict[str, Callable[[OrderQuerySet, Sequence[Piece], Sequence[str], Latest | None], Q]] = {
    "sqlite": _on_sqlite,
    "postgresql": _on_postgresql,
}


def follow(events: Sequence[Event]) -> None:
    """The follower: what was said about the orders of a batch stands in the index.  Idempotent."""
    index({event.order_id for event in events if event.verb not in _SAYS_NOTHING})


def index(order_ids: Iterable[uuid.UUID]) -> int:
    """Write the words of these orders anew from what is stored; returns how many rows changed.

    The texts are locked while they are read: an erasure that runs at the same time comes before or after, and is
    never undone.
    """
    ids = sorted(set(order_ids))
    with transaction.atomic():
        texts = {text.pk: text for text in OrderText.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
        later: dict[uuid.UUID, list[str]] = defaultdict(list)
        said = EventText.objects.filter(order_id__in=ids, field__in=SAID_LATER).order_by("order_id", "version", "field")
        for order_id, text in said.values_list("order_id", "text"):
            later[order_id].append(text)
        orders = Order.objects.filter(pk__in=ids).select_related("town", "estate", "building")
        return _keep([(order, _words(order, texts.get(order.pk), later[order.pk])) for order in orders])


def forget(order: Order) -> None:
    """What people said about this order goes out of the index; number, estate and building stay.

    For erasures: call it in the transaction that erases the texts.  `scrub` then clears what SQLite keeps of
    deleted words until its next merge.
    """
    with transaction.atomic():
        # The same lock as `index` takes: who reads the texts at this moment writes before us.
        list(OrderText.objects.select_for_update().filter(pk=order.pk))
        _keep([(order, _words(order, None, ()))])


def scrub() -> None:
    """Merge the index, so that nothing of forgotten words stays in it: once after an erasure, however large."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO orders_orderwords_fts(orders_orderwords_fts) VALUES ('optimize')")


def rebuild(told: Callable[[int], None] = lambda _done: None) -> int:
    """Write the words of all orders anew, in small transactions beside the running system; returns how many changed.

    For estates that were renamed, and for an index that is doubted.
    """
    changed, done, last = 0, 0, uuid.UUID(int=0)
    while ids := list(Order.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:REBUILT_AT_ONCE]):
        changed += index(ids)
        done, last = done + len(ids), ids[-1]
        told(done)
    return changed


def _words(order: Order, text: OrderText | None, later: Iterable[str]) -> str:
    """Everything an order is found by."""
    plain = [order.number, order.external_id]
    if order.estate is not None:
        plain += [order.estate.name, order.estate.address]
    if order.building is not None:
        plain.append(order.building.name)
    said = [text.description, text.unit, text.address] if text is not None else []
    words = words_of(*plain, *said, *later)
    town = f" {IN_TOWN}{order.town.code}" if order.town is not None else ""
    return f"{town} {IS_OPEN}{words}" if order.state in OPEN else f"{town}{words}"


EPOCH_S = 946_684_800
"""The year 2000 in Unix time: seconds since then, shifted, leave an id of 63 bits until the year 2136."""

WITHIN_SECOND = 28
"""Bits of an id that tell orders of one second apart, taken from the random end of the order's own id."""


def _moment(at: datetime) -> int:
    """The lowest id of words of that second."""
    return max(0, int(at.timestamp()) - EPOCH_S) << WITHIN_SECOND


def _keep(found: Sequence[tuple[Order, str]]) -> int:
    """Write what differs from what is kept; returns how many rows.  Inside a transaction that holds the texts."""
    kept = {row.order_id: row for row in OrderWords.objects.filter(order__in=[order.pk for order, _words in found])}
    known = [(words, kept[order.pk]) for order, words in found if order.pk in kept]
    changed = [(words, row.pk) for words, row in known if words != row.words]
    if changed:
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE orders_orderwords SET words = %s WHERE id = %s", changed)
    fresh = [
        OrderWords(order=order, district=order.district, words=words) for order, words in found if order.pk not in kept
    ]
    _number(fresh)
    OrderWords.objects.bulk_create(fresh, batch_size=200)
    return len(changed) + len(fresh)


def _number(fresh: Sequence[OrderWords]) -> None:
    """Give ids that follow the time of the report; where one is taken the next is given."""
    for row in fresh:
        row.id = _moment(row.order.reported_at) | row.order.pk.int & (1 << WITHIN_SECOND) - 1
    taken = set(OrderWords.objects.filter(pk__in=[row.id for row in fresh]).values_list("pk", flat=True))
    for row in fresh:
        while row.id in taken:
            row.id += 1
        taken.add(row.id)
