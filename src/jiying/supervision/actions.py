"""All that writes the figures' tables, but for making them anew (`rebuilding`).

An order that something happened to is counted again from all its events.  What it had added before is taken
away and the new is added, in the transaction that moves the cursor: exact after late events, reopenings and
changes of place, and the same however often a batch is repeated.

Counts are read, changed and written back, so there is one writer at a time: whoever holds the follower's cursor.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q

from jiying.core.bulk import Statement, tell, upserting
from jiying.core.ids import uuid7
from jiying.estates.queries import zone_of
from jiying.orders import followers
from jiying.orders.models import Cursor, Event
from jiying.supervision.models import Cell, Counted, Edition, Rollup, Waiting
from jiying.supervision.reading import (
    Fresh,
    Key,
    Place,
    by_day,
    cells_of,
    count_orders,
    parts_of,
    read,
    spread,
    written,
)

NAME, MOVED = "rollups", "rollups_moved"
MOST_VALUES = 500
"""How many values one question names."""

Cells = dict[uuid.UUID, Cell]
Changes = dict[Key, Counter[str]]


def prepare(events: Sequence[Event]) -> Callable[[], None]:
    """Count the orders of a batch again, and return what writes that; the follower `rollups`."""
    return _replacing(serving().pk, count_orders({event.order_id: event.order for event in events}.values()))


def prepare_moved(events: Sequence[Event]) -> Callable[[], None]:
    """The same of orders that were moved to another rule pack; the follower `rollups_moved`, which has a cursor of its
    own, so that today's reports do not wait behind a hundred thousand orders that are counted again.
    """
    read_at = Cursor.objects.get_or_create(follower=NAME)[0].updated_at
    write = prepare(events)

    def in_turn() -> None:
        turn = take_turn()
        if turn.updated_at != read_at:
            raise followers.OvertakenError
        write()
        turn.save(update_fields=["updated_at"])

    return in_turn


FOLLOWERS = (
    followers.Follower(NAME, prepare, history=True, skips=followers.REPACK),
    followers.Follower(MOVED, prepare_moved, history=True, only=followers.REPACK, leisure=True),
)


def serving() -> Edition:
    """The edition that is read; the first one is made when there is none."""
    return Edition.objects.get_or_create(state=Edition.State.SERVING)[0]


def take_turn() -> Cursor:
    """Wait for the follower's cursor and hold it to the end of the transaction."""
    Cursor.objects.get_or_create(follower=NAME)
    return Cursor.objects.select_for_update().get(follower=NAME)


def apply(edition: int, fresh: Sequence[Fresh]) -> None:
    """Replace what these orders have added by what they add now; inside a transaction that has its turn."""
    _replacing(edition, fresh)()


def _replacing(edition: int, fresh: Sequence[Fresh]) -> Callable[[], None]:
    """What replaces what these orders have added by what they add now.

    It may be worked out before others have to wait for it, as long as nobody else has written what it read: the
    follower's cursor tells (`followers.advance`, `_touch`).
    """
    before = _counted(edition, [one.order for one in fresh])
    places = _places(before.values(), known=(cells_of(one.place) for one in fresh))
    changes: Changes = {}
    cells: Cells = {}
    rows: list[list[Any]] = []
    for one in fresh:
        mine, parts = cells_of(one.place), parts_of(one.counted)
        text, old = written(parts), before.get(one.order)
        rows.append([uuid7(), edition, one.place.district, one.order, one.version, mine[-1].pk, text])
        if old is not None and old.parts == text and old.cell == mine[-1].pk:
            continue
        if old is not None:
            _take_away(changes, cells, places[old.cell], old)
        cells.update((cell.pk, cell) for cell in mine)
        spread(changes, mine, by_day(parts, zone_of(one.place.district)))
    names = ("id", "edition", "district", "order", "version", "cell", "parts")
    statements = [
        _keeping(cells.values()),
        _adding(edition, cells, changes),
        upserting(Counted, names, rows, ("edition", "order"), ("version", "cell", "parts")),
        _waiting(edition, fresh),
    ]

    def write() -> None:
        for some in _some(list(before)):
            Waiting.objects.filter(edition=edition, order__in=some).delete()
        for statement in statements:
            tell(statement)

    return write


def _touch() -> None:
    """Take one's turn, and let the follower work out again what it has not written yet."""
    take_turn().save(update_fields=["updated_at"])


def forget(orders: Iterable[uuid.UUID]) -> None:
    """Take away what orders have added that are themselves taken back; inside the caller's transaction.

    For imports that are reversed: no event says that an order never was.
    """
    _touch()
    wanted = list(orders)
    for edition in Edition.objects.exclude(state=Edition.State.OLD).values_list("pk", flat=True):
        changes: Changes = {}
        cells: Cells = {}
        before = _counted(edition, wanted)
        places = _places(before.values())
        for old in before.values():
            _take_away(changes, cells, places[old.cell], old)
        tell(_adding(edition, cells, changes))
        for some in _some(wanted):
            Counted.objects.filter(edition=edition, order__in=some).delete()
            Waiting.objects.filter(edition=edition, order__in=some).delete()


