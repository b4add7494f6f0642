"""Compiled rule of :class:`stresslab.traders.strategies.market_maker.MarketMaker`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from stresslab.core.columns import CANCEL_ALL, POST_ONLY, QUOTE, Accounts, Market, Orders
from stresslab.traders.kernels.common import equity_of, lots_of, send, spread_around
from stresslab.traders.state import TraderColumns


@njit(cache=True)
def decide_market_maker(
    rows: np.ndarray,
    values: Any,
    accounts: Accounts,
    columns: TraderColumns,
    market: Market,
    orders: Orders,
) -> None:
    """Append the orders of the market makers in ``rows``."""
    for row in rows:
        equity = equity_of(accounts, market, row)
        half_spread = spread_around(values.half_spread, values.dispersion, columns.trait[row])
        for asset in range(market.mark.size):
            if columns.trades[asset, row] == 0:
                continue
            send(orders, row, asset, CANCEL_ALL, 0, 0, 0, QUOTE)
            normal = market.normal_volatility[asset]
            roughness = max(1.0, market.volatility[asset] / normal) if normal > 0.0 else 1.0
            if equity > 0 and roughness <= values.withdraw_at:
                wider = 1.0 + values.widening * (roughness - 1.0)
                held = accounts.position[asset, row]
                _quote(orders, row, asset, values, market, held, equity, half_spread, wider)


@njit(cache=True)
def _quote(
    orders: Orders,
    row: int,
    asset: int,
    values: Any,
    market: Market,
    held: int,
    equity: int,
    half_spread: float,
    wider: float,
) -> None:
    value = market.mark[asset] * market.unit_value[asset]
    limit = lots_of(values.inventory_limit * equity, value)
    half = half_spread * wider
    inventory = min(1.0, max(-1.0, held / limit)) if limit > 0 else 0.0
    mark = np.float64(market.mark[asset])
    fair = mark + values.anchor * (np.float64(market.index[asset]) - mark)
    centre = fair * (1.0 - values.inventory_skew * half * inventory)
    buying = limit - held
    selling = held if market.is_spot[asset] == 1 else limit + held
    best_bid, best_ask = market.best_bid[asset], market.best_ask[asset]
    for level in range(values.n_levels):
        distance = half + level * values.level_spacing * wider
        size = lots_of(values.quote_size * equity * (1.0 + values.size_growth * level), value)
        bid = np.int64(math.floor(centre * (1.0 - distance)))
        ask = max(np.int64(1), np.int64(math.ceil(centre * (1.0 + distance))))
        if best_ask > 0:
            bid = min(bid, best_ask - 1)
        if best_bid > 0:
            ask = max(ask, best_bid + 1)
        if bid > 0 and min(size, buying) > 0:
            send(orders, row, asset, POST_ONLY, min(size, buying), bid, 0, QUOTE)
        if min(size, selling) > 0:
            send(orders, row, asset, POST_ONLY, -min(size, selling), ask, 0, QUOTE)
        buying -= size
        selling -= size
