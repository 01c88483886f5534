"""The shapes of requests and answers, for the OpenAPI document.

They describe and do not validate: answers are built in `orders.wire`, requests are checked by intake and the
verbs.  A test holds the answers against them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import BaseModel, ConfigDict, Field

from jiying.orders.attachments import PURPOSES
from jiying.orders.states import MILESTONES, State
from jiying.orders.verbs import KINDS, SATISFACTION, URGENCIES
from jiying.people.models import Role

Kind = Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]
Urgency = Annotated[str, Field(json_schema_extra={"enum": list(URGENCIES)})]
StateName = Annotated[str, Field(json_schema_extra={"enum": [str(state) for state in State]})]
RoleName = Annotated[str, Field(json_schema_extra={"enum": [*Role.values, "owners", "rule", "import"]})]
Milestone = Annotated[str, Field(json_schema_extra={"enum": list(MILESTONES)})]
PromiseState = Literal["running", "paused", "met", "missed", "void"]


class Reference(Schema):
    """Something with a code."""

    code: str
    name: str


class Named(Schema):
    """Somebody with an id."""

    id: UUID
    name: str


class Point(Schema):
    """Degrees."""

    lon: float
    lat: float
    crs: Literal["WGS-84", "GCJ-02", "CGCS2000"] = "WGS-84"


class Reporter(Schema):
    """How to reach whoever reports.  Answers show both masked."""

    name: str | None = Field(None, max_length=60)
    phone: str | None = Field(None, examples=["13812345678"])


class Window(Schema):
    """A time agreed with the resident, within the next 60 days; ordinary orders only."""

    model_config = ConfigDict(populate_by_name=True)

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")


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


class Estate(Schema):
    """A place where something can be reported."""

    id: UUID
    code: str
    name: str
    kind: str
    address: str
    town: Reference
    committee: Reference | None


class Estates(Schema):
    """A page of estates."""

    items: list[Estate]
    next: str | None


class Worker(Schema):
    """Somebody who can be sent."""

    id: UUID
    name: str
    company: Reference
    skills: list[str]
    home_estate: Reference | None
    on_duty: bool


class Suggestion(Schema):
    """Somebody who can go: `metres` in a straight line, `minutes` door to door, both null when unknown."""

    rank: int
    worker: Named
    company: Reference
    tier: Literal["team", "station", "centre"]
    home: bool
    load: int
    metres: int | None
    minutes: int | None
    why: str


class Suggestions(Schema):
    """Who could be sent, the best first; `left_out` counts those who cannot, by reason."""

    engine: str
    mode: Literal["automatic", "suggest", "off"]
    items: list[Suggestion]
    left_out: dict[str, int]


class Workers(Schema):
    """A page of workers."""

    items: list[Worker]
    next: str | None


class User(Schema):
    """Somebody who signs in."""

    id: UUID
    username: str
    name: str


class Member(Schema):
    """What somebody is, for whom; `estates` narrows it to some, empty means all."""

    role: RoleName
    duty: str
    organisation: Reference | None
    kind: str | None
    estates: list[str]
    valid_from: str
    valid_to: str | None


class Me(Schema):
    """Who asks."""

    user: User
    memberships: list[Member]
    role: RoleName


class Category(Schema):
    """What a matter is about; `safety` is what to do first for life and limb."""

    code: str
    name: str
    kind: Kind
    default_urgency: Urgency
    part: Literal["common", "private"]
    safety: str | None


class Categories(Schema):
    """All categories."""

    items: list[Category]
    next: str | None


class VerbName(Reference):
    """A verb and the roles that may ever say it."""

    roles: list[RoleName]


class PackName(Schema):
    """The rule pack in force; `official` false: an example nobody has enacted."""

    name: str
    version: str
    official: bool
    label: str


class Catalogue(Schema):
    """What there is to report and to say."""

    kinds: list[Reference]
    categories: list[Category]
    verbs: list[VerbName]
    promises: list[Reference]
    pack: PackName


class Kept(Schema):
    """How often one promise was kept, of those due in the period; `claimed` are met ones reported late."""

    due: int
    met: int
    missed: int
    share: float | None
    claimed: int
    grades: dict[str, int] | None


class Satisfaction(Schema):
    """With its Wilson interval and the size of the sample."""

    model_config = ConfigDict(extra="allow")

    share: float | None
    low: float | None
    high: float | None
    n: int


class Tally(Schema):
    """Figures; a share of nothing is null, never 0 or 1."""

    model_config = ConfigDict(extra="allow")

    promises: dict[str, Kept]
    median_min: int | None
    p90_min: int | None
    reopened: int
    done: int
    left_out: dict[str, float | None]
    satisfaction: Satisfaction


class FigureRow(Tally):
    """One town, company, estate or committee."""

    key: str
    name: str


class Figures(Schema):
    """How promises are kept, by the rule pack named; `total` over all rows."""

    model_config = ConfigDict(populate_by_name=True)

    pack: str
    official: bool
    since: datetime = Field(alias="from")
    until: datetime = Field(alias="to")
    by: str
    rows: list[FigureRow]
    total: Tally


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """RFC 9457.  `code` is for programs, `detail` for people, in the language asked for."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem]


