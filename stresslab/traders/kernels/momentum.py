"""Compiled rule of :class:`stresslab.traders.strategies.momentum.Momentum`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stresslab.core.columns import MARKET, VOLUNTARY, Orders
from stresslab.core.compiled import kernel
from stresslab.traders.kernels.common import (
    Sight,
    equity_of,
    lots_of,
    send,
    spread_around,
    usable_leverage,
)


@kernel
def decide_momentum(
    rows: np.ndarray, values: Any, sight: Sight, steps_per_minute: float, orders: Orders
) -> None:
    """Append the orders of the momentum traders in ``rows``."""
    cash, position, lot_value, trades = sight.cash, sight.position, sight.lot_value, sight.trades
    leverage, trait, n_traded = sight.leverage, sight.trait, sight.n_traded
    trend, initial_rate, is_spot = sight.trend, sight.initial_rate, sight.is_spot
    for row in rows:
        equity = equity_of(cash, position, lot_value, row)
        if equity <= 0:
            continue
        threshold = spread_around(values.threshold_per_minute, values.dispersion, trait[row])
        for asset in range(lot_value.size):
            if trades[asset, row] == 0:
                continue
            per_minute = trend[asset] * steps_per_minute
            if abs(per_minute) > threshold:
                direction = 1 if per_minute > 0.0 else -1
            elif abs(per_minute) < values.exit_share * threshold:
                direction = 0
            else:
                continue
            usable = usable_leverage(leverage[row], initial_rate[asset], is_spot[asset])
            target = direction * lots_of(equity * usable / n_traded[row], lot_value[asset])
            held = position[asset, row]
            if is_spot[asset] == 1:
                affordable = lots_of(np.float64(cash[0, row]), lot_value[asset])
                target = max(0, min(target, held + affordable))
            gap = target - held
            lots = np.int64(math.ceil(values.speed * abs(gap)))
            if lots > 0:
                signed = lots if gap > 0 else -lots
                send(orders, row, asset, MARKET, signed, 0, np.int64(direction == 0), VOLUNTARY)
