"""In which order traders reach the books: drawn by id and step, never by row."""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import Orders
from stresslab.core.compiled import kernel
from stresslab.core.random import uniform


def sequence_by_trader(ids: np.ndarray, orders: Orders, key: np.ndarray, step: int) -> np.ndarray:
    """Return the rows of a batch with the traders shuffled, each trader's own orders kept in order.

    Traders are ranked by their draw of the step, ties by place in the batch.
    """
    n = int(orders.n[0])
    starts, luck = np.empty(n + 1, np.int64), np.empty(n)
    runs = _draw_by_trader(ids, orders.trader[:n], key, step, starts, luck)
    sequence = np.empty(n, np.int64)
    _lay_out(starts, np.argsort(luck[:runs], kind="stable"), sequence)
    return sequence


@kernel
def _draw_by_trader(ids, traders, key, step, starts, luck):
    """Write where each trader's orders start and the trader's draw; return how many traders."""
    runs = 0
    for row in range(traders.size):
        if row == 0 or traders[row] != traders[row - 1]:
            starts[runs] = row
            luck[runs] = uniform(key, ids[traders[row]], step, 0)
            runs += 1
    starts[runs] = traders.size
    return runs


@kernel
def _lay_out(starts, ranking, sequence):
    place = 0
    for run in ranking:
        for row in range(starts[run], starts[run + 1]):
            sequence[place] = row
            place += 1
