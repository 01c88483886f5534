"""Suggestions as the REST interface writes them."""

from __future__ import annotations

from typing import Any

from jiying.dispatch import saying
from jiying.dispatch.queries import Suggestions
from jiying.orders.wire import reference


def suggestions_json(found: Suggestions) -> dict[str, Any]:
    """Those who can go, best first; codes and numbers as in the event of an assignment, and the sentence."""
    return {
        "engine": found.advice.ranking.engine,
        "mode": found.advice.rules.mode,
        "items": [_one(found, place) for place in range(len(found.choices))],
        "left_out": found.left_out,
        "outside": found.outside,
        "held_min": round(found.advice.held_min),
    }


def _one(found: Suggestions, place: int) -> dict[str, Any]:
    choice = found.choices[place]
    worker, spoken = found.advice.person(choice), found.spoken(choice)
    return {
        "rank": place + 1,
        "worker": {"id": choice.worker, "name": worker.name},
        "company": reference(worker.uscc, worker.company),
        "tier": spoken["tier"],
        "pool": choice.candidate.pool,
        "surge": "surge" in spoken,
        "home": spoken["home"],
        "load": spoken["load"],
        "metres": spoken.get("metres"),
        "minutes": spoken.get("minutes"),
        "why": saying.why(spoken),
    }
