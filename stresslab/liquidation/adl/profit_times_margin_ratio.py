"""Binance's queue: profit over the wallet, times the margin ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared
from stresslab.core.lazy import lazy_module
from stresslab.liquidation.division import Contributors, Queue

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_module("numpy")

ONE_USD = 1_000_000  # micro-USD


@declared
class ProfitTimesMarginRatio(Queue):
    """Asked first: the highest ``max(0, profit) / max(1 USD, W) · MM / (W + profit)``.

    W is the wallet of the pool, its equity without the profit of its positions; the margin ratio
    is its maintenance margin over its equity, 0 if that is not positive.

    References
    ----------
    Binance, ADL and its queue ranking (USD-M futures).
    """

    def score(self, contributors: Contributors) -> np.ndarray:
        c = contributors
        share = np.maximum(c.profit, 0) / np.maximum(c.wallet, ONE_USD)
        return share * np.where(c.equity > 0, c.maintenance / np.maximum(c.equity, 1), 0.0)
