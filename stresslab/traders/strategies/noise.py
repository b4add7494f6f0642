"""Noise trader: trades for reasons that have nothing to do with the market."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stresslab.core.columns import IOC, MARKET
from stresslab.core.declarations import declared, param
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    from stresslab.core.columns import Market, Orders
    from stresslab.core.random import Draws
    from stresslab.traders.group import Group, StepDraws

#: Numbers of the draws in the stream ``noise``.
ASSET, SIDE, SIZE, IS_MARKET, OFFSET = range(5)


class Noise(Trader):
    """Sends one order of random asset, side and size a turn; the flow has mean zero.

    A position beyond the leverage limit turns the side towards zero, which keeps the mean at zero
    because it happens to longs and shorts alike.
    """

    @declared
    class Parameters:
        order_size: float = param(
            "Mean size of an order; sizes are uniform between 0 and twice the mean",
            unit="of equity",
            default=0.05,
            gt=0,
            le=10,
        )
        market_share: float = param(
            "Share of market orders; the others are limit orders that fill at once or vanish",
            default=0.7,
            ge=0,
            le=1,
        )
        price_offset: float = param(
            "Furthest limit beyond the mark that an order accepts",
            unit="of price",
            default=0.002,
            ge=0,
            le=0.5,
        )

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        assets, equity = self.assets, self.equity
        if not assets or equity <= 0:
            return []
        asset = assets[math.floor(draws.uniform("noise", ASSET) * len(assets))]
        side = 1 if draws.uniform("noise", SIDE) < 0.5 else -1
        held = int(self.positions[asset])
        limit = self.lots_for(equity * self.usable_leverage(asset) / len(assets), asset)
        if side * held >= limit:
            side = -side
        size = 2.0 * draws.uniform("noise", SIZE) * self.parameters.order_size * equity
        room = limit - side * held
        if market.is_spot[asset]:
            room = min(room, self.lots_for(self.wallet, asset) if side > 0 else held)
        lots = min(self.lots_for(size, asset), room)
        if lots <= 0:
            return []
        if draws.uniform("noise", IS_MARKET) < self.parameters.market_share:
            return [Order(asset, MARKET, side * lots)]
        offset = self.parameters.price_offset * draws.uniform("noise", OFFSET)
        return [Order(asset, IOC, side * lots, _limit(int(market.mark[asset]), side, offset))]

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return 1

    @classmethod
    def decide_all(cls, group: Group, market: Market, draws: StepDraws, orders: Orders) -> None:
        """Decide for all of ``group.rows`` in one kernel."""
        from stresslab.traders.kernels.noise import decide_noise

        key = draws.streams["noise"]
        decide_noise(group.rows, group.values, group.sight, draws.step, key, orders)


def _limit(mark: int, side: int, offset: float) -> int:
    """Return the worst price accepted, ticks: rounded towards the mark, at least one tick."""
    if side > 0:
        return math.floor(mark * (1.0 + offset))
    return max(1, math.ceil(mark * (1.0 - offset)))
