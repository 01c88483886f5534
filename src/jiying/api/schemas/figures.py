"""Figures."""

from __future__ import annotations

from datetime import datetime

from ninja import Schema
from pydantic import ConfigDict, Field


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
