"""Orders: what is reported, done and told."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from jiying.api.schemas.common import (
    Kind,
    Milestone,
    Named,
    Point,
    PromiseState,
    Reference,
    RoleName,
    StateName,
    Urgency,
    Window,
)
from jiying.orders.verbs import SATISFACTION


class Reporter(Schema):
    """How to reach whoever reports.  Answers show both masked."""

    name: str | None = Field(None, max_length=60)
    phone: str | None = Field(None, examples=["13812345678"])


class Report(Schema):
    """What somebody reports.  A place is wanted: `estate`, `address` or `point`."""

    kind: Kind = "repair"
    category: str = Field(examples=["leak"])
    urgency: Urgency | None = Field(None, description="The category's own unless said.")
    estate: str | None = Field(None, description="Code or id.")
    building: str | None = Field(None, description="Name or id, within the estate.")
    unit: str | None = Field(None, max_length=60)
    address: str | None = Field(None, max_length=200)
    point: Point | None = None
    description: str = Field(max_length=4000)
    reporter: Reporter | None = None
    appointment: Window | None = None
    called_at: datetime | None = Field(None, description="When the caller rang; for those who take calls.")


class Action(Schema):
    """A verb's circumstances; what `data` holds depends on the verb."""

    version: int
    at: datetime | None = Field(None, description="When it happened; now unless said.")
    data: dict[str, Any] | None = None


class Reveal(Schema):
    """Why somebody wants to see a telephone."""

    reason: str = Field(max_length=200)


class Contact(Schema):
    """A reporter, unmasked; empty where nothing was given or it was erased."""

    name: str
    phone: str


class TrackAction(Schema):
    """A verb by the holder of a tracking link."""

    last4: str | None = Field(
        None, pattern="^[0-9]{4}$", description="The last four digits of the reporter's telephone."
    )
    data: dict[str, Any] | None = Field(None, examples=[{"satisfaction": SATISFACTION[0], "solved": True}])


class Promise(Schema):
    """A clock of the order.  A missed promise stays missed; `reached_at` tells how late."""

    promise: str
    round: int
    state: PromiseState
    from_at: datetime
    due_at: datetime
    reached_at: datetime | None
    limit_minutes: int
    paused_minutes: int
    claimed: bool
    grade: Literal["A", "B", "C"] | None
    reason: str | None


class Masked(Schema):
    """Name and telephone with their middle hidden."""

    name: str
    phone: str


class Order(Schema):
    """An order as those in its scope see it."""

    id: UUID
    number: str
    kind: Kind
    category: str
    urgency: Urgency
    state: StateName
    version: int
    channel: str
    estate: Reference | None
    town: Reference | None
    company: Reference | None
    worker: Named | None
    building: str | None
    unit: str
    address: str
    description: str
    reporter: Masked
    reported_at: datetime
    reopened: int
    promises: list[Promise]
    possible_verbs: list[str]


class ReportedOrder(Order):
    """A new order; the last two are left out for those who serve a company."""

    track_url: str | None = None
    arrival_code: str | None = Field(None, pattern="^[0-9]{4}$")


class Event(Schema):
    """One entry of the chained log."""

    seq: int
    id: UUID
    order: UUID
    version: int
    verb: str
    milestone: Milestone | None
    by: Reference | None
    role: RoleName
    at: datetime
    received_at: datetime
    claimed: bool
    data: dict[str, Any]
    prev_hash: str
    hash: str


class OrderWithEvents(Order):
    """An order with its events, the oldest first."""

    events: list[Event]


class ToldEvent(Schema):
    """An event as the holder of a link is told it."""

    seq: int
    verb: str
    milestone: Milestone | None
    role: RoleName
    at: datetime
    received_at: datetime
    claimed: bool


class TrackedOrder(Schema):
    """An order as the holder of its link sees it; what is personal is null until `last4` is proven."""

    id: UUID
    number: str
    kind: Kind
    category: str
    urgency: Urgency
    state: StateName
    version: int
    channel: str
    estate: Reference | None
    town: Reference | None
    company: Reference | None
    worker: Named | None
    building: str | None
    unit: str | None
    address: str | None
    description: str | None
    reporter: Masked | None
    reported_at: datetime
    reopened: int
    promises: list[Promise]
    possible_verbs: list[str]
    arrival_code: str | None
    needs_last4: bool
    events: list[ToldEvent]


class Orders(Schema):
    """A page of orders."""

    items: list[Order]
    next: str | None


class Attachment(Schema):
    """A photo; `url` is for those who may see its order, 2560 pixels long at most (`?size=small`: 320)."""

    id: UUID
    url: str
    purpose: Literal["report", "before", "after", "evidence", "other"]
    width: int
    height: int
    role: RoleName
    at: datetime


class Attachments(Schema):
    """The photos of an order."""

    items: list[Attachment]
    next: str | None
