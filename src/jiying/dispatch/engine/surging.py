"""When there is more than the people on duty can carry, and how many more would carry it.  Pure.

`load`: the share of those on duty whom emergencies alone keep busy (`outlook.Outlook`).
"""

from __future__ import annotations

import math

from jiying.dispatch.engine.outlook import PRICES, Outlook

BEGINS_ABOVE, ENDS_BELOW = PRICES.surge_full, PRICES.surge_from
"""Apart, so that a load that wavers does not call people in and send them home every few minutes."""


def runs(before: bool, load: float, said: bool | None = None) -> bool:
    """Whether a surge runs now: what a person `said` goes before the rule.

    >>> runs(False, 0.7), runs(False, 0.81), runs(True, 0.41), runs(True, 0.39)
    (False, True, True, False)
    >>> runs(False, 0.1, said=True), runs(True, 2.0, said=False)
    (True, False)
    """
    if said is not None:
        return said
    return load > BEGINS_ABOVE or (before and load >= ENDS_BELOW)


def recall(known: Outlook) -> int:
    """So many more people on duty would bring the load back to `ENDS_BELOW`: needed − on duty, needed = load × on
    duty ÷ `ENDS_BELOW`.
    """
    return max(math.ceil(_needed(known) - known.staff), 0)


def recall_by_skill(known: Outlook) -> dict[str, int]:
    """The same for each skill that is short, most wanted first: its share of the emergencies of late × needed, less
    those on duty who have it.  At least so many: who has two skills is counted for both.
    """
    short = {
        skill: math.ceil(_needed(known) * share - float(there))
        for skill, share, there in zip(known.skills, known.shares, known.staffing[:, 0], strict=False)
    }
    return {skill: n for skill, n in sorted(short.items(), key=lambda one: (-one[1], one[0])) if n > 0}


def _needed(known: Outlook) -> float:
    return known.load * known.staff / ENDS_BELOW
