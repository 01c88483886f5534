"""An independent recount: what the events of a run say about its promises, by the words of the domain alone.

Readable as a specification.  It imports nothing of the system: an order is a list of events as `jiying events`
lists them, and the limits are written out below as the example pack has them.  A pause or a change of kind,
category, urgency or rule pack moves clocks; simulated people do neither, and the recount refuses to guess.

    A promise is one clock: it begins at a moment, it is due a limit later, and a milestone must come first.
    met      the milestone came by the due time
    missed   it came later, or the due time has passed without it; missed stays missed
    void     the order was cancelled, refused or solved remotely before the due time
    running  none of these yet
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

Events = list[dict[str, Any]]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STATES = ("met", "missed", "running", "void")

#: Minutes after the clock began: the step fires unless its milestone came first, while nobody has arrived.
LADDER = {
    "unsigned_3": (3, "signed"),
    "unsigned_5": (5, "signed"),
    "not_departed_10": (10, "departed"),
    "company_20": (20, "arrived"),
    "town_centre_30": (30, "arrived"),
    "supervisor_45": (45, "arrived"),
    "district_90": (90, "arrived"),
}
BEFORE_2026 = "example@2026.1"
BETWEEN_NEIGHBOURS = {"leak"}
ENDS_IT_EARLY = {"cancel", "refuse", "solve_remotely"}
NOT_FORESEEN = {"pause", "resume", "reclassify", "return", "repack"}


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise in one round; `reached` is when its milestone came, if it did."""

    promise: str
    begins: datetime
    due: datetime
    reached: datetime | None


def read(database: Path) -> dict[str, Events]:
    """The events of every order in the SQLite file of a home, from the bytes that were hashed."""
    orders: dict[str, Events] = defaultdict(list)
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        for (canonical,) in connection.execute("SELECT canonical FROM orders_event ORDER BY order_id, version"):
            event = json.loads(canonical)
            orders[event["order"]].append(event)
    return orders


def count(orders: Iterable[Events], end: datetime) -> dict[str, Any]:
    """What `replay` prints about promises, escalations and service, of orders looked at on `end`."""
    promises: dict[str, Counter[str]] = defaultdict(Counter)
    steps: Counter[str] = Counter()
    unserved = 0
    for events in orders:
        foreign = {event["verb"] for event in events} & NOT_FORESEEN
        assert not foreign, f"the recount does not know {foreign}"
        for clock in clocks(events):
            promises[clock.promise][verdict(clock, events, end)] += 1
        steps.update(escalations(events, end))
        unserved += first(events, "arrived") is None
    return {
        "promises": {name: {state: states[state] for state in STATES} for name, states in sorted(promises.items())},
        "escalations": dict(sorted(steps.items())),
        "unserved": unserved,
    }


def clocks(events: Events) -> Iterator[Clock]:
    """Every promise made about one order."""
    report = events[0]
    kind, urgency = report["data"]["kind"], report["data"]["urgency"]
    reported, emergency = when(report), urgency == "emergency"

    limit = 5 * MINUTE if emergency else 30 * MINUTE
    yield Clock("sign", reported, reported + limit, first(events, "signed"))

    if kind in ("repair", "complaint"):
        yield Clock("contact", reported, reported + 30 * MINUTE, first(events, "contacted"))

    # A reopened order is owed another arrival and another completion; what was before does not count again.
    for begins, of_round in rounds(events):
        if kind == "repair" and emergency:
            yield Clock("respond_30", begins, begins + 30 * MINUTE, first(of_round, "arrived"))
        if kind == "repair":
            limit = 24 * HOUR if emergency else 3 * DAY
            yield Clock("complete", begins, begins + limit, first(of_round, "done"))

    if report["data"]["pack"] != BEFORE_2026:
        yield from since_2026(events)

    # Each completion of an order that was drawn is asked about; only a resident's own answer satisfies it.
    neighbours = report["data"]["category"] in BETWEEN_NEIGHBOURS
    if emergency or neighbours or report["data"]["lot"]:
        limit = 24 * HOUR if emergency or neighbours else 7 * DAY
        for n, event in enumerate(events):
            if event["milestone"] == "done":
                answers = (when(later) for later in events[n:] if is_answer(later))
                yield Clock("follow_up", when(event), when(event) + limit, next(answers, None))


def since_2026(events: Events) -> Iterator[Clock]:
    """What the pack promises that is in force since 2026: hazards made safe, and replies.

    Replayed places have no working calendar, so that a working day of theirs is 24 hours.
    """
    report = events[0]
    kind, reported = report["data"]["kind"], when(report)
    assert report["data"]["calendar"] == "none", "the recount knows no working time"
    if report["data"]["urgency"] == "emergency":
        # What is done is safe, whether or not somebody said so before.
        safe = [at for at in (first(events, "made_safe"), first(events, "done")) if at is not None]
        yield Clock("made_safe", reported, reported + 2 * HOUR, min(safe, default=None))
    if kind in ("enquiry", "suggestion"):
        yield Clock("reply", reported, reported + DAY, first(events, "done"))
    if kind == "complaint":
        yield Clock("reply", reported, reported + 5 * DAY, first(events, "done"))


def rounds(events: Events) -> Iterator[tuple[datetime, Events]]:
    """When each round began, and its events: from the report, then from each reopening."""
    starts = [n for n, event in enumerate(events) if event["verb"] in ("report", "reopen")]
    for start, stop in zip(starts, [*starts[1:], len(events)], strict=True):
        yield when(events[start]), events[start:stop]


def is_answer(event: dict[str, Any]) -> bool:
    """Whether a resident answered: by themselves, or in a call; silence and a rule are no answer."""
    return event["verb"] in ("confirm", "rate", "verify", "reopen") and event["role"] != "rule"


def verdict(clock: Clock, events: Events, end: datetime) -> str:
    """How a clock stands at `end`."""
    if clock.reached is not None:
        return "met" if clock.reached <= clock.due else "missed"
    ended = ended_early(events)
    if ended is not None and ended <= clock.due:
        return "void"
    return "missed" if clock.due <= end else "running"


def escalations(events: Events, end: datetime) -> Iterator[str]:
    """The steps of the ladder that were due: each once a round, until somebody arrived or the order ended."""
    data = events[0]["data"]
    if (data["kind"], data["urgency"]) != ("repair", "emergency"):
        return
    ended = ended_early(events)
    for begins, of_round in rounds(events):
        arrived = first(of_round, "arrived")
        for step, (minutes, unless) in LADDER.items():
            due = begins + minutes * MINUTE
            # Signing is for the whole order; departing and arriving are for the round.
            spared = first(events if unless == "signed" else of_round, unless)
            if due <= end and all(due < stop for stop in (spared, arrived, ended) if stop is not None):
                yield step


def ended_early(events: Events) -> datetime | None:
    """When the order ended without being done, if it did."""
    return next((when(event) for event in events if event["verb"] in ENDS_IT_EARLY), None)


def first(events: Events, milestone: str) -> datetime | None:
    """When a milestone was first reached."""
    return next((when(event) for event in events if event["milestone"] == milestone), None)


def when(event: dict[str, Any]) -> datetime:
    """When it happened, which is what promises are judged by."""
    return datetime.fromisoformat(event["at"])