def leave(
    *, towns: Iterable[uuid.UUID] = (), estates: Iterable[uuid.UUID] = (), companies: Iterable[uuid.UUID] = ()
) -> None:
    """Let go of places that nothing is counted for any more, so that they can be taken out again."""
    _touch()
    places = Q(town__in=list(towns)) | Q(committee__in=list(towns))
    cells = Cell.objects.filter(places | Q(estate__in=list(estates)) | Q(company__in=list(companies)))
    Rollup.objects.filter(cell__in=cells, counts="{}").delete()
    for table in (Rollup, Counted, Waiting):
        cells = cells.exclude(Exists(table.objects.filter(cell=OuterRef("pk"))))
    cells.delete()


def _some(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + MOST_VALUES] for start in range(0, len(values), MOST_VALUES))


class _Old(NamedTuple):
    """What an order had added, and to which cell."""

    cell: uuid.UUID
    parts: str


def _counted(edition: int, orders: Sequence[uuid.UUID]) -> dict[uuid.UUID, _Old]:
    return {
        order: _Old(cell, parts)
        for some in _some(orders)
        for order, cell, parts in Counted.objects.filter(edition=edition, order__in=some).values_list(
            "order", "cell_id", "parts"
        )
    }


def _places(olds: Iterable[_Old], known: Iterable[tuple[Cell, ...]] = ()) -> dict[uuid.UUID, tuple[Cell, ...]]:
    """All cells of each place that something was added to, by its finest; those that are not `known` are read."""
    found = {cells[-1].pk: cells for cells in known}
    unknown = {old.cell for old in olds} - found.keys()
    for some in _some(list(unknown)):
        for was in Cell.objects.filter(pk__in=some):
            found[was.pk] = cells_of(Place(was.district, was.town_id, was.committee_id, was.estate_id, was.company_id))
    return found


def _take_away(changes: Changes, cells: Cells, mine: Sequence[Cell], old: _Old) -> None:
    """Take away what an order had added, where it had added it."""
    cells.update((cell.pk, cell) for cell in mine)
    spread(changes, mine, by_day(read(old.parts), zone_of(mine[-1].district)), -1)


def _keeping(cells: Iterable[Cell]) -> Statement:
    names = ("id", "district", "grain", "town", "committee", "estate", "company")
    rows = [
        [cell.pk, cell.district, cell.grain, cell.town_id, cell.committee_id, cell.estate_id, cell.company_id]
        for cell in cells
    ]
    return upserting(Cell, names, rows, ("id",))


def _adding(edition: int, cells: Mapping[uuid.UUID, Cell], changes: Changes) -> Statement:
    """What adds changes to the rollups' rows."""
    changes = {key: counts for key, counts in changes.items() if any(counts.values())}
    kept = _rollups(edition, changes)
    rows = []
    for (cell, span, start), counts in changes.items():
        total = kept.get((cell, span, start), {})
        for name, n in counts.items():
            left = total.get(name, 0) + n
            if left:
                total[name] = left
            else:
                total.pop(name, None)
        place = cells[cell]
        said = json.dumps(total, sort_keys=True, separators=(",", ":"))
        rows.append([edition, place.district, place.grain, cell, span, start, said])
    names = ("edition", "district", "grain", "cell", "span", "start", "counts")
    return upserting(Rollup, names, rows, ("edition", "cell", "span", "start"), ("counts",))


def _rollups(edition: int, changes: Changes) -> dict[Key, dict[str, int]]:
    """The rows that are to be changed, as they stand."""
    wanted: dict[tuple[int, int], list[uuid.UUID]] = {}
    for cell, span, start in changes:
        wanted.setdefault((span, start), []).append(cell)
    kept: dict[Key, dict[str, int]] = {}
    for (span, start), cells in wanted.items():
        for some in _some(cells):
            rows = Rollup.objects.filter(edition=edition, span=span, start=start, cell__in=some)
            for cell, counts in rows.values_list("cell_id", "counts"):
                kept[cell, span, start] = json.loads(counts)
    return kept


def _waiting(edition: int, fresh: Sequence[Fresh]) -> Statement:
    """What keeps what the passing of time will add."""
    names = ("edition", "district", "order", "cell", "at", "since", "adds", "grows")
    rows = [
        [edition, one.place.district, one.order, cells_of(one.place)[-1].pk, wait.at, wait.since,
         " ".join(wait.adds), wait.grows]
        for one in fresh
        for wait in one.counted.waits
    ]  # fmt: skip
    return upserting(Waiting, names, rows)
