"""Compiled rule of :class:`stresslab.traders.strategies.noise.Noise`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from stresslab.core.columns import IOC, MARKET, VOLUNTARY, Accounts, Market, Orders
from stresslab.core.random import uniform
from stresslab.traders.kernels.common import (
    equity_of,
    lots_of,
    send,
    traded_asset,
    usable_leverage,
)
from stresslab.traders.state import TraderColumns
from stresslab.traders.strategies.noise import ASSET, IS_MARKET, OFFSET, SIDE, SIZE


@njit(cache=True)
def decide_noise(
    rows: np.ndarray,
    values: Any,
    accounts: Accounts,
    columns: TraderColumns,
    market: Market,
    key: np.ndarray,
    orders: Orders,
) -> None:
    """Append the orders of the noise traders in ``rows``."""
    step = market.step[0]
    for row in rows:
        id, n_traded = accounts.id[row], columns.n_traded[row]
        equity = equity_of(accounts, market, row)
        if n_traded == 0 or equity <= 0:
            continue
        place = np.int64(math.floor(uniform(key, id, step, ASSET) * n_traded))
        asset = traded_asset(columns.trades, row, place)
        side = 1 if uniform(key, id, step, SIDE) < 0.5 else -1
        held = accounts.position[asset, row]
        value = market.mark[asset] * market.unit_value[asset]
        leverage = usable_leverage(
            columns.leverage[row], market.initial_rate[asset], market.is_spot[asset]
        )
        limit = lots_of(equity * leverage / n_traded, value)
        if side * held >= limit:
            side = -side
        size = 2.0 * uniform(key, id, step, SIZE) * values.order_size * equity
        room = limit - side * held
        if market.is_spot[asset] == 1:
            affordable = lots_of(np.float64(accounts.wallet[row]), value)
            room = min(room, affordable if side > 0 else held)
        lots = min(lots_of(size, value), room)
        if lots <= 0:
            continue
        if uniform(key, id, step, IS_MARKET) < values.market_share:
            send(orders, row, asset, MARKET, side * lots, 0, 0, VOLUNTARY)
            continue
        offset = values.price_offset * uniform(key, id, step, OFFSET)
        price = _limit(market.mark[asset], side, offset)
        send(orders, row, asset, IOC, side * lots, price, 0, VOLUNTARY)


@njit(cache=True)
def _limit(mark: int, side: int, offset: float) -> int:
    if side > 0:
        return np.int64(math.floor(mark * (1.0 + offset)))
    return max(np.int64(1), np.int64(math.ceil(mark * (1.0 - offset))))
