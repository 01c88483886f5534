"""Reads about orders, for screens, the REST interface and the command line.

Each answers in a constant number of queries, however many rows it shows.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from jiying.core import journal
from jiying.orders import search
from jiying.orders.actions import possible_verbs
from jiying.orders.actors import Actor
from jiying.orders.models import Attachment, Clock, Event, EventText, Order, OrderQuerySet
from jiying.orders.proof import track_digest
from jiying.orders.states import OPEN
from jiying.orders.store import clock_row
from jiying.people.models import User
from jiying.people.scopes import Scope

#: The filters of lists, as the REST interface and the desk name them.
FILTERS = ("state", "kind", "urgency", "town", "estate", "company", "worker", "q", "from", "to", "late", "category")


@dataclass(slots=True)
class Row:
    """An order with its clocks and what the asker may do, for a list or a page."""

    order: Order
    clocks: list[Clock] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    events: list[Line] = field(default_factory=list)

    @property
    def headline(self) -> Clock | None:
        """The clock that matters most now."""
        wanted = self.order.headline_promise
        ours = [clock for clock in self.clocks if clock.promise == wanted]
        return ours[-1] if ours else None


@dataclass(slots=True)
class Line:
    """An event with the texts beside it and the name of who said it."""

    event: Event
    texts: dict[str, str] = field(default_factory=dict)
    who: str = ""

    @property
    def data(self) -> dict[str, Any]:
        """The event's data, with personal texts where they still exist."""
        return {**self.event.data, **self.texts}


def new_time_in(lines: Sequence[Line]) -> tuple[Line, datetime] | None:
    """Who last told the resident a new time in the present round, and that time; None where nobody has."""
    for line in reversed(lines):
        if line.event.verb == "reopen":
            return None
        if new_time := line.event.data.get("new_time"):
            return line, datetime.fromisoformat(new_time)
    return None


def by_track(token: str) -> Order | None:
    """The order behind a tracking token."""
    if not 16 <= len(token) <= 64:
        return None
    return _noted(Order.objects.with_names().filter(track=track_digest(token)).first())


def _noted(order: Order | None) -> Order | None:
    """The same; the log says which order it is about."""
    if order is not None:
        journal.note(order=order.number)
    return order


def narrowed(
    rows: OrderQuerySet,
    wanted: dict[str, str],
    *,
    scope: Scope | None = None,
    latest: search.Latest | None = None,
) -> OrderQuerySet:
    """Apply list filters; values are codes (town, company by USCC), ids (worker) or states.

    `state=open` means not ended; several states are joined by commas; `q` is a number's beginning or words;
    `scope`: whose rows these are; `latest`: a page of the latest reports is wanted, and the rows are narrowed to its
    cursor already (`search`).
    """
    asked = ""
    for name, value in wanted.items():
        if not value or name not in FILTERS:
            continue
        if not value.isprintable():
            return rows.none()
        if name == "state":
            states = sorted(OPEN) if value == "open" else value.split(",")
            rows = rows.filter(state__in=states)
        elif name == "q":
            asked = value
        elif name == "from":
            rows = rows.filter(reported_at__gte=value)
        elif name == "to":
            rows = rows.filter(reported_at__lt=value)
        elif name == "late":
            rows = rows.filter(headline_due__lt=timezone.now())
        else:
            column = {"town": "town__code", "estate": "estate__code", "company": "company__uscc"}.get(name, name)
            rows = rows.filter(**{column: value})
    return search.narrowed(rows, asked, scope=scope, latest=latest) if asked else rows


def first_of(rows: OrderQuerySet, most: int, *, searched: bool) -> list[Order]:
    """The first of ordered rows, with what a row shows.

    `searched`: they were narrowed by words.  Then it is first found out which they are: narrowed by words and joined
    with all that has a name at once, PostgreSQL plans longer than it looks.
    """
    if not searched:
        return list(rows.with_names()[:most])
    ids = list(rows.values_list("pk", flat=True)[:most])
    named = {order.pk: order for order in Order.objects.filter(pk__in=ids).with_names()}
    return [named[pk] for pk in ids if pk in named]


def counts_by_state(rows: OrderQuerySet) -> dict[str, int]:
    """How many of `rows` are in each state."""
    return dict(rows.order_by().values_list("state").annotate(n=Count("pk")))


