"""Momentum trader: follows the trend of the mark."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stresslab.core.columns import MARKET
from stresslab.core.declarations import declared, param
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    from stresslab.core.columns import Market, Orders
    from stresslab.core.random import Draws
    from stresslab.traders.group import Group, StepDraws


class Momentum(Trader):
    """Goes with a trend above its threshold, gets out when the trend has faded.

    Each turn it closes part of the gap between the position held and the one wanted.
    """

    @declared
    class Parameters:
        threshold_per_minute: float = param(
            "Trend that opens a position", unit="return a minute", default=0.004, gt=0, le=1
        )
        exit_share: float = param(
            "Share of the threshold below which the position is closed", default=0.25, ge=0, le=1
        )
        speed: float = param(
            "Part of the gap to the wanted position closed in one turn", default=0.5, gt=0, le=1
        )
        dispersion: float = param(
            "Spread of thresholds: a trader's lies between 1 -/+ this times the group's",
            default=0.5,
            ge=0,
            lt=1,
        )

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        equity = self.equity
        if equity <= 0:
            return []
        orders = []
        for asset in self.assets:
            direction = self._direction(float(market.trend[asset]))
            if direction is None:
                continue
            gap = self._target(asset, direction, equity) - int(self.positions[asset])
            lots = math.ceil(self.parameters.speed * abs(gap))
            if lots > 0:
                orders.append(
                    Order(asset, MARKET, lots if gap > 0 else -lots, reduce_only=int(not direction))
                )
        return orders

    def _direction(self, trend: float) -> int | None:
        """Return 1 or -1 to follow the trend, 0 to get out, None to stay as it is."""
        p = self.parameters
        per_minute = trend * (60.0 / self.group.step_seconds)
        threshold = self.spread_around(p.threshold_per_minute, p.dispersion)
        if abs(per_minute) > threshold:
            return 1 if per_minute > 0 else -1
        return 0 if abs(per_minute) < p.exit_share * threshold else None

    def _target(self, asset: int, direction: int, equity: int) -> int:
        """Return the lots wanted; spot can only be held, and only for what the wallet pays."""
        notional = equity * self.usable_leverage(asset) / len(self.assets)
        target = direction * self.lots_for(notional, asset)
        if not self.group.market.is_spot[asset]:
            return target
        held = int(self.positions[asset])
        return max(0, min(target, held + self.lots_for(self.wallet, asset)))

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return n_assets

    @classmethod
    def decide_all(cls, group: Group, market: Market, draws: StepDraws, orders: Orders) -> None:
        """Decide for all of ``group.rows`` in one kernel."""
        from stresslab.traders.kernels.momentum import decide_momentum

        per_minute = 60.0 / group.step_seconds
        decide_momentum(group.rows, group.values, group.sight, per_minute, orders)
