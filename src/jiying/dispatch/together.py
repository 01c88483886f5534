"""Several emergencies that are due in the same moment are given out together: two may want the same one.

As in a batch of the fleet engine: an auction over what everybody costs, in which an order may also stay alone.  What
is left alone here is looked at by itself right after, and sees whom the others took.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jiying.dispatch.engine.fleet.assign import cheapest
from jiying.dispatch.engine.outlook import PRICES
from jiying.dispatch.engine.ranking import Choice
from jiying.dispatch.service import Advice


def together(advices: Sequence[Advice]) -> list[Advice]:
    """Those of `advices` that get somebody, each with that one in the first place of its ranking.

    Only emergencies with an outlook take part; the tier that is asked, and so who may go, is each order's own.
    """
    asking = [one for one in advices if one.outlook is not None and one.job.urgency == "emergency"]
    begin, columns, costs = [0], [], []
    numbers: dict[str, int] = {}
    for one in asking:
        lead = one.ranking.best
        for choice in one.ranking.ranked:
            # Within one tier: a higher one is not asked for being cheaper.
            if lead is not None and choice.tier == lead.tier and choice.cost is not None:
                columns.append(numbers.setdefault(choice.worker, len(numbers)))
                costs.append(choice.cost.total)
        begin.append(len(columns))
    if not columns:
        return []
    taken = cheapest(
        np.array(begin), np.array(columns, np.int64), np.array(costs), np.full(len(asking), PRICES.alone), len(numbers)
    )
    names = list(numbers)
    given = [(one, names[column]) for one, column in zip(asking, taken.tolist(), strict=True) if column >= 0]
    return [first(one, best) for one, worker in given if (best := one.ranking.of(worker)) is not None]


def first(advice: Advice, best: Choice) -> Advice:
    """The same advice with `best`, one of those who can go, in the first place."""
    others = (choice for choice in advice.ranking.ranked if choice.worker != best.worker)
    ranked = [best, *sorted(others, key=lambda choice: choice.rank)]
    kept = tuple(replace(choice, rank=place) for place, choice in enumerate(ranked, start=1))
    return replace(advice, ranking=replace(advice.ranking, ranked=kept))
