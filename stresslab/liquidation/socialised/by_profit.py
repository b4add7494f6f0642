"""Those in profit pay in proportion to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stresslab.core.declarations import declared
from stresslab.core.lazy import lazy_module
from stresslab.liquidation.adl import by_profit
from stresslab.liquidation.division import Contributors, Division, share_out

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_module("numpy")


@declared
class ByProfit(by_profit.ByProfit):
    """Positions of the market that are in profit pay in proportion to it, and at most all of it.

    What is left when all profit is gone is shared by equity.

    References
    ----------
    OKX, clawback of its older futures: a loss beyond the reserve is shared by profitable users.
    """

    def divide(self, amount: int, contributors: Contributors) -> Division:
        c = contributors
        profit = np.minimum(np.maximum(c.profit, 0), c.bearable)
        shares = share_out(amount, profit, profit)
        left = amount - int(shares.sum())
        shares += share_out(left, c.equity - shares, c.bearable - shares)
        return Division(np.arange(shares.size), shares)
