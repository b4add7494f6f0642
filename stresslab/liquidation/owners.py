"""Whose doing a round's price move is: the forced orders of the round, by signed filled lots."""

from __future__ import annotations

import numpy as np

from stresslab.core.events import CAUSE_ID, CAUSES
from stresslab.liquidation.forced import ForcedOrders


def owners(
    orders: ForcedOrders, spell_of: np.ndarray, asset: int, ticks: float
) -> list[tuple[int, float]]:
    """Share the price move of an asset over a round's orders; return (cause, ticks).

    ``spell_of`` are liquidation ids by pool code. Opposing orders may cancel; a move that the net
    flow cannot explain is shared by the orders on its own side, and one without any fill belongs to
    the quotes withdrawn.
    """
    n = int(orders.n[0])
    rows = np.flatnonzero((orders.asset[:n] == asset) & (orders.filled[:n] != 0))
    lots = orders.filled[rows]
    if int(lots.sum()) * ticks <= 0:
        rows = rows[lots * ticks > 0]
        lots = orders.filled[rows]
    if rows.size == 0:
        return [(CAUSE_ID["quotes"], ticks)]
    total = int(lots.sum())
    causes = len(CAUSES) + spell_of[orders.pool[rows]]
    return [
        (cause, ticks * part / total)
        for cause, part in zip(causes.tolist(), lots.tolist(), strict=True)
    ]
