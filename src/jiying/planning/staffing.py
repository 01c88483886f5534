"""The smallest staffing that reaches a target.  Pure.

What is searched: where today falls short, people are added in batches of 1, 2, 4 …, each batch shared among skill ×
third of the day × town by their late emergencies; when a batch reaches the target, halving finds how many of it are
needed.  Where today reaches it already, halving finds how many of today's people, thinned out evenly over skills,
shifts and places, still do.  So it is the smallest on that path, not of all rosters there could be; and it takes the
same days for each step, so that a step is no luck of the draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jiying.core.errors import BadInput
from jiying.planning.changes import Change, Staff
from jiying.planning.finding import places_of
from jiying.planning.model import DAY_MIN, Model
from jiying.planning.outcome import SLOT_MIN, Outcome
from jiying.planning.words import clock

BLOCK_MIN = 480
"""Added people work a third of the day."""

LEAST_MOST, MOST_SHARE = 32, 0.5
"""So many people are added at most: half of the staff, 32 at least."""

FINE = 0.01
"""Thinning out stops when it is known to one in a hundred of the staff."""

Look = Callable[[Change], Sequence[Outcome]]


@dataclass(frozen=True, slots=True)
class Staffing:
    """`reached` with `staff` people, of whom `added` are new (or −`added` of today's are not needed); `share` then.

    `rows`: who is added.  `looked`: at how many staffings.  Not reached: `share` with the most that were added.
    """

    target: float
    reached: bool
    staff: int
    added: int
    share: float
    rows: tuple[Staff, ...]
    looked: int

    def as_data(self) -> dict[str, Any]:
        rows = [
            {
                "skill": row.skill,
                "from": clock(row.begin or 0),
                "to": clock(row.end or 0),
                "town": row.town,
                "count": row.count,
            }
            for row in self.rows
        ]
        return {
            "target": self.target, "reached": self.reached, "staff": self.staff, "added": self.added,
            "share": self.share, "rows": rows, "looked": self.looked,
        }  # fmt: skip


def check_target(target: float) -> None:
    """Whether a target, in percent, is one.

    Raises:
        BadInput: `out_of_range`.
    """
    if not 0 < target <= 100:
        raise BadInput.of("target", "out_of_range", f"a target is above 0 and at most 100 percent, not {target:g}")


def most_looks(model: Model) -> int:
    """At how many staffings a search looks at most."""
    return 2 * _most(model).bit_length() + 3


def search(model: Model, change: Change, target: float, look: Look) -> Staffing:
    """The smallest staffing under which `target` percent of emergencies are reached in time, on the path above.

    `look` runs the days of a change and gives their outcomes.
    """
    check_target(target)
    looks: dict[str, tuple[float, Sequence[Outcome]]] = {}

    def share(with_: Change) -> float:
        if with_.digest not in looks:
            outcomes = look(with_)
            due, late = (sum(int(one.town_hour[:, :, k].sum()) for one in outcomes) for k in (0, 1))
            looks[with_.digest] = (100 * (due - late) / due if due else 100.0, outcomes)
        return looks[with_.digest][0]

    whole = len(model.staff) if change.keep is None else change.keep
    if share(change) >= target:
        keep = _least(whole, lambda n: share(change.with_(keep=n)) >= target)
        kept = change.with_(keep=keep)
        return Staffing(target, True, keep, keep - whole, round(share(kept), 4), (), len(looks))
    line: list[Staff] = []
    while len(line) < _most(model):
        batch = _batch(model, looks[_with(change, line).digest][1], min(len(line) + 1, _most(model) - len(line)))
        if not batch:
            break
        before, line = len(line), [*line, *batch]
        if share(_with(change, line)) >= target:
            low, high = before, len(line)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if share(_with(change, line[:middle])) >= target else (middle, high)
            return _found(change, target, True, whole, line[:high], share, len(looks))
    return _found(change, target, False, whole, line, share, len(looks))


def _found(
    change: Change, target: float, reached: bool, whole: int, line: list[Staff], share: Callable[[Change], float],
    looked: int,
) -> Staffing:  # fmt: skip
    last = _with(change, line)
    rows = last.staff[len(change.staff) :]
    return Staffing(target, reached, whole + len(line), len(line), round(share(last), 4), rows, looked)


def _most(model: Model) -> int:
    return max(LEAST_MOST, int(MOST_SHARE * len(model.staff)))


def _least(whole: int, enough: Callable[[int], bool]) -> int:
    """The smallest of 1 … `whole` that is enough, to one in a hundred; `whole` is."""
    low, high = 0, whole
    while high - low > max(1, int(FINE * whole)):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _batch(model: Model, outcomes: Sequence[Outcome], number: int) -> list[Staff]:
    """So many people, one a row, shared among the places by their late emergencies, the most wanted first."""
    cells = sorted(places_of(outcomes, BLOCK_MIN // SLOT_MIN).items(), key=lambda cell: (-cell[1], cell[0]))
    if not cells:
        return []
    given = [0] * len(cells)
    line = []
    for _one in range(number):
        # The highest average (Sainte-Laguë): every beginning of the line is shared as fairly as it can be.
        place = max(range(len(cells)), key=lambda n: (cells[n][1] / (2 * given[n] + 1), -n))
        given[place] += 1
        (skill, block, town), _late = cells[place]
        begin = block * BLOCK_MIN
        line.append(Staff(model.skills[skill], 1, begin, min(begin + BLOCK_MIN, DAY_MIN), model.towns[town].code))
    return line


def _with(change: Change, line: list[Staff]) -> Change:
    """The change with these people more, those of one place in one row."""
    counts: dict[tuple[str, int | None, int | None, str], int] = {}
    for row in line:
        key = (row.skill, row.begin, row.end, row.town)
        counts[key] = counts.get(key, 0) + row.count
    rows = tuple(Staff(skill, count, begin, end, town) for (skill, begin, end, town), count in counts.items())
    return change.with_(staff=(*change.staff, *rows))