def rows_of(orders: Iterable[Order], actor: Actor, *, events: bool = False) -> list[Row]:
    """Orders with clocks and possible verbs, in three or four queries."""
    rows = {order.pk: Row(order) for order in orders}
    unread = [key for key, row in rows.items() if row.order.ledger is None]
    if unread:
        for clock in Clock.objects.filter(order_id__in=unread).order_by("round", "id"):
            rows[clock.order_id].clocks.append(clock)
    reached = reached_of(unread) if unread else {}
    if bodies := actor.scope.bodies:
        # What others serve may be here because help was asked for.
        others = [row.order for row in rows.values() if not _of(row.order, bodies)]
        prefetch_related_objects(others, "asks", "worker__company")
    for key, row in rows.items():
        ledger = row.order.ledger
        if ledger is not None:
            row.clocks = [clock_row(clock, row.order) for clock in ledger.judge.clocks]
            reached[key] = set(ledger.judge.reached)
        row.verbs = possible_verbs(row.order, reached.get(key, set()), actor)
    if events:
        lines = lines_of(list(rows))
        for row in rows.values():
            row.events = lines[row.order.pk]
    return list(rows.values())


def _of(order: Order, bodies: frozenset[uuid.UUID]) -> bool:
    return order.company is not None and order.company.organisation_id in bodies


def reached_of(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """The milestones each order has reached in its present round (as `promises.Judge.reached` says)."""
    reached: dict[uuid.UUID, set[str]] = defaultdict(set)
    events = Event.objects.filter(Q(milestone__isnull=False) | Q(verb="reopen"), order_id__in=ids)
    for order_id, verb, milestone in events.order_by("order_id", "version").values_list(
        "order_id", "verb", "milestone"
    ):
        if verb == "reopen":
            reached[order_id] &= {"reported", "signed", "contacted"}
        elif milestone:
            reached[order_id].add(milestone)
    return reached


def lines_of(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Line]]:
    """The events of orders, oldest first, with texts and names; three queries."""
    lines: dict[uuid.UUID, list[Line]] = defaultdict(list)
    texts: dict[tuple[uuid.UUID, int], dict[str, str]] = defaultdict(dict)
    for text in EventText.objects.filter(order_id__in=ids):
        texts[text.order_id, text.version][text.field] = text.text
    events = list(Event.objects.filter(order_id__in=ids).order_by("order_id", "version"))
    names = names_of(event.by for event in events)
    for event in events:
        line = Line(event, texts.get((event.order_id, event.version), {}), names.get(event.by, ""))
        lines[event.order_id].append(line)
    return lines


def photos_of(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Attachment]]:
    """The photos of orders that were not erased, the first one first; one query."""
    photos: dict[uuid.UUID, list[Attachment]] = defaultdict(list)
    for photo in Attachment.objects.filter(order__in=ids, erased_at=None).order_by("id"):
        photos[photo.order_id].append(photo)
    return photos


def names_of(codes: Iterable[str]) -> dict[str, str]:
    """Names of users by their ids as events hold them; rules and strangers have none."""
    ids = []
    for code in set(codes):
        try:
            ids.append(uuid.UUID(code))
        except ValueError:
            continue
    return {str(user.pk): str(user) for user in User.objects.filter(pk__in=ids).only("id", "name", "username")}


def one(order_id: uuid.UUID, user: Any) -> Row | None:
    """One order in scope with everything about it; None when it is not theirs to see."""
    order = _noted(Order.objects.visible_to(user).with_names().filter(pk=order_id).first())
    return rows_of([order], Actor.of(user), events=True)[0] if order else None


def open_emergencies(rows: OrderQuerySet) -> QuerySet[Order]:
    """Emergencies nobody has reached yet, by time left."""
    waiting = rows.filter(
        urgency="emergency", state__in=["submitted", "signed", "assigned", "en_route", "returned", "paused"]
    )
    return waiting.order_by("headline_due", "pk")


def watcher_lag_s(now: datetime | None = None) -> float:
    """Seconds since the oldest step fell due that nobody has written yet; 0 when there is none."""
    now = now or timezone.now()
    oldest = (
        Order.objects.filter(next_at__lte=now, poisoned_until=None)
        .order_by("next_at")
        .values_list("next_at", flat=True)
        .first()
    )
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
