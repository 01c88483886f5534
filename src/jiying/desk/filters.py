"""What the address of the desk asks for, checked: groups of states, chips, search and the cells of figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone

from jiying.orders.states import OPEN
from jiying.orders.verbs import KINDS
from jiying.supervision.figures import PROMISES, RESPONSE

GROUPS: dict[str, tuple[str, ...]] = {
    "open": tuple(sorted(OPEN)),
    "submitted": ("submitted",),
    "signed": ("signed",),
    "underway": ("assigned", "en_route", "on_site"),
    "paused": ("paused",),
    "returned": ("returned",),
    "done": ("done",),
    "verified": ("verified",),
    "ended": ("closed", "refused", "cancelled"),
    "all": (),
}
"""The groups of states behind the chips, in their order; `all` narrows nothing."""

BY_TIME_LEFT = frozenset({"open", "submitted", "signed", "underway", "paused", "returned"})
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
EARLIEST, LATEST = 1900, 2999
KEPT = frozenset({"met", "missed"})
TOGETHER: dict[str, tuple[str, ...]] = {**{name: (name,) for name in PROMISES}, "response": RESPONSE}
"""What `promise=` may say: one promise, or those that responsiveness counts."""

ONLY = frozenset({"rated", "answered", "reopened", "done", "closed"})
"""What else a figure counts: words of residents, and what became of orders."""

NOWHERE = "-"
"""In place of a code: the orders that have none, which nobody serves or that lie in no town."""


@dataclass(frozen=True, slots=True)
class Filters:
    """All empty: the open orders."""

    group: str = "open"
    urgency: str = ""
    kind: str = ""
    late: bool = False
    mine: bool = False
    q: str = ""
    town: str = ""
    company: str = ""
    estate: str = ""
    committee: str = ""
    promise: str = ""
    kept: str = ""
    only: str = ""
    from_: datetime | None = None
    to: datetime | None = None

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Filters:
        """From the query of an address; what is not understood is left out, since links grow old."""
        group = asked.get("state", "")
        return cls(
            group=group if group in GROUPS else "open",
            urgency=_one_of(asked.get("urgency"), {"emergency", "ordinary"}),
            kind=_one_of(asked.get("kind"), KINDS),
            late=asked.get("late") == "1",
            mine=asked.get("mine") == "1",
            q=asked.get("q", "").replace("\x00", "").strip()[:60],
            town=_code(asked.get("town")),
            company=_code(asked.get("company")),
            estate=_code(asked.get("estate")),
            committee=_code(asked.get("committee")),
            promise=_one_of(asked.get("promise"), TOGETHER),
            kept=_one_of(asked.get("kept"), KEPT),
            only=_one_of(asked.get("only"), ONLY),
            from_=_time(asked.get("from")),
            to=_time(asked.get("to")),
        )

    @property
    def query(self) -> str:
        """The query that asks for this again; empty for the plain queue."""
        said = {
            "state": "" if self.group == "open" else self.group,
            "urgency": self.urgency,
            "kind": self.kind,
            "late": "1" if self.late else "",
            "mine": "1" if self.mine else "",
            "q": self.q,
            "town": self.town,
            "company": self.company,
            "estate": self.estate,
            "committee": self.committee,
            "promise": self.promise,
            "kept": self.kept,
            "only": self.only,
            "from": self.from_.isoformat() if self.from_ else "",
            "to": self.to.isoformat() if self.to else "",
        }
        return urlencode({name: value for name, value in said.items() if value})

    def but(self, **changes: Any) -> str:
        """The query with something else."""
        return replace(self, **changes).query

    @property
    def is_plain(self) -> bool:
        """Whether nothing narrows the open orders."""
        return self == Filters()

    @property
    def by_time_left(self) -> bool:
        """Whether time left orders the list; else the latest report comes first."""
        return (self.mine or self.group in BY_TIME_LEFT) and not self.promise


def _one_of(value: str | None, known: Any) -> str:
    return value if value is not None and value in known else ""


def _code(value: str | None) -> str:
    return value if value is not None and _CODE.fullmatch(value) else ""


def _time(value: str | None) -> datetime | None:
    try:
        # A plus sign that nobody escaped arrives as a blank.
        at = datetime.fromisoformat((value or "").replace(" ", "+")) if value else None
    except ValueError:
        return None
    # At the calendar's ends a time has no equal in other zones, and no order either.
    if at is None or not EARLIEST <= at.year <= LATEST:
        return None
    return timezone.make_aware(at) if at.tzinfo is None else at
