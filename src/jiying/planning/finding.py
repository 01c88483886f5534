"""What the late emergencies of many days have in common, and so what would help.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from jiying.planning.causes import CAUSES, GROUPS
from jiying.planning.model import Model
from jiying.planning.outcome import SLOT_MIN, SLOTS, Outcome

WINDOW_SHARE, SKILLS_SHARE = 0.75, 0.8
"""A sentence is about the shortest hours that hold so much of what one cause makes late, and there about the fewest
skills that hold so much of that."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`of_cause` of `total` late emergencies have one `cause` (of `GROUPS`); `late` of these are of `skills`, and were
    reported from `begin` to `end` (minutes; past 1,440: in the morning after).  `by_cause`: all late ones by cause."""

    late: int
    of_cause: int
    total: int
    cause: str
    skills: tuple[str, ...]
    begin: int
    end: int
    by_cause: dict[str, int]

    def as_data(self) -> dict[str, Any]:
        return {**asdict(self), "skills": list(self.skills)}


def finding(model: Model, outcomes: Sequence[Outcome]) -> Finding | None:
    """What most late emergencies have in common; None where none was late."""
    cells = cells_of(model, outcomes)
    by_cause = cells.sum(axis=(0, 1))
    total = int(by_cause.sum())
    if not total:
        return None
    cause = max(GROUPS, key=lambda name: int(by_cause[list(GROUPS[name])].sum()))
    mine = cells[:, :, list(GROUPS[cause])].sum(axis=2)
    first, length = _shortest(mine.sum(axis=0))
    inside = mine[:, [(first + n) % SLOTS for n in range(length)]].sum(axis=1)
    skills, late = [], 0
    for skill in np.argsort(-inside, kind="stable").tolist():
        if late >= SKILLS_SHARE * inside.sum():
            break
        skills.append(model.skills[skill])
        late += int(inside[skill])
    begin = first * SLOT_MIN
    return Finding(
        late, int(mine.sum()), total, cause, tuple(skills), begin, begin + length * SLOT_MIN,
        {name: int(n) for name, n in zip(CAUSES, by_cause, strict=True)},
    )  # fmt: skip


def cells_of(model: Model, outcomes: Sequence[Outcome]) -> np.ndarray:
    """Late emergencies by [skill, half-hour, cause]."""
    cells = np.zeros((len(model.skills), SLOTS, len(CAUSES)), np.int64)
    for outcome in outcomes:
        for (skill, slot, _town, cause), n in outcome.late.items():
            cells[skill, slot, cause] += n
    return cells


def _shortest(counts: np.ndarray) -> tuple[int, int]:
    """The first half-hour, and how many, of the shortest stretch around the clock that holds `WINDOW_SHARE`."""
    wanted = WINDOW_SHARE * counts.sum()
    sums = np.concatenate([[0], np.cumsum(np.concatenate([counts, counts]))])
    for length in range(1, SLOTS + 1):
        held = sums[length : length + SLOTS] - sums[:SLOTS]
        if held.max() >= wanted:
            return int(np.argmax(held)) if length < SLOTS else 0, length
    return 0, SLOTS


def sentence(found: dict[str, Any] | None) -> str:
    """A finding as data in one English sentence, for the command line."""
    if found is None:
        return "No emergency was late."
    skills = " and ".join(found["skills"])
    begin, end = found["begin"], found["end"]
    clocks = [f"{minute % 1440 // 60:02}:{minute % 60:02}" for minute in (begin, end)]
    hours = (
        "all day"
        if end - begin >= 1440
        else f"before {clocks[1]}"
        if begin == 0
        else f"from {clocks[0]} to {clocks[1]}"
    )
    why = {
        "shifts": "since nobody with the skill near enough had a shift, or one person alone",
        "load": "since everybody with the skill near enough was busy or elsewhere",
        "distance": "since nobody with the skill lives within thirty minutes",
    }[found["cause"]]
    return (
        f"{found['of_cause']} of {found['total']} late ones were late {why}: {found['late']} of them {skills}, {hours}."
    )


def places_of(outcomes: Sequence[Outcome], block_slots: int) -> Counter[tuple[int, int, int]]:
    """Late emergencies by (skill, block of the day, town), blocks of so many half-hours."""
    out: Counter[tuple[int, int, int]] = Counter()
    for outcome in outcomes:
        for (skill, slot, town, _cause), n in outcome.late.items():
            out[skill, slot // block_slots, town] += n
    return out