BODIES: tuple[type[BaseModel], ...] = (Report, Action, Reveal, TrackAction, Problem)
"""What no answer refers to, and the document wants all the same."""

_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "The same request with the same key is done once; kept 24 hours.",
}


def takes(body: type[BaseModel], *, keyed: bool = False) -> dict[str, Any]:
    """An operation's request body, as OpenAPI says it."""
    reference = {"$ref": f"#/components/schemas/{body.__name__}"}
    out: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/json": {"schema": reference}}}}
    return out | ({"parameters": [_KEY]} if keyed else {})


def takes_file() -> dict[str, Any]:
    """A multipart body with one photo, as OpenAPI says it."""
    fields = {
        "file": {"type": "string", "format": "binary", "description": "JPEG, PNG or WebP; at most 20 MB."},
        "purpose": {"type": "string", "enum": list(PURPOSES), "default": "other"},
    }
    shape = {"type": "object", "required": ["file"], "properties": fields}
    body = {"required": True, "content": {"multipart/form-data": {"schema": shape}}}
    return {"requestBody": body, "parameters": [_KEY]}


def answers_picture() -> dict[str, Any]:
    """A JPEG as the answer, as OpenAPI says it."""
    picture = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
    return {"responses": {200: {"description": "The photo", "content": picture}}, **asks("size")}


_QUERY: dict[str, tuple[dict[str, Any], str]] = {
    "state": ({"type": "string"}, "One or several, joined by commas; `open`: all that have not ended."),
    "kind": ({"type": "string", "enum": list(KINDS)}, ""),
    "urgency": ({"type": "string", "enum": list(URGENCIES)}, ""),
    "category": ({"type": "string"}, "Code."),
    "town": ({"type": "string"}, "Code."),
    "estate": ({"type": "string"}, "Code."),
    "company": ({"type": "string"}, "Unified social credit code."),
    "worker": ({"type": "string", "format": "uuid"}, ""),
    "q": ({"type": "string", "maxLength": 100}, "Words to look for."),
    "from": ({"type": "string"}, "RFC 3339, or a day of the district; included."),
    "to": ({"type": "string"}, "RFC 3339, or a day of the district; excluded."),
    "late": ({"type": "string"}, "Anything: only those whose next promise is past due."),
    "limit": ({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, ""),
    "cursor": ({"type": "string"}, "`next` of the page before."),
    "by": ({"type": "string", "enum": ["town", "committee", "company", "estate"], "default": "town"}, ""),
    "size": ({"type": "string", "enum": ["full", "small"], "default": "full"}, ""),
    "last4": ({"type": "string"}, "The last four digits of the reporter's telephone."),
    "X-Last4": ({"type": "string"}, "The same, kept out of addresses."),
}


def asks(*names: str, header: str = "") -> dict[str, Any]:
    """An operation's query parameters, as OpenAPI says it."""
    where = [("query", name) for name in names] + ([("header", header)] if header else [])
    parameters = []
    for place, name in where:
        kind, about = _QUERY[name]
        parameters.append({"in": place, "name": name, "required": False, "schema": kind, "description": about})
    return {"parameters": parameters}
