"""Compiled rule of :class:`stresslab.traders.strategies.noise.Noise`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stresslab.core.columns import IOC, MARKET, VOLUNTARY, Orders
from stresslab.core.compiled import kernel
from stresslab.core.random import uniform
from stresslab.traders.kernels.common import (
    Sight,
    equity_of,
    lots_of,
    send,
    traded_asset,
    usable_leverage,
)
from stresslab.traders.strategies.noise import ASSET, IS_MARKET, OFFSET, SIDE, SIZE


@kernel
def decide_noise(
    rows: np.ndarray, values: Any, sight: Sight, step: int, key: np.ndarray, orders: Orders
) -> None:
    """Append the orders of the noise traders in ``rows``."""
    cash, position, lot_value, trades = sight.cash, sight.position, sight.lot_value, sight.trades
    ids, n_traded, leverage, mark = sight.id, sight.n_traded, sight.leverage, sight.mark
    initial_rate, is_spot = sight.initial_rate, sight.is_spot
    for row in rows:
        id = ids[row]
        equity = equity_of(cash, position, lot_value, row)
        if n_traded[row] == 0 or equity <= 0:
            continue
        place = np.int64(math.floor(uniform(key, id, step, ASSET) * n_traded[row]))
        asset = traded_asset(trades, row, place)
        side = 1 if uniform(key, id, step, SIDE) < 0.5 else -1
        held, value = position[asset, row], lot_value[asset]
        usable = usable_leverage(leverage[row], initial_rate[asset], is_spot[asset])
        limit = lots_of(equity * usable / n_traded[row], value)
        if side * held >= limit:
            side = -side
        size = 2.0 * uniform(key, id, step, SIZE) * values.order_size * equity
        room = limit - side * held
        if is_spot[asset] == 1:
            affordable = lots_of(np.float64(cash[0, row]), value)
            room = min(room, affordable if side > 0 else held)
        lots = min(lots_of(size, value), room)
        if lots <= 0:
            continue
        if uniform(key, id, step, IS_MARKET) < values.market_share:
            send(orders, row, asset, MARKET, side * lots, 0, 0, VOLUNTARY)
            continue
        offset = values.price_offset * uniform(key, id, step, OFFSET)
        send(orders, row, asset, IOC, side * lots, _limit(mark[asset], side, offset), 0, VOLUNTARY)


@kernel
def _limit(mark: int, side: int, offset: float) -> int:
    if side > 0:
        return np.int64(math.floor(mark * (1.0 + offset)))
    return max(1, np.int64(math.ceil(mark * (1.0 - offset))))
