"""The queue of most venues: profit in percent times effective leverage."""

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
class ProfitTimesLeverage(Queue):
    """Asked first: the highest profit in percent times effective leverage.

    References
    ----------
    BitMEX, Auto-Deleveraging (support page); Bybit and others publish the same formula.
    """

    def score(self, contributors: Contributors) -> np.ndarray:
        c = contributors
        return profit_times_leverage(c.profit, c.cost, c.equity, c.notional)


def profit_times_leverage(
    profit: np.ndarray, cost: np.ndarray, equity: np.ndarray, notional: np.ndarray
) -> np.ndarray:
    """Return the rank score of each position: higher is deleveraged first.

    ``pnl% · L`` when in profit, ``pnl% / L`` when not, with pnl% the profit over the entry value
    and L the notional over the equity of the pool that holds the position: what is left of an
    isolated position's value when its bankruptcy value is taken off is its equity.

    >>> profit_times_leverage(*np.array([[50, -50], [100, 100], [10, 10], [100, 100]]))
    array([ 5.  , -0.05])
    """
    share = profit / np.maximum(np.abs(cost), 1)
    leverage = notional / np.maximum(equity, 1)
    return np.where(profit > 0, share * leverage, share / np.maximum(leverage, 1e-12))
