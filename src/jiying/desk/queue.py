"""The queue: at most fifty rows, their order, the next page, and the counts on the chips."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, Value, When
from django.utils import timezone

from jiying.desk.filters import GROUPS, NOWHERE, TOGETHER, Filters
from jiying.desk.reach import reach_of, waits_for
from jiying.estates.models import Division, Level
from jiying.orders import search
from jiying.orders.models import Clock, Event, Order, OrderQuerySet
from jiying.orders.queries import first_of
from jiying.orders.states import AFTER_WORK, OPEN
from jiying.people.scopes import Scope
from jiying.supervision.sums import ANSWERS

PAGE = 50
MOST = 10_000
_COUNTED = (*sorted(OPEN), "done", "verified")


@dataclass(slots=True)
class Page:
    """Rows, and the cursor of the next page ("" on the last)."""

    rows: list[Order]
    next: str = ""


@dataclass(slots=True)
class Counts:
    """How many orders wait, by state; of the open ones how many are late or emergencies."""

    states: dict[str, int] = field(default_factory=dict)
    late: int = 0
    emergency: int = 0

    def of(self, group: str) -> int:
        return sum(self.states.get(state, 0) for state in GROUPS[group])


def _of(scope: Scope) -> OrderQuerySet:
    reach = reach_of(scope)
    return Order.objects.none() if reach is None else Order.objects.filter(reach)


def count(scope: Scope, filters: Filters) -> Counts:
    """The chips' numbers: two grouped questions that indexes answer; ended orders are not counted.

    They follow the place and the company asked for, not the other chips.
    """
    counts, now = Counts(), timezone.now()
    rows = _placed(_of(scope), filters).order_by()
    late = Case(When(headline_due__lt=now, then=Value(1)), default=Value(0), output_field=IntegerField())
    due = rows.filter(headline_due__isnull=False, state__in=sorted(OPEN)).annotate(late=late)
    for urgency, state, is_late, n in due.values_list("urgency", "state", "late").annotate(n=Count("*")):
        counts.states[state] = counts.states.get(state, 0) + n
        counts.late += n if is_late else 0
        counts.emergency += n if urgency == "emergency" else 0
    undue = rows.filter(headline_due__isnull=True, state__in=_COUNTED)
    for state, n in undue.values_list("state").annotate(n=Count("*")):
        counts.states[state] = counts.states.get(state, 0) + n
    return counts


def page(scope: Scope, filters: Filters, cursor: str = "") -> Page:
    """The rows that `filters` want.

    By time left: emergencies first, then what is due soonest, then what has nothing due.  Ended orders and the
    cells of figures: the latest report first.
    """
    if not filters.by_time_left:
        rows, before = _after(_of(scope), cursor)
        return _latest(_narrowed(rows, scope, filters, search.Latest(PAGE + 1, before)), bool(filters.q))
    rows = _narrowed(_of(scope), scope, filters)
    phase, _, rest = cursor.partition("~")
    found: list[Order] = []
    if phase != "n":
        due = rows.filter(headline_due__isnull=False)
        if (last := _split(rest)) and len(last) == 3:
            urgency, at, pk = last[0], _instant(last[1]), _uid(last[2])
            due = due.filter(urgency__gte=urgency).exclude(urgency=urgency, headline_due__lt=at)
            due = due.exclude(urgency=urgency, headline_due=at, pk__lte=pk)
        found = first_of(due.order_by("urgency", "headline_due", "pk"), PAGE + 1, searched=bool(filters.q))
        if len(found) > PAGE:
            last_row = found[PAGE - 1]
            assert last_row.headline_due is not None, "asked for"
            return Page(
                found[:PAGE], "~".join(("d", last_row.urgency, _written(last_row.headline_due), last_row.pk.hex))
            )
    undue = rows.filter(headline_due__isnull=True)
    if phase == "n" and (last := _split(rest)):
        undue = undue.filter(pk__gt=_uid(last[0]))
    found += first_of(undue.order_by("pk"), PAGE + 1 - len(found), searched=bool(filters.q))
    if len(found) > PAGE:
        kept = found[:PAGE]
        if kept[-1].headline_due is None:
            return Page(kept, f"n~{kept[-1].pk.hex}")
        return Page(kept, f"n~{uuid.UUID(int=0).hex}")
    return Page(found)


def _after(rows: OrderQuerySet, cursor: str) -> tuple[OrderQuerySet, datetime | None]:
    """What a list of the latest reports shows behind its cursor, and the time that is."""
    phase, _, rest = cursor.partition("~")
    if phase != "r" or len(last := _split(rest)) != 2:
        return rows, None
    at, pk = _instant(last[0]), _uid(last[1])
    return rows.filter(Q(reported_at__lt=at) | Q(reported_at=at, pk__lt=pk), reported_at__lte=at), at


def _latest(rows: OrderQuerySet, searched: bool) -> Page:
    found = first_of(rows.order_by("-reported_at", "-pk"), PAGE + 1, searched=searched)
    if len(found) <= PAGE:
        return Page(found)
    return Page(found[:PAGE], f"r~{_written(found[PAGE - 1].reported_at)}~{found[PAGE - 1].pk.hex}")


def _narrowed(
    rows: OrderQuerySet, scope: Scope, filters: Filters, latest: search.Latest | None = None
) -> OrderQuerySet:
    rows = _placed(rows, filters)
    number = search.numbered(filters.q)
    if states := GROUPS[filters.group] if not number else ():
        rows = rows.filter(state__in=states)
    if filters.mine:
        rows = rows.filter(state__in=waits_for(scope))
    if filters.urgency:
        rows = rows.filter(urgency=filters.urgency)
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.late:
        rows = rows.filter(headline_due__lt=timezone.now())
    if filters.to and (filters.promise or filters.only in ("rated", "answered")):
        # Nothing is due or said before it is reported; the bound spares the index what came later.
        rows = rows.filter(reported_at__lt=filters.to)
    if filters.promise:
        rows = _by_promise(rows, filters)
    elif filters.only in ("rated", "answered"):
        rows = rows.filter(Exists(_words(filters).filter(order=OuterRef("pk"))))
    elif filters.from_ or filters.to:
        rows = _between(rows, "reported_at", filters)
    if filters.only == "reopened":
        rows = rows.filter(reopened__gt=0)
    elif filters.only == "done":
        rows = rows.filter(Q(state__in=sorted(AFTER_WORK)) | Q(reopened__gt=0))
    elif filters.only == "closed":
        rows = rows.filter(state="closed")
    if filters.q:
        is_open = bool(states) and OPEN.issuperset(states)
        rows = search.narrowed(rows, filters.q, scope=scope, open_only=is_open, latest=latest)
    return rows


def _placed(rows: OrderQuerySet, filters: Filters) -> OrderQuerySet:
    for name, column, code in (
        ("town", "code", filters.town),
        ("company", "uscc", filters.company),
        ("estate", "code", filters.estate),
        ("committee", "code", filters.committee),
    ):
        if code:
            rows = rows.filter(**({name: None} if code == NOWHERE else {f"{name}__{column}": code}))
    return rows


def _by_promise(rows: OrderQuerySet, filters: Filters) -> OrderQuerySet:
    """Orders whose promise fell due in the period, and was kept or not: what a cell of a figure counted."""
    return rows.filter(Exists(_clocks(filters).filter(order=OuterRef("pk"))))


def _clocks(filters: Filters) -> Any:
    clocks = _between(Clock.objects.filter(promise__in=TOGETHER[filters.promise]), "due_at", filters)
    missed = Q(state="missed") | Q(state="running", due_at__lt=timezone.now())
    return clocks.filter({"met": Q(state="met"), "missed": missed}.get(filters.kept, Q(state="met") | missed))


def _words(filters: Filters) -> Any:
    """Ratings of the period, or the words about "solved" that are an order's last."""
    if filters.only == "rated":
        return _between(Event.objects.filter(verb="rate"), "at", filters)
    said = Event.objects.filter(verb__in=ANSWERS).exclude(role="rule")
    later = said.filter(order=OuterRef("order"), version__gt=OuterRef("version"))
    return _between(said, "at", filters).exclude(Exists(later))


