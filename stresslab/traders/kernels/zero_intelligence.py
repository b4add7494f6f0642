"""Compiled rule of :class:`stresslab.traders.strategies.zero_intelligence.ZeroIntelligence`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stresslab.core.columns import CANCEL_ALL, MARKET, POST_ONLY, QUOTE, VOLUNTARY, Orders
from stresslab.core.compiled import kernel
from stresslab.core.random import uniform
from stresslab.traders.kernels.common import Sight, send, traded_asset
from stresslab.traders.strategies.zero_intelligence import ASSET, IS_MARKET, PRICE, SIDE


@kernel
def decide_zero_intelligence(
    rows: np.ndarray, values: Any, sight: Sight, step: int, key: np.ndarray, orders: Orders
) -> None:
    """Append the orders of the traders in ``rows``."""
    ids, trades, n_traded = sight.id, sight.trades, sight.n_traded
    position, mark, is_spot = sight.position, sight.mark, sight.is_spot
    for row in rows:
        id = ids[row]
        if n_traded[row] == 0:
            continue
        place = np.int64(math.floor(uniform(key, id, step, ASSET) * n_traded[row]))
        asset = traded_asset(trades, row, place)
        send(orders, row, asset, CANCEL_ALL, 0, 0, 0, QUOTE)
        lots = values.lots if uniform(key, id, step, SIDE) < 0.5 else -values.lots
        if is_spot[asset] == 1:
            lots = max(lots, -position[asset, row])
        if lots == 0:
            continue
        if uniform(key, id, step, IS_MARKET) < values.market_share:
            send(orders, row, asset, MARKET, lots, 0, 0, VOLUNTARY)
            continue
        width = 2 * values.reach + 1
        away = np.int64(math.floor(uniform(key, id, step, PRICE) * width)) - values.reach
        send(orders, row, asset, POST_ONLY, lots, max(1, mark[asset] + away), 0, QUOTE)
