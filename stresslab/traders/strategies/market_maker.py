"""Market maker: quotes both sides, leans against its inventory, withdraws when it gets rough."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stresslab.core.columns import CANCEL_ALL, POST_ONLY, QUOTE
from stresslab.core.declarations import declared, param
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    import numpy as np

    from stresslab.core.columns import Market, Orders
    from stresslab.core.random import Draws
    from stresslab.traders.group import Group, StepDraws


class MarketMaker(Trader):
    """Replaces its quotes each turn: levels on both sides of its fair value, never taking.

    The fair value lies between mark and index. Inventory moves both sides away from the side that
    would add to it, and no quote may lead beyond the inventory limit. All distances widen with
    volatility; beyond a threshold the maker withdraws.

    References
    ----------
    Avellaneda and Stoikov (2008), High-frequency trading in a limit order book, Quantitative
    Finance 8(3), equation 29: the reservation price falls linearly in inventory.
    """

    is_post_only = True
    opens_books = True

    @declared
    class Parameters:
        half_spread: float = param(
            "Distance of the first level from the fair value in calm times",
            unit="of price",
            symbol="δ",
            default=0.0002,
            gt=0,
            lt=0.5,
        )
        level_spacing: float = param(
            "Distance between levels in calm times", unit="of price", default=0.0002, ge=0, lt=0.1
        )
        n_levels: int = param("Levels on each side", default=5, ge=1, le=50)
        quote_size: float = param(
            "Size of the first level", unit="of equity", default=0.02, gt=0, le=10
        )
        size_growth: float = param(
            "Growth of size from level to level; depth of BTC perpetuals grows like distance^1.4 "
            "near the touch",
            unit="of the first size",
            default=0.5,
            ge=0,
            le=10,
        )
        inventory_limit: float = param(
            "Largest position in one asset", unit="x of equity", default=1.0, gt=0, le=50
        )
        inventory_skew: float = param(
            "Shift of both sides at the inventory limit", unit="half spreads", default=1.0, ge=0
        )
        anchor: float = param(
            "Weight of the index in the fair value; the rest is the mark", default=0.5, ge=0, le=1
        )
        widening: float = param(
            "Growth of distances per unit of volatility above normal", default=1.0, ge=0, le=100
        )
        withdraw_at: float = param(
            "Volatility at which the maker withdraws", unit="x of normal", default=8.0, gt=1
        )
        dispersion: float = param(
            "Spread of half spreads: a maker's lies between 1 -/+ this times the group's",
            default=0.5,
            ge=0,
            lt=1,
        )

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        orders, equity = [], self.equity
        for asset in self.assets:
            orders.append(Order(asset, CANCEL_ALL, 0, tag=QUOTE))
            roughness = self._roughness(asset)
            if equity > 0 and roughness <= self.parameters.withdraw_at:
                orders += self._quotes(asset, equity, roughness)
        return orders

    def _roughness(self, asset: int) -> float:
        """Return volatility over normal volatility, at least 1."""
        market = self.group.market
        normal = float(market.normal_volatility[asset])
        return max(1.0, float(market.volatility[asset]) / normal) if normal > 0 else 1.0

    def _quotes(self, asset: int, equity: int, roughness: float) -> list[Order]:
        p, market = self.parameters, self.group.market
        held = int(self.positions[asset])
        limit = self.lots_for(p.inventory_limit * equity, asset)
        wider = 1.0 + p.widening * (roughness - 1.0)
        half = self.spread_around(p.half_spread, p.dispersion) * wider
        inventory = min(1.0, max(-1.0, held / limit)) if limit > 0 else 0.0
        mark = float(market.mark[asset])
        fair = mark + p.anchor * (float(market.index[asset]) - mark)
        centre = fair * (1.0 - p.inventory_skew * half * inventory)
        buying = limit - held
        selling = held if market.is_spot[asset] else limit + held
        orders = []
        for level in range(p.n_levels):
            distance = half + level * p.level_spacing * wider
            size = self.lots_for(p.quote_size * equity * (1.0 + p.size_growth * level), asset)
            bid, ask = self._prices(asset, centre, distance)
            if bid > 0 and min(size, buying) > 0:
                orders.append(Order(asset, POST_ONLY, min(size, buying), bid, tag=QUOTE))
            if min(size, selling) > 0:
                orders.append(Order(asset, POST_ONLY, -min(size, selling), ask, tag=QUOTE))
            buying, selling = buying - size, selling - size
        return orders

    def _prices(self, asset: int, centre: float, distance: float) -> tuple[int, int]:
        """Return bid and ask of a level, kept from crossing the book as it stands."""
        market = self.group.market
        best_bid, best_ask = int(market.best_bid[asset]), int(market.best_ask[asset])
        bid = math.floor(centre * (1.0 - distance))
        ask = max(1, math.ceil(centre * (1.0 + distance)))
        if best_ask > 0:
            bid = min(bid, best_ask - 1)
        if best_bid > 0:
            ask = max(ask, best_bid + 1)
        return bid, ask

    @classmethod
    def largest_position(
        cls, parameters: Any, leverage: np.ndarray, n_assets: np.ndarray
    ) -> np.ndarray:
        return 0.0 * leverage + float(parameters.inventory_limit)

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return n_assets * (1 + 2 * int(parameters.n_levels))

    @classmethod
    def decide_all(cls, group: Group, market: Market, draws: StepDraws, orders: Orders) -> None:
        """Decide for all of ``group.rows`` in one kernel."""
        from stresslab.traders.kernels.market_maker import decide_market_maker

        decide_market_maker(group.rows, group.values, group.sight, orders)
