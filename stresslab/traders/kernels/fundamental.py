"""Compiled rule of :class:`stresslab.traders.strategies.fundamental.Fundamental`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stresslab.core.columns import CANCEL_ALL, IOC, LIMIT, QUOTE, VOLUNTARY, Orders
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
def decide_fundamental(rows: np.ndarray, values: Any, sight: Sight, orders: Orders) -> None:
    """Append the orders of the fundamental traders in ``rows``."""
    cash, position, lot_value, trades = sight.cash, sight.position, sight.lot_value, sight.trades
    leverage, trait, n_traded = sight.leverage, sight.trait, sight.n_traded
    index, mark = sight.index, sight.mark
    initial_rate, is_spot = sight.initial_rate, sight.is_spot
    has_ladder = values.bid_levels + values.ask_levels > 0
    for row in rows:
        equity = equity_of(cash, position, lot_value, row)
        threshold = spread_around(values.threshold, values.dispersion, trait[row])
        for asset in range(lot_value.size):
            if trades[asset, row] == 0:
                continue
            if has_ladder:
                send(orders, row, asset, CANCEL_ALL, 0, 0, 0, QUOTE)
            if equity <= 0:
                continue
            held, value, at = position[asset, row], lot_value[asset], np.float64(index[asset])
            usable = usable_leverage(leverage[row], initial_rate[asset], is_spot[asset])
            limit = lots_of(equity * usable / n_traded[row], value)
            buying, selling = limit - held, limit + held
            if is_spot[asset] == 1:
                buying, selling = min(buying, lots_of(np.float64(cash[0, row]), value)), held
            gap = mark[asset] / at - 1.0
            size = lots_of(values.order_size * equity, value)
            if gap < -threshold and min(size, buying) > 0:
                price = max(1, np.int64(math.floor(at * (1.0 - threshold))))
                send(orders, row, asset, IOC, min(size, buying), price, 0, VOLUNTARY)
                buying -= min(size, buying)
            if gap > threshold and min(size, selling) > 0:
                price = np.int64(math.ceil(at * (1.0 + threshold)))
                send(orders, row, asset, IOC, -min(size, selling), price, 0, VOLUNTARY)
                selling -= min(size, selling)
            size, spacing = lots_of(values.ladder_size * equity, value), values.ladder_spacing
            for level in range(values.bid_levels):
                price = np.int64(math.floor(at * (1.0 - threshold - level * spacing)))
                if price > 0 and min(size, buying) > 0:
                    send(orders, row, asset, LIMIT, min(size, buying), price, 0, QUOTE)
                    buying -= min(size, buying)
            for level in range(values.ask_levels):
                price = np.int64(math.ceil(at * (1.0 + threshold + level * spacing)))
                if min(size, selling) > 0:
                    send(orders, row, asset, LIMIT, -min(size, selling), price, 0, QUOTE)
                    selling -= min(size, selling)
