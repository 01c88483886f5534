"""Who goes where, all together: the cheapest assignment in a sparse table, where a row may also stay out."""

from __future__ import annotations

import numpy as np

from jiying.dispatch.engine.fleet.compiled import compiled


@compiled
def cheapest(begin, columns, costs, alone, many):
    """Assign rows to columns at the least total cost.

    Row r may take the columns `columns[begin[r]:begin[r + 1]]` at `costs` of the same place (>= 0), or none at the
    cost `alone[r]`.  `many`: how many columns there are.  Successive shortest paths with potentials, on the sparse
    table.  Returns the column of each row, -1 for none.
    """
    rows = len(alone)
    taken = np.full(rows, -1, np.int64)
    owner = np.full(many, -1, np.int64)
    of_row = np.zeros(rows)
    of_column = np.zeros(many)
    far = np.full(many, np.inf)
    came = np.full(many, -1, np.int64)
    settled = np.zeros(many, np.bool_)
    seen = np.empty(many, np.int64)
    for first in range(rows):
        count = 0
        row, base = first, 0.0
        out, out_row = alone[first] - of_row[first], first
        end = -1
        while True:
            for place in range(begin[row], begin[row + 1]):
                column = columns[place]
                if settled[column]:
                    continue
                length = base + costs[place] - of_row[row] - of_column[column]
                if length < far[column]:
                    if far[column] == np.inf:
                        seen[count] = column
                        count += 1
                    far[column] = length
                    came[column] = row
            nearest, where = np.inf, -1
            for place in range(count):
                column = seen[place]
                if not settled[column] and far[column] < nearest:
                    nearest, where = far[column], column
            if where < 0 or nearest >= out:
                total = out
                break
            settled[where] = True
            if owner[where] < 0:
                total, end = nearest, where
                break
            row, base = owner[where], nearest
            if base + alone[row] - of_row[row] < out:
                out, out_row = base + alone[row] - of_row[row], row
        for place in range(count):
            column = seen[place]
            if settled[column] and far[column] <= total:
                of_column[column] += far[column] - total
                if owner[column] >= 0:
                    of_row[owner[column]] += total - far[column]
        of_row[first] += total
        if end < 0:
            end = taken[out_row]
            taken[out_row] = -1
            # `end` is now free, unless it is the new row itself that stays out.
        while end >= 0:
            row = came[end]
            before = taken[row]
            taken[row] = end
            owner[end] = row
            end = before if row != first else -1
        for place in range(count):
            far[seen[place]] = np.inf
            settled[seen[place]] = False
    return taken
