"""Hyperliquid's queue: how far the price has come, times leverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared
from stresslab.core.lazy import lazy_module
from stresslab.liquidation.division import Contributors, Queue

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_module("numpy")


@declared
class PriceRatioTimesLeverage(Queue):
    """Asked first: the highest ``mark / entry · notional / account value``.

    For shorts the ratio of prices is turned over, entry / mark; as printed, the formula would put
    every short in profit behind every long. Notional is that of the position, account value the
    equity of the pool that holds it.

    References
    ----------
    Hyperliquid Docs, Auto-deleveraging. The form for shorts is our reading.
    """

    def score(self, contributors: Contributors) -> np.ndarray:
        c = contributors
        mark, entry = np.maximum(c.value, 1), np.maximum(c.cost, 1)  # both over the same lots
        ratio = np.where(c.side > 0, mark / entry, entry / mark)
        return ratio * c.value / np.maximum(c.equity, 1)
