"""Estates, workers and who could be sent."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Schema

from jiying.api.schemas.common import Named, Reference


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
    """Somebody who can go: `metres` in a straight line, `minutes` door to door, both null when unknown.

    `pool`: by which reach they may be sent; `surge`: only as long as a surge runs.
    """

    rank: int
    worker: Named
    company: Reference
    tier: Literal["team", "station", "centre"]
    pool: str
    surge: bool
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


class Surge(Schema):
    """A district: whether a surge runs, and the figures of the last look (null where there is none of ten minutes).

    `load`: share of those on duty whom emergencies keep busy; `by_hand`: what a person said, until `until`.
    """

    district: str
    running: bool
    began_at: datetime | None
    peak: float | None
    by_hand: bool | None
    until: datetime | None
    as_of: datetime | None
    load: float | None
    on_duty: int | None
    recall: int | None
    recall_by_skill: dict[str, int] | None


class Surges(Schema):
    """The districts that one watches over."""

    items: list[Surge]
    next: None
