"""Leveraged speculator: holds leveraged positions, may set stops and may top up margin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stresslab.core.columns import MARKET
from stresslab.core.declarations import declared, param
from stresslab.traders.state import NOT_PLANNED
from stresslab.traders.trader import Order, Trader

if TYPE_CHECKING:
    import numpy as np

    from stresslab.core.columns import Market, Orders
    from stresslab.core.random import Draws
    from stresslab.traders.group import Group, StepDraws

#: Draw numbers in the stream ``speculator`` are ``use + 4 * asset``.
EXIT, WAIT, ENTRY, SIDE = range(4)
USES = 4


class LeveragedSpeculator(Trader):
    """Keeps a position at its own leverage in each perpetual it trades, spot never.

    A trader who finds itself flat (closed, stopped or liquidated) waits before it comes back. Stop
    orders are set when the position opens; the venue closes the position when a price crosses them.
    """

    @declared
    class Parameters:
        share_long: float = param("Share of new positions that are long", default=0.5, ge=0, le=1)
        entry_probability: float = param(
            "Chance that a flat trader opens a position in its turn", default=0.2, ge=0, le=1
        )
        exit_probability: float = param(
            "Chance that a holder closes its position in its turn", default=0.01, ge=0, le=1
        )
        reentry_seconds: float = param(
            "Mean waiting time of a trader who finds itself flat",
            unit="s",
            default=428.0,
            ge=0,
            source="Hyperliquid fills of 10 October 2025: median time to the next ordinary fill of "
            "a deleveraged trader 297 s; exponential mean 297 s / log 2",
        )
        stop_share: float = param("Share of traders who set stops", default=0.3, ge=0, le=1)
        stop_loss: float = param(
            "Part of a position's margin lost when its stop triggers", default=0.5, gt=0, lt=1
        )
        take_profit_share: float = param(
            "Share of traders who set take-profits", default=0.0, ge=0, le=1
        )
        take_profit: float = param(
            "Gain at which a take-profit triggers, as a part of a position's margin",
            default=1.0,
            gt=0,
            le=100,
        )
        topup_share: float = param(
            "Share of traders who answer margin calls of isolated positions",
            default=0.3,
            ge=0,
            le=1,
        )
        topup_probability: float = param(
            "Chance that such a trader answers a margin call", default=0.5, ge=0, le=1
        )
        topup_fraction: float = param(
            "Part of the free wallet cash then moved into the position", default=0.5, ge=0, le=1
        )

        cut_share: float = param(
            "Share of traders who cut positions after margin calls", default=0.0, ge=0, le=1
        )
        cut_probability: float = param(
            "Chance that such a trader cuts its positions after a margin call",
            default=0.5,
            ge=0,
            le=1,
        )
        cut_fraction: float = param(
            "Part of each position of the pool then closed", default=0.5, gt=0, le=1
        )

    def decide(self, market: Market, draws: Draws) -> list[Order]:
        orders, equity = [], self.equity
        for asset in self.assets:
            if market.is_spot[asset]:
                continue
            if self.positions[asset] != 0:
                orders += self._maybe_close(asset, draws)
            elif self.columns.reentry_step[asset, self.row] == NOT_PLANNED:
                self._plan_return(asset, market, draws)
            elif self._opens(asset, market, draws):
                orders += self._open(asset, equity, draws)
        return orders

    def _maybe_close(self, asset: int, draws: Draws) -> list[Order]:
        if draws.uniform("speculator", EXIT + USES * asset) >= self.parameters.exit_probability:
            return []
        return [Order(asset, MARKET, -int(self.positions[asset]), reduce_only=1)]

    def _plan_return(self, asset: int, market: Market, draws: Draws) -> None:
        wait = self.parameters.reentry_seconds * draws.exponential(
            "speculator", WAIT + USES * asset
        )
        steps = 1 + math.floor(wait / self.group.step_seconds)
        self.columns.reentry_step[asset, self.row] = int(market.step[0]) + steps
        self.columns.stop_ticks[asset, self.row] = 0
        self.columns.take_profit_ticks[asset, self.row] = 0

    def _opens(self, asset: int, market: Market, draws: Draws) -> bool:
        if market.step[0] < self.columns.reentry_step[asset, self.row]:
            return False
        return draws.uniform("speculator", ENTRY + USES * asset) < self.parameters.entry_probability

    def _open(self, asset: int, equity: int, draws: Draws) -> list[Order]:
        notional = equity * self.usable_leverage(asset) / len(self.assets)
        lots = self.lots_for(notional, asset)
        if lots == 0:
            return []
        is_long = draws.uniform("speculator", SIDE + USES * asset) < self.parameters.share_long
        side = 1 if is_long else -1
        self.columns.reentry_step[asset, self.row] = NOT_PLANNED
        columns = self.columns
        columns.stop_ticks[asset, self.row] = self._stop(asset, side, columns.stop_distance)
        columns.take_profit_ticks[asset, self.row] = self._stop(
            asset, -side, columns.take_profit_distance
        )
        return [Order(asset, MARKET, side * lots)]

    def _stop(self, asset: int, side: int, distances: np.ndarray) -> int:
        """Return the price at which a part of the margin is lost on that side, 0 for no stop."""
        distance = float(distances[self.row])
        if distance == 0:
            return 0
        mark = float(self.group.market.mark[asset])
        return max(1, math.floor(mark * (1.0 - side * distance / self.usable_leverage(asset))))

    @classmethod
    def orders_per_turn(cls, parameters: Any, n_assets: int) -> int:
        return n_assets

    @classmethod
    def prepare(cls, group: Group, market: Market, draws: StepDraws) -> None:
        """Choose who sets stops and who tops up, and set the stops of the first positions."""
        from stresslab.traders.kernels.leveraged_speculator import Memory, prepare_speculators

        group.memory = Memory(*(getattr(group.columns, name) for name in Memory._fields))
        habits = ("stop", "topup_habit", "take_profit_habit", "cut_habit")
        keys = (draws.streams[name] for name in habits)
        prepare_speculators(group.members, group.values, group.sight, group.memory, *keys)

    @classmethod
    def decide_all(cls, group: Group, market: Market, draws: StepDraws, orders: Orders) -> None:
        """Decide for all of ``group.rows`` in one kernel."""
        from stresslab.traders.kernels.leveraged_speculator import decide_speculator

        decide_speculator(
            group.rows,
            group.values,
            group.sight,
            group.memory,
            draws.step,
            group.step_seconds,
            draws.streams["speculator"],
            orders,
        )
