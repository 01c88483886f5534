"""Who goes where, all together: a cheap assignment in a sparse table, where a row may also stay out.

Plain, so that who has a dozen rows need not compile it; a day's run does (`urgent`).
"""

from __future__ import annotations

import numpy as np

STEP = 0.004
"""The least by which a bid is raised: the total is at most this times the rows above the cheapest."""


def cheapest(begin: np.ndarray, columns: np.ndarray, costs: np.ndarray, alone: np.ndarray, many: int) -> np.ndarray:
    """Assign rows to columns at the least total cost, within `STEP` a row.

    Row r may take the columns `columns[begin[r]:begin[r + 1]]` at `costs` of the same place (>= 0), or none at the
    cost `alone[r]`.  `many`: how many columns there are.  An auction (Bertsekas 1988): each row bids for its best
    column what makes the next best as good; prices only rise, so it ends.  Returns the column of each row, -1 for none.
    """
    rows = len(alone)
    taken = np.full(rows, -1, np.int64)
    owner = np.full(many, -1, np.int64)
    price = np.zeros(many)
    stack = np.arange(rows - 1, -1, -1)
    left = rows
    while left:
        left -= 1
        row = stack[left]
        best, next_best, best_column = alone[row], alone[row], -1
        for place in range(begin[row], begin[row + 1]):
            cost = costs[place] + price[columns[place]]
            if cost < best:
                best, next_best, best_column = cost, best, columns[place]
            elif cost < next_best:
                next_best = cost
        if best_column < 0:
            continue
        price[best_column] += next_best - best + STEP
        if owner[best_column] >= 0:
            taken[owner[best_column]] = -1
            stack[left] = owner[best_column]
            left += 1
        owner[best_column] = row
        taken[row] = best_column
    return taken
