"""Fundamental trader: buys dips below the index, sells above it, and rests bids far below."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stresslab.core.columns import CANCEL_ALL, IOC, LIMIT, QUOTE
from stresslab.core.declarations import declared, param
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    import numpy as np

    from stresslab.core.columns import Market, Orders
    from stresslab.core.random import Draws
    from stresslab.traders.group import Group, StepDraws


class Fundamental(Trader):
    """Takes the index for the value: the further the mark strays from it, the more it trades.

    Beyond its threshold it takes what the book offers up to that threshold. A ladder of resting
    orders continues from there: the depth, far from the touch, that forced sales eat.
    """

    opens_books = True

    @declared
    class Parameters:
        threshold: float = param(
            "Gap between mark and index that makes it trade",
            unit="of price",
            default=0.01,
            gt=0,
            lt=0.9,
        )
        order_size: float = param(
            "Size of an order beyond the threshold", unit="of equity", default=0.1, gt=0, le=10
        )
        bid_levels: int = param("Resting bids below the threshold", default=8, ge=0, le=50)
        ask_levels: int = param("Resting offers above it", default=4, ge=0, le=50)
        ladder_spacing: float = param(
            "Distance between the levels of the ladder", unit="of price", default=0.01, gt=0, lt=0.5
        )
        ladder_size: float = param(
            "Size of one level of the ladder", unit="of equity", default=0.05, gt=0, le=10
        )
        dispersion: float = param(
            "Spread of thresholds: a trader's lies between 1 -/+ this times the group's",
            default=0.8,
            ge=0,
            lt=1,
        )

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        orders, equity = [], self.equity
        has_ladder = self.parameters.bid_levels + self.parameters.ask_levels > 0
        for asset in self.assets:
            if has_ladder:
                orders.append(Order(asset, CANCEL_ALL, 0, tag=QUOTE))
            if equity > 0:
                orders += self._orders(asset, equity)
        return orders

    def _orders(self, asset: int, equity: int) -> list[Order]:
        p, market = self.parameters, self.group.market
        index = float(market.index[asset])
        gap = float(market.mark[asset]) / index - 1.0
        threshold = self.spread_around(p.threshold, p.dispersion)
        buying, selling = self._room(asset, equity)
        size = self.lots_for(p.order_size * equity, asset)
        orders = []
        if gap < -threshold and min(size, buying) > 0:
            lots = min(size, buying)
            buying -= lots
            price = max(1, math.floor(index * (1.0 - threshold)))
            orders.append(Order(asset, IOC, lots, price))
        if gap > threshold and min(size, selling) > 0:
            lots = min(size, selling)
            selling -= lots
            orders.append(Order(asset, IOC, -lots, math.ceil(index * (1.0 + threshold))))
        return orders + self._ladder(asset, equity, threshold, buying, selling)

    def _ladder(
        self, asset: int, equity: int, threshold: float, buying: int, selling: int
    ) -> list[Order]:
        p, index = self.parameters, float(self.group.market.index[asset])
        size = self.lots_for(p.ladder_size * equity, asset)
        orders = []
        for level in range(p.bid_levels):
            price = math.floor(index * (1.0 - threshold - level * p.ladder_spacing))
            lots = min(size, buying)
            if price > 0 and lots > 0:
                orders.append(Order(asset, LIMIT, lots, price, tag=QUOTE))
                buying -= lots
        for level in range(p.ask_levels):
            price = math.ceil(index * (1.0 + threshold + level * p.ladder_spacing))
            lots = min(size, selling)
            if lots > 0:
                orders.append(Order(asset, LIMIT, -lots, price, tag=QUOTE))
                selling -= lots
        return orders

    def _room(self, asset: int, equity: int) -> tuple[int, int]:
        """Return the lots it may still buy and sell within its leverage; spot is paid in cash."""
        held = int(self.positions[asset])
        limit = self.lots_for(equity * self.usable_leverage(asset) / len(self.assets), asset)
        if self.group.market.is_spot[asset]:
            return min(limit - held, self.lots_for(self.wallet, asset)), held
        return limit - held, limit + held

    @classmethod
    def largest_position(
        cls, parameters: Any, leverage: np.ndarray, n_assets: np.ndarray
    ) -> np.ndarray:
        return leverage / n_assets

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return n_assets * (2 + int(parameters.bid_levels) + int(parameters.ask_levels))

    @classmethod
    def decide_all(cls, group: Group, market: Market, draws: StepDraws, orders: Orders) -> None:
        """Decide for all of ``group.rows`` in one kernel."""
        from stresslab.traders.kernels.fundamental import decide_fundamental

        decide_fundamental(group.rows, group.values, group.sight, orders)
