"""Compiled rule of :class:`stresslab.traders.strategies.momentum.Momentum`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from stresslab.core.columns import MARKET, VOLUNTARY, Accounts, Market, Orders
from stresslab.traders.kernels.common import (
    equity_of,
    lots_of,
    send,
    spread_around,
    usable_leverage,
)
from stresslab.traders.state import TraderColumns


@njit(cache=True)
def decide_momentum(
    rows: np.ndarray,
    values: Any,
    accounts: Accounts,
    columns: TraderColumns,
    market: Market,
    steps_per_minute: float,
    orders: Orders,
) -> None:
    """Append the orders of the momentum traders in ``rows``."""
    for row in rows:
        equity = equity_of(accounts, market, row)
        if equity <= 0:
            continue
        threshold = spread_around(
            values.threshold_per_minute, values.dispersion, columns.trait[row]
        )
        for asset in range(market.mark.size):
            if columns.trades[asset, row] == 0:
                continue
            per_minute = market.trend[asset] * steps_per_minute
            if abs(per_minute) > threshold:
                direction = 1 if per_minute > 0.0 else -1
            elif abs(per_minute) < values.exit_share * threshold:
                direction = 0
            else:
                continue
            target = _target(accounts, columns, market, row, asset, direction, equity)
            gap = target - accounts.position[asset, row]
            lots = np.int64(math.ceil(values.speed * abs(gap)))
            if lots > 0:
                signed = lots if gap > 0 else -lots
                send(orders, row, asset, MARKET, signed, 0, int(direction == 0), VOLUNTARY)


@njit(cache=True)
def _target(
    accounts: Accounts,
    columns: TraderColumns,
    market: Market,
    row: int,
    asset: int,
    direction: int,
    equity: int,
) -> int:
    value = market.mark[asset] * market.unit_value[asset]
    leverage = usable_leverage(
        columns.leverage[row], market.initial_rate[asset], market.is_spot[asset]
    )
    target = direction * lots_of(equity * leverage / columns.n_traded[row], value)
    if market.is_spot[asset] == 0:
        return target
    affordable = lots_of(np.float64(accounts.wallet[row]), value)
    return max(np.int64(0), min(target, accounts.position[asset, row] + affordable))
