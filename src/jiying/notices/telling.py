"""Who is told of which event, and what ends the telling.

Pure: tables and two functions, no database.  `audiences` are the words of the rule pack's ladder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from jiying.dispatch.plan import HANDED_ON

OFFICES = frozenset({"centre", "supervisor", "town", "district", "committee", "next_tier"})
"""Audiences outside the serving company."""

REPLACED = "replaced"
"""Who was sent and need not go any more: told so, though the order is no longer theirs to see."""

OVER = frozenset({"close", "cancel", "refuse"})
"""Verbs after which an order asks nothing of anybody."""

WORK_OVER = frozenset({"done", "solve_remotely"})
"""Verbs after which only the follow-up and an unanswered supervision are left."""

SENT_ON = frozenset({"assign", "take", "depart", "arrive", "return"})

#: By kind of notice: the verbs that answer it.
ANSWERS: dict[str, frozenset[str]] = {
    "assign": SENT_ON,
    "reopen": SENT_ON,
    "return": frozenset({"sign", "assign"}),
    "ask_centre": SENT_ON,
    "note": SENT_ON,
    "unreached": SENT_ON | {"sign", "contact", "note"},
    "urge": frozenset({"sign", "assign", "take", "contact", "depart", "arrive", "make_safe", "note", "pause"}),
}


@dataclass(frozen=True, slots=True)
class Said:
    """What deciding needs of an event: `worker` says whether the order has one."""

    verb: str
    role: str
    milestone: str | None
    data: dict[str, Any]
    worker: bool = False


class Asked(Protocol):
    """What deciding needs of a notice (`models.Notice`)."""

    kind: str
    why: str
    promise: str
    ends_with: str
    event: UUID


def audiences(said: Said) -> tuple[str, ...]:
    """Who is told of an event, nearest first; most events tell nobody, and those of an import never.

    >>> audiences(Said("escalate", "rule", None, {"tells": ["town", "centre"]}))
    ('town', 'centre')
    >>> audiences(Said("contact", "worker", "contacted", {}))
    ()
    """
    if said.data.get("quiet") or said.role == "import":
        return ()
    match said.verb:
        case "escalate":
            return tuple(said.data.get("tells", ()))
        case "warn" | "breach" if said.data.get("promise") == "follow_up":
            return ("committee",) if said.verb == "warn" else ("committee", "centre")
        case "warn":
            return ("worker",) if said.worker else ("front_desk", "manager")
        case "breach" | "urge" | "reopen":
            return ("worker", "manager", "front_desk") if said.worker else ("front_desk", "manager")
        case "supervise":
            return ("company", "manager")
        case "assign":
            return ("worker", REPLACED) if said.data.get("instead_of") else ("worker",)
        case "note" if said.data.get("declines"):
            return ("front_desk", "manager")
        case "ask_centre":
            return ("centre",)
        case "return":
            return ("centre",)
    return ()


def reason_of(data: dict[str, Any]) -> str:
    """Why somebody need not go any more, by the marks of the event that sends another; "" where it says nothing.

    >>> reason_of({"worker": "a", "instead_of": "b", "nearer": True}), reason_of({"worker": "a", "instead_of": "b"})
    ('nearer', '')
    """
    return next((mark for mark in HANDED_ON if data.get(mark)), "")


def settles(said: Said, asked: Asked) -> bool:
    """Whether an event gives what an earlier notice asked for.

    A supervision ends with its answer alone, or with the order.  Arriving ends whatever was told about being
    there in time.  A return takes everything off the company's hands.  A warning has had its time when the
    breach is told.

    >>> from types import SimpleNamespace
    >>> told = SimpleNamespace(kind="escalate", why="centre", promise="respond_30", ends_with="signed", event=None)
    >>> settles(Said("sign", "company", "signed", {}), told), settles(Said("assign", "operator", "assigned", {}), told)
    (True, False)
    """
    if said.verb in OVER:
        return True
    if said.verb == "breach":
        return asked.kind == "warn" and asked.promise == said.data.get("promise")
    if asked.kind == "supervise":
        return said.verb == "note" and said.data.get("answers") == str(asked.event)
    if asked.promise == "follow_up":
        return said.verb in ("confirm", "rate", "reopen") or (said.verb == "verify" and said.role != "rule")
    if said.verb in WORK_OVER:
        return True
    if said.verb == "return" and asked.why not in OFFICES:
        return True
    if said.milestone is not None and said.milestone == asked.ends_with:
        return True
    if said.milestone == "arrived" and asked.promise == "respond_30":
        return True
    # Whoever waits may say more; that is no answer to their own urging.
    return said.verb in ANSWERS.get(asked.kind, ()) and said.role != "resident"
