"""The shadow in turn: whoever has not fallen by then does not sell either."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.shadow.excess import TOLERANCE, Excess
from stresslab.contagion.shadow.sales import Sales


def least_in_turn(excess: Excess, sales: Sales, chosen: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return each pool's least X while those who have not fallen do not sell; (n_pools,) micro-USD.

    Stage by stage, the sales of pools that have not fallen by then are taken back too.

    Parameters
    ----------
    chosen : sales that are taken back in any case, (n_sales,)
    kept : part of a displacement that is still there a step later, (n_assets,)
    """
    path = excess.path
    n_pools, least = excess.pools.account.size, np.full(excess.pools.account.size, np.inf)
    order = np.argsort(sales.stage, kind="stable")
    bounds = np.searchsorted(sales.stage[order], np.arange(path.stages.size + 1))
    realised, is_followed = (f(np.arange(n_pools)) for f in (excess.realised, excess.is_followed))
    waited, taken_back = np.diff(path.steps, prepend=path.steps[:1]), np.zeros(kept.size)
    for stage in range(path.stages.size):
        taken_back *= kept ** waited[stage]
        mine = order[bounds[stage] : bounds[stage + 1]]
        is_back = chosen[mine] | (least[sales.pool[mine]] >= -TOLERANCE)
        np.add.at(taken_back, sales.asset[mine[is_back]], sales.ticks[mine[is_back]])
        begun = np.flatnonzero(is_followed[:, stage])
        now = realised[begun, stage] + excess.exposures[begun] @ taken_back
        least[begun] = np.minimum(least[begun], now)
    return least
