"""Arbitrageur: takes what the book offers beyond its cost of trading against the index."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stresslab.core.columns import IOC
from stresslab.core.declarations import declared, param
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    from stresslab.core.columns import Market
    from stresslab.core.random import Draws


class Arbitrageur(Trader):
    """Buys what is offered below the index by more than its cost, sells what is bid so far above.

    Between the two bounds it opens nothing; it closes when the book is back at the index. The other
    leg of the trade, at the index, is outside the model: what the arbitrageur may lose on the way
    to convergence is its own capital.

    References
    ----------
    He, Manela, Ross and von Wachter (2022), Fundamentals of perpetual futures, arXiv 2212.06888:
    trading costs bound the gap between perpetual and spot, and the trade that keeps the bounds.
    """

    @declared
    class Parameters:
        cost: float = param(
            "Gap between quote and index that pays for the trade there and back",
            unit="of price",
            default=0.002,
            gt=0,
            lt=0.5,
        )
        order_size: float = param("Largest order", unit="of equity", default=0.5, gt=0, le=50)
        dispersion: float = param(
            "Spread of costs: a trader's lies between 1 -/+ this times the group's",
            default=0.5,
            ge=0,
            lt=1,
        )

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        equity, orders = self.equity, []
        cost = self.spread_around(self.parameters.cost, self.parameters.dispersion)
        for asset in self.assets:
            index, bid, ask = (
                int(c[asset]) for c in (market.index, market.best_bid, market.best_ask)
            )
            highest, lowest = math.floor(index * (1.0 - cost)), math.ceil(index * (1.0 + cost))
            held = int(self.positions[asset])
            buying, selling = self._room(asset, held, equity)
            if 0 < ask <= highest and buying > 0:
                orders.append(Order(asset, IOC, buying, highest))
            elif bid >= lowest and selling > 0:
                orders.append(Order(asset, IOC, -selling, lowest))
            elif (held > 0 and bid >= index) or (held < 0 and 0 < ask <= index):
                orders.append(Order(asset, IOC, -held, index, reduce_only=1))
        return orders

    def _room(self, asset: int, held: int, equity: int) -> tuple[int, int]:
        """Return the lots it may buy and sell now, within its leverage; spot is paid in cash."""
        limit = self.lots_for(equity * self.usable_leverage(asset) / len(self.assets), asset)
        size = self.lots_for(self.parameters.order_size * equity, asset)
        if self.group.market.is_spot[asset]:
            affordable = self.lots_for(self.wallet, asset)
            return min(size, limit - held, affordable), min(size, held)
        return min(size, limit - held), min(size, limit + held)

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return n_assets
