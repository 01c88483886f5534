"""What orders say, so that two imports can be compared: everything but ids, hashes, salts and the time of import."""

from __future__ import annotations

from typing import Any

from jiying.orders.models import Clock, Event, EventText, Order
from jiying.orders.store import CLOCK_FIELDS

#: Of an order: all that a ledger can say, and what follows from it.
COLUMNS = (
    "external_id", "district", "kind", "category", "urgency", "channel", "town__code", "estate__code", "company__uscc",
    "lon", "lat", "reported_at", "state", "version", "pack", "reopened", "headline_promise", "headline_due",
    "text__description", "text__address", "text__unit",
)  # fmt: skip
_OWN = ("said_sm3", "note_sm3", "rule_sm3", "due_at")


def facts() -> dict[str, Any]:
    """By external id: the order's columns, its events, texts and clocks."""
    said: dict[Any, dict[str, Any]] = {}
    for pk, *values in Order.objects.values_list("pk", *COLUMNS):
        said[pk] = {"order": values, "events": [], "texts": [], "clocks": []}
    for event in Event.objects.order_by("order_id", "version"):
        data = {name: value for name, value in event.data.items() if name not in _OWN}
        at = event.at if event.role == "import" else None
        said[event.order_id]["events"].append((event.verb, event.milestone, event.role, at, event.claimed, data))
    for text in EventText.objects.order_by("order_id", "version", "field"):
        said[text.order_id]["texts"].append((text.version, text.field, text.text))
    for clock in Clock.objects.order_by("order_id", "promise", "round"):
        said[clock.order_id]["clocks"].append(
            (clock.promise, clock.round, *(getattr(clock, name) for name in CLOCK_FIELDS))
        )
    return {order["order"][0]: order for order in said.values()}
