"""What the lines of one pack say about each other: contradictions, repeats, words that lead nowhere."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any

from jiying.rules.faults import Fault
from jiying.rules.marks import Marked, Path
from jiying.rules.pack import Pack, under
from jiying.rules.schema import SILENCE_STATES, meant

NEVER_PAUSED = "respond_30"
LONGEST_KEYWORD = 20
LEAST_HOURS_MIN = 60


def category_faults(marked: Marked) -> list[Fault]:
    """Conditions and keywords about categories the pack does not have (`unknown_category`)."""
    document = marked.document
    known = {category["code"] for category in document["categories"]}
    words = document.get("keywords", {}).get("words", {})
    strange = [
        Fault(
            line=marked.line("keywords", "words", word, "category"),
            code="unknown_category",
            message=_unknown(keyword["category"], known),
        )
        for word, keyword in words.items()
        if keyword.get("category", next(iter(known))) not in known
    ]
    conditions: list[tuple[Path, dict[str, Any]]] = [
        *((("promises", place, "when"), rule["when"]) for place, rule in enumerate(document["promises"])),
        *((("follow_up", "always", place), when) for place, when in enumerate(document["follow_up"]["always"])),
    ]
    return strange + [
        Fault(
            line=marked.line(*path, "categories", place),
            code="unknown_category",
            message=_unknown(code, known),
        )
        for path, when in conditions
        for place, code in enumerate(when.get("categories", ()))
        if not under(code, known)
    ]


def _unknown(code: str, known: Iterable[str]) -> str:
    return f"“{code}” is not among the pack's categories.{meant(code, known)}"


def contradictions(pack: Pack, marked: Marked) -> list[Fault]:
    """Everything that makes a well-shaped pack unusable; empty when it holds together."""
    return [fault for check in _CHECKS for fault in check(pack, marked)]


def _repeats(pack: Pack, marked: Marked) -> Iterator[Fault]:
    for section, key in (
        ("categories", "code"), ("promises", "id"), ("ladder", "step"), ("silence", "id"), ("pauses", "code"),
        ("explanations", "promise"),
    ):  # fmt: skip
        first: dict[str, int] = {}
        for place, line in enumerate(marked.document.get(section, ())):
            here = marked.line(section, place, key)
            if first.setdefault(line[key], here) != here:
                message = f"“{line[key]}” in {section} is already on line {first[line[key]]}."
                yield Fault(line=here, code="duplicate_code", message=message)


def _signs(pack: Pack, marked: Marked) -> Iterator[Fault]:
    for place, category in enumerate(marked.document["categories"]):
        sign = pack.categories.get(category["sign"])
        if sign is None or sign.sign != sign.code:
            wrong = f"“{category['sign']}” is no sign: no category of that code stands under its own sign."
            message = wrong + meant(category["sign"], pack.categories)
            yield Fault(line=marked.line("categories", place, "sign"), code="unknown_category", message=message)


def _unnamed_promises(pack: Pack, marked: Marked) -> Iterator[Fault]:
    for section in ("promises", "ladder", "explanations"):
        for place, line in enumerate(marked.document.get(section, ())):
            if line["promise"] not in pack.promise_names:
                message = (
                    f"“{line['promise']}” has no line in promise_names.{meant(line['promise'], pack.promise_names)}"
                )
                yield Fault(line=marked.line(section, place, "promise"), code="unknown_promise", message=message)


def _rivals(pack: Pack, marked: Marked) -> Iterator[Fault]:
    for (first, one), (second, two) in combinations(enumerate(pack.promises), 2):
        if one.promise == two.promise and one.when.meets(two.when):
            message = (
                f"{two.id} and {one.id} (line {marked.line('promises', first)}) can both apply to one order; "
                f"narrow the `when` of one, so that an order has one {one.promise} clock."
            )
            yield Fault(line=marked.line("promises", second), code="rival_rules", message=message)


def _rules(pack: Pack, marked: Marked) -> Iterator[Fault]:
    for place, rule in enumerate(pack.promises):
        if rule.start == rule.target:
            message = f"{rule.id} starts where it ends, so it could never be missed."
            yield Fault(line=marked.line("promises", place, "to"), code="same_milestone", message=message)
        if rule.warn_before_min is not None and rule.warn_before_min >= rule.limit.minutes:
            message = f"{rule.id} would warn {rule.warn_before_min} min before a limit of {rule.limit.minutes} min."
            yield Fault(line=marked.line("promises", place, "warn_before_min"), code="out_of_range", message=message)
        if rule.when.approved and not any(c.approval for c in pack.categories.values()):
            message = f"{rule.id} wants an approval, but no category has `approval: true`, so it never applies."
            yield Fault(line=marked.line("promises", place, "when"), code="never_applies", message=message)
        if rule.promise == NEVER_PAUSED and rule.pausable:
            message = f"{rule.id}: the 30 minutes of an emergency cannot be paused."
            yield Fault(line=marked.line("promises", place, "pausable"), code="never_paused", message=message)


def _closed_calendar(pack: Pack, marked: Marked) -> Iterator[Fault]:
    if pack.calendar is not None and sum(end - start for start, end in pack.calendar.hours) < LEAST_HOURS_MIN:
        message = f"A working day has at least {LEAST_HOURS_MIN} minutes; limits would otherwise reach for years."
        yield Fault(line=marked.line("calendar", "hours"), code="bad_hours", message=message)


def _flat_ladders(pack: Pack, marked: Marked) -> Iterator[Fault]:
    highest: dict[str, int] = {}
    for place, step in enumerate(pack.ladder):
        if step.after_min <= highest.get(step.promise, -1):
            message = f"{step.step} comes after {step.after_min} min, the one before after {highest[step.promise]}."
            yield Fault(line=marked.line("ladder", place, "after_min"), code="ladder_not_rising", message=message)
        highest[step.promise] = max(step.after_min, highest.get(step.promise, -1))


def _silences(pack: Pack, marked: Marked) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, rule in enumerate(pack.silence):
        if SILENCE_STATES[rule.verb] != rule.from_state:
            message = f"Silence says {rule.verb} only in {SILENCE_STATES[rule.verb]}."
            yield Fault(line=marked.line("silence", place, "from_state"), code="unknown_state", message=message)
        if rule.from_state in seen:
            message = f"Another line already says what silence in {rule.from_state} means."
            yield Fault(line=marked.line("silence", place), code="rival_rules", message=message)
        seen.add(rule.from_state)


def _keywords(pack: Pack, marked: Marked) -> Iterator[Fault]:
    for word, keyword in pack.keywords.items():
        line = marked.line("keywords", "words", word)
        if not keyword.category and not keyword.urgency:
            yield Fault(
                line=line, code="missing_key", message=f"“{word}” speaks for nothing: give category or urgency."
            )
        if word != unicodedata.normalize("NFKC", word).casefold().strip() or not 1 <= len(word) <= LONGEST_KEYWORD:
            message = f"“{word[:40]}” is never found: 1 to {LONGEST_KEYWORD} characters, small, no blanks around."
            yield Fault(line=line, code="bad_text", message=message)


_CHECKS: tuple[Callable[[Pack, Marked], Iterator[Fault]], ...] = (
    _repeats, _signs, _unnamed_promises, _rivals, _rules, _closed_calendar, _flat_ladders, _silences, _keywords,
)  # fmt: skip
