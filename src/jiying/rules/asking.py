"""`jiying rules due`: when one promise would be due, asked without an order.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from jiying.core.worktime import Span
from jiying.rules import calendars
from jiying.rules.pack import Pack, PromiseRule


class NoRule(LookupError):
    """The pack has no such promise or rule."""


@dataclass(frozen=True, slots=True)
class Due:
    """The answer: the rule, when it is due (aware, in the zone asked for), and what to be warned of."""

    rule: PromiseRule
    due_at: datetime
    warnings: tuple[str, ...]


def rule_of(pack: Pack, promise: str) -> tuple[PromiseRule, list[str]]:
    """The rule meant by a rule's id or a promise's name, and the ids of the others of that name.

    Of several it is the first for ordinary orders, else the first.

    Raises:
        NoRule: the pack has neither.
    """
    for rule in pack.promises:
        if rule.id == promise:
            return rule, []
    found = [rule for rule in pack.promises if rule.promise == promise]
    if not found:
        known = ", ".join(dict.fromkeys(rule.promise for rule in pack.promises))
        raise NoRule(f"{pack.stamp} has no promise or rule {promise!r}; it promises {known}")
    usual = [rule for rule in found if rule.when.urgencies != frozenset({"emergency"})]
    chosen = (usual or found)[0]
    return chosen, [rule.id for rule in found if rule is not chosen]


def due(pack: Pack, promise: str, begins: datetime, pauses: Sequence[Span], zone: ZoneInfo) -> Due:
    """When a promise that begins at `begins` is due, with pauses (NoRule: see `rule_of`).

    Like on an order, a pause counts only if the rule can be paused and the pause begins before the promise is due.
    """
    rule, others = rule_of(pack, promise)
    work = calendars.worktime_of(pack.calendar, zone.key)
    warnings = []
    if others:
        warnings.append(f"{promise} has several rules; this is {rule.id}. Ask for {' or '.join(others)} by that name")
    if pauses and not rule.pausable:
        warnings.append(f"{rule.id} cannot be paused: no pause counts")
    counting: list[Span] = []
    at = calendars.due_at(rule.limit, begins, counting, work)
    for start, end in sorted(pauses) if rule.pausable else ():
        if start <= at:
            counting.append((start, end))
            at = calendars.due_at(rule.limit, begins, counting, work)
        else:
            warnings.append(f"the pause from {start.astimezone(zone).isoformat()} begins after {rule.id} is due")
    if rule.limit.unit in calendars.WORKING:
        if pack.calendar is None:
            warnings.append(f"{pack.stamp} has no calendar: {rule.limit.unit} are counted as plain time")
        elif years := calendars.guessed(pack.calendar, begins, at, zone):
            warnings.append(calendars.guess_words(years))
    return Due(rule, at.astimezone(zone), tuple(warnings))
