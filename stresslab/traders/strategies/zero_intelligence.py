"""Zero intelligence: orders of one size at random prices, which know of no value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stresslab.core.columns import CANCEL_ALL, MARKET, POST_ONLY, QUOTE
from stresslab.core.declarations import declared, param
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    from stresslab.core.columns import Market, Orders
    from stresslab.core.random import Draws
    from stresslab.traders.group import Group, StepDraws

#: Numbers of the draws in the stream ``zero_intelligence``.
ASSET, IS_MARKET, SIDE, PRICE = range(4)


class ZeroIntelligence(Trader):
    """Withdraws its order each turn and sends another, at the market or at a random price.

    Limits are even over the ticks up to ``reach`` on both sides of the mark, and refused where they
    would trade. So ``n`` traders of one asset with turns every ``w`` seconds on average, of whom a
    share ``s`` goes to the market, send ``n s / 2w`` market orders a second to each side and
    ``n (1 - s) / (2w (2 reach + 1))`` limit orders to each tick of a side, and every resting order
    is withdrawn at the rate ``1 / w``: the three rates of the model, each exponential. Wealth and
    leverage play no part; give them enough wealth that margin refuses nothing.

    References
    ----------
    Daniels, Farmer, Gillemot, Iori and Smith (2003), Quantitative model of price diffusion and
    market friction based on trading as a mechanistic random process, Physical Review Letters 90,
    108102; Smith, Farmer, Gillemot and Krishnamurthy (2003), Quantitative Finance 3, 481-514.
    """

    is_post_only = True

    @declared
    class Parameters:
        lots: int = param("Size of an order", unit="lots", default=1, ge=1, le=10**9)
        reach: int = param(
            "Furthest limit from the mark, to either side", unit="ticks", default=100, ge=1,
            le=1 << 22,
        )  # fmt: skip
        market_share: float = param(
            "Share of market orders; the others are limit orders that rest", default=0.2, ge=0, le=1
        )

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        assets = self.assets
        if not assets:
            return []
        asset = assets[math.floor(draws.uniform("zero_intelligence", ASSET) * len(assets))]
        orders = [Order(asset, CANCEL_ALL, 0, tag=QUOTE)]
        lots = self.parameters.lots
        if draws.uniform("zero_intelligence", SIDE) >= 0.5:
            lots = -lots
        if market.is_spot[asset]:
            lots = max(lots, -int(self.positions[asset]))
        if lots == 0:
            return orders
        if draws.uniform("zero_intelligence", IS_MARKET) < self.parameters.market_share:
            return [*orders, Order(asset, MARKET, lots)]
        reach = self.parameters.reach
        step = math.floor(draws.uniform("zero_intelligence", PRICE) * (2 * reach + 1)) - reach
        price = max(1, int(market.mark[asset]) + step)
        return [*orders, Order(asset, POST_ONLY, lots, price, tag=QUOTE)]

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return 2

    @classmethod
    def decide_all(cls, group: Group, market: Market, draws: StepDraws, orders: Orders) -> None:
        """Decide for all of ``group.rows`` in one kernel."""
        from stresslab.traders.kernels.zero_intelligence import decide_zero_intelligence

        key = draws.streams["zero_intelligence"]
        decide_zero_intelligence(group.rows, group.values, group.sight, draws.step, key, orders)
