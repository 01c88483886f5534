"""The shapes of requests and answers, for the OpenAPI document; a module for each noun.

They describe and do not validate: answers are built in `orders.wire`, requests are checked by intake and the
verbs.  A test holds the answers against them.
"""

from __future__ import annotations

from pydantic import BaseModel

from jiying.api.schemas.catalogue import Catalogue, Categories
from jiying.api.schemas.figures import Figures
from jiying.api.schemas.operations import answers_picture, asks, takes, takes_file
from jiying.api.schemas.orders import (
    Action,
    Attachment,
    Attachments,
    Contact,
    Order,
    Orders,
    OrderWithEvents,
    Report,
    ReportedOrder,
    Reveal,
    TrackAction,
    TrackedOrder,
)
from jiying.api.schemas.people import Me
from jiying.api.schemas.places import Estates, Suggestions, Surges, Workers
from jiying.api.schemas.problems import Problem

BODIES: tuple[type[BaseModel], ...] = (Report, Action, Reveal, TrackAction, Problem)
"""What no answer refers to, and the document wants all the same."""

__all__ = [
    "BODIES",
    "Action",
    "Attachment",
    "Attachments",
    "Catalogue",
    "Categories",
    "Contact",
    "Estates",
    "Figures",
    "Me",
    "Order",
    "OrderWithEvents",
    "Orders",
    "Problem",
    "Report",
    "ReportedOrder",
    "Reveal",
    "Suggestions",
    "Surges",
    "TrackAction",
    "TrackedOrder",
    "Workers",
    "answers_picture",
    "asks",
    "takes",
    "takes_file",
]
