"""In which order traders reach the books: drawn by id and step, never by row."""

from __future__ import annotations

import numpy as np
from numba import njit

from stresslab.core.random import uniform


@njit(cache=True)
def sequence_by_trader(ids, orders, key, step):
    """Return the rows of a batch with the traders shuffled, each trader's own orders kept in order.

    Traders are ranked by their draw of the step, ties by place in the batch.
    """
    n = orders.n[0]
    starts = np.empty(n + 1, np.int64)
    luck = np.empty(n)
    runs = 0
    for row in range(n):
        if row == 0 or orders.trader[row] != orders.trader[row - 1]:
            starts[runs] = row
            luck[runs] = uniform(key, ids[orders.trader[row]], step, 0)
            runs += 1
    starts[runs] = n
    sequence = np.empty(n, np.int64)
    place = 0
    for run in np.argsort(luck[:runs], kind="mergesort"):
        for row in range(starts[run], starts[run + 1]):
            sequence[place] = row
            place += 1
    return sequence
