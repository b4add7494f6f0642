"""What a halted market does to orders: none gets through; cancellations and requests do."""

from __future__ import annotations

from typing import Any

import numpy as np

from stresslab.core.columns import CANCEL_ALL, MARKET, STOP, Orders
from stresslab.margin.clearing import REFUSED, REQUESTED


def admit(orders: Orders, sequence: np.ndarray, closed: np.ndarray, floor: Any) -> np.ndarray:
    """Return the rows of a sequence that may go on; the others are refused, but stops wait."""
    is_stopped = closed[orders.asset[sequence]] & (orders.kind[sequence] < CANCEL_ALL)
    refused = int(np.count_nonzero(is_stopped & (orders.tag[sequence] != STOP)))
    floor.counts[REQUESTED] += refused
    floor.counts[REFUSED] += refused
    return sequence[~is_stopped]


def hold_back(stops: Orders, closed: np.ndarray) -> None:
    """Empty a batch of triggered stops but for those that wait for a closed market.

    Limit orders are not kept: they are sent anew every step until their position is closed.
    """
    n = int(stops.n[0])
    if n == 0:
        return
    waits = closed[stops.asset[:n]] & (stops.kind[:n] == MARKET)
    kept = int(np.count_nonzero(waits))
    for column in stops[1:]:
        column[:kept] = column[:n][waits]
    stops.n[0] = kept
