"""From the text of a pack to a `Pack`, or to every reason why not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from jiying.rules import checks, marks, schema
from jiying.rules.days import calendar_of, day_faults
from jiying.rules.faults import PackError
from jiying.rules.marks import Marked
from jiying.rules.pack import (
    Category,
    Condition,
    Explanation,
    FollowUpDraw,
    Keyword,
    LadderStep,
    Limit,
    Names,
    Pack,
    PauseReason,
    PromiseRule,
    SilenceRule,
    under,
)


def parse(raw: bytes) -> tuple[Pack, Marked]:
    """The pack in these bytes, with the lines of its parts.

    Raises:
        PackError: with all faults of the first stage that finds any: reading, shape, then contradictions.
    """
    marked = marks.read(raw)
    if faults := schema.shape_faults(marked):
        raise PackError(faults)
    if faults := day_faults(marked) + checks.category_faults(marked):
        raise PackError(faults)
    pack = _build(marked.document)
    if faults := checks.contradictions(pack, marked):
        raise PackError(faults)
    return pack, marked


def _build(document: dict[str, Any]) -> Pack:
    categories = {line["code"]: _category(line) for line in document["categories"]}
    return Pack(
        name=document["name"],
        version=document["version"],
        official=document["official"],
        label=Names(**document["label"]),
        district=document.get("district"),
        valid_from=date.fromisoformat(document["valid_from"]),
        valid_to=date.fromisoformat(document["valid_to"]) if document.get("valid_to") else None,
        sources=tuple(document["sources"]),
        categories=categories,
        promises=tuple(_promise(line, categories.values()) for line in document["promises"]),
        ladder=tuple(_step(line) for line in document["ladder"]),
        silence=tuple(_silence(line) for line in document["silence"]),
        follow_up=_draw(document["follow_up"], categories.values()),
        pauses={line["code"]: _pause(line) for line in document["pauses"]},
        keywords={word: _keyword(line) for word, line in document.get("keywords", {}).get("words", {}).items()},
        calendar=calendar_of(document.get("calendar")),
        promise_names={promise: Names(**names) for promise, names in document["promise_names"].items()},
        explanations={line["promise"]: _explanation(line) for line in document.get("explanations", ())},
        **{key: int(document[key]) for key in ("claimed_after_min", "typing_mark_min") if key in document},
    )


def _origin(line: dict[str, Any]) -> dict[str, Any]:
    return {"source": line.get("source", ""), "assumption": line.get("assumption", False)}


def _category(line: dict[str, Any]) -> Category:
    plain = ("code", "sign", "kind", "default_urgency", "part", "skill")
    return Category(
        **{key: line[key] for key in plain},
        names=Names(**line["names"]),
        between_neighbours=line.get("between_neighbours", False),
        safety=Names(**line["safety"]) if "safety" in line else None,
        photos=line.get("photos", ""),
        approval=line.get("approval", False),
        **_origin(line),
    )


def _promise(line: dict[str, Any], categories: Iterable[Category]) -> PromiseRule:
    warning = line.get("warn_before_min")
    return PromiseRule(
        id=line["id"],
        promise=line["promise"],
        when=_condition(line["when"], categories),
        start=line["from"],
        target=line["to"],
        limit=Limit(int(line["limit"]["amount"]), line["limit"]["unit"]),
        pausable=line["pausable"],
        rounds=line["rounds"],
        warn_before_min=None if warning is None else int(warning),
        **_origin(line),
    )


def _condition(when: dict[str, Any], categories: Iterable[Category]) -> Condition:
    """A category stands for all beneath it, too.

    `between_neighbours` is short for the categories that say so; beside `categories` it narrows them.
    """
    known = {category.code: category for category in categories}
    codes = None
    if "categories" in when:
        codes = frozenset[str]().union(*(under(code, known) for code in when["categories"]))
    if "between_neighbours" in when:
        flagged = frozenset(c.code for c in known.values() if c.between_neighbours == when["between_neighbours"])
        codes = flagged if codes is None else codes & flagged
    sets = ("kinds", "urgencies", "parts", "estate_types", "towns")
    given = {key: frozenset(when[key]) for key in sets if key in when}
    return Condition(**given, categories=codes, drawn=when.get("drawn"), approved=when.get("approved"))


def _step(line: dict[str, Any]) -> LadderStep:
    return LadderStep(
        step=line["step"],
        promise=line["promise"],
        after_min=int(line["after_min"]),
        unless=line.get("unless"),
        tells=tuple(line["tells"]),
        names=Names(**line["names"]),
        **_origin(line),
    )


def _silence(line: dict[str, Any]) -> SilenceRule:
    return SilenceRule(
        id=line["id"],
        verb=line["verb"],
        from_state=line["from_state"],
        after_min=int(line["after_min"]),
        names=Names(**line["names"]),
        **_origin(line),
    )


def _explanation(line: dict[str, Any]) -> Explanation:
    return Explanation(
        promise=line["promise"],
        within_min=int(line["within_min"]),
        new_time_min=int(line["new_time_min"]),
        on_the_way_min=int(line["on_the_way_min"]),
        **_origin(line),
    )


def _draw(line: dict[str, Any], categories: Iterable[Category]) -> FollowUpDraw:
    return FollowUpDraw(
        always=tuple(_condition(when, categories) for when in line["always"]),
        share_percent=int(line["share_percent"]),
        **_origin(line),
    )


def _pause(line: dict[str, Any]) -> PauseReason:
    return PauseReason(code=line["code"], names=Names(**line["names"]), max_min=int(line["max_min"]), **_origin(line))


def _keyword(line: dict[str, Any]) -> Keyword:
    return Keyword(category=line.get("category", ""), urgency=line.get("urgency", ""), weight=int(line["weight"]))
