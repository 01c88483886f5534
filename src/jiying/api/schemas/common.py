"""What the shapes of all nouns share: words, references, places and times of windows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field

from jiying.orders.states import MILESTONES, State
from jiying.orders.verbs import KINDS, URGENCIES
from jiying.people.models import Role

Kind = Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]
Urgency = Annotated[str, Field(json_schema_extra={"enum": list(URGENCIES)})]
StateName = Annotated[str, Field(json_schema_extra={"enum": [str(state) for state in State]})]
RoleName = Annotated[str, Field(json_schema_extra={"enum": [*Role.values, "owners", "helper", "rule", "import"]})]
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


class Window(Schema):
    """A time agreed with the resident, within the next 60 days; ordinary orders only."""

    model_config = ConfigDict(populate_by_name=True)

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