def counted(scope: Scope, filters: Filters) -> tuple[int, int] | None:
    """What a figure's cell counted, and how many orders that is; None for a queue, which counts nothing.

    A promise is counted by its clocks, of which a reopened order has several; a rating each time.  Nobody waits for
    more than `MOST`.
    """
    if filters.by_time_left or not (filters.from_ and filters.to):
        return None
    orders = _narrowed(_of(scope), scope, filters).order_by()
    if filters.promise:
        here = scope.districts or set(Division.objects.filter(level=Level.DISTRICT).values_list("code", flat=True))
        rows = _clocks(filters).filter(district__in=sorted(here))
    elif filters.only in ("rated", "answered"):
        rows = _words(filters)
    else:
        n = orders[:MOST].count()
        return n, n
    rows = rows.filter(Exists(orders.filter(pk=OuterRef("order_id")))).order_by()
    return rows[:MOST].count(), rows.values("order_id").distinct()[:MOST].count()


def _between(rows: Any, column: str, filters: Filters) -> Any:
    if filters.from_:
        rows = rows.filter(**{f"{column}__gte": filters.from_})
    return rows.filter(**{f"{column}__lt": filters.to}) if filters.to else rows


def _split(rest: str) -> list[str]:
    return rest.split("~") if rest else []


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


def _uid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


def total(scope: Scope, filters: Filters) -> int:
    """How many orders `filters` want, on all pages together."""
    return _narrowed(_of(scope), scope, filters).order_by().count()


def keys(scope: Scope, filters: Filters) -> list[uuid.UUID]:
    """The ids of all orders that `filters` want, in the order of the pages."""
    rows = _narrowed(_of(scope), scope, filters)
    if not filters.by_time_left:
        return list(rows.order_by("-reported_at", "-pk").values_list("pk", flat=True))
    due = rows.filter(headline_due__isnull=False).order_by("urgency", "headline_due", "pk")
    undue = rows.filter(headline_due__isnull=True).order_by("pk")
    return [*due.values_list("pk", flat=True), *undue.values_list("pk", flat=True)]
