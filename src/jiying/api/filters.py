"""The filters and pages of GET /orders."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import UTC, datetime

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from jiying.api.listing import bad_cursor, cut, limit_of, moment_of, read_cursor, text_of, uuid_in
from jiying.core.errors import BadInput
from jiying.estates.queries import the_district, zone_of
from jiying.orders.models import Order, OrderQuerySet
from jiying.orders.queries import first_of, narrowed
from jiying.orders.search import Latest
from jiying.orders.states import OPEN, State
from jiying.orders.verbs import KINDS, URGENCIES
from jiying.people.scopes import scope_of

FILTERS = (
    "state", "kind", "urgency", "category", "town", "estate", "company", "worker", "q", "from", "to", "late",
    "limit", "cursor",
)  # fmt: skip


def page_of_orders(rows: OrderQuerySet, request: HttpRequest) -> tuple[list[Order], str | None]:
    """A page of `rows` as the request's filters want it, the latest report first, and the next page's cursor.

    Raises:
        BadInput: `unknown_state`, `unknown_kind`, `unknown_urgency`, `bad_time`, `bad_cursor`, `invalid`.
    """
    limit, at = limit_of(request), None
    cursor = text_of(request, "cursor", max_chars=1000)
    if cursor:
        written, last = read_cursor(cursor, 2)
        at = _instant(written)
        # The plain bound beside the exact one is what an index can use.
        rows = rows.filter(Q(reported_at__lt=at) | Q(reported_at=at, pk__lt=uuid_in(last)), reported_at__lte=at)
    wanted = filters_of(request)
    rows = narrowed(rows, wanted, scope=scope_of(request.user), latest=Latest(limit + 1, at))
    rows = rows.order_by("-reported_at", "-pk")
    return cut(first_of(rows, limit + 1, searched="q" in wanted), limit, _keys)


def _keys(order: Order) -> list[str]:
    return [order.reported_at.astimezone(UTC).isoformat(), str(order.pk)]


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise bad_cursor()
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise bad_cursor() from error


def filters_of(request: HttpRequest) -> dict[str, str]:
    """The filters as `orders.queries.narrowed` takes them; a reference that nothing has finds nothing."""
    wanted = {name: given for name in FILTERS[:-2] if (given := text_of(request, name)) and name not in ("from", "to")}
    if "state" in wanted:
        wanted["state"] = _states(wanted["state"])
    _known("kind", wanted.get("kind"), KINDS)
    _known("urgency", wanted.get("urgency"), URGENCIES)
    if "worker" in wanted:
        wanted["worker"] = _id("worker", wanted["worker"])
    district = the_district() if request.GET.keys() & {"from", "to"} else None
    for name in ("from", "to"):
        if at := moment_of(request, name, zone_of(district.code if district else "")):
            wanted[name] = at.isoformat()
    return wanted


def _states(given: str) -> str:
    """States joined by commas, `open` spelt out."""
    states: set[str] = set()
    for state in given.split(","):
        _known("state", state, {*State, "open"})
        states |= OPEN if state == "open" else {state}
    return ",".join(sorted(states))


def _known(name: str, value: str | None, known: Collection[str]) -> None:
    if value is not None and value not in known:
        choices = " ".join(sorted(known))
        raise BadInput.of(
            name, f"unknown_{name}", _("%(name)s 应为其中之一：%(choices)s") % {"name": name, "choices": choices}
        )


def _id(name: str, value: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError as error:
        raise BadInput.of(name, "invalid", _("%(name)s 应为 UUID。") % {"name": name}) from error
