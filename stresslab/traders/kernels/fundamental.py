"""Compiled rule of :class:`stresslab.traders.strategies.fundamental.Fundamental`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from stresslab.core.columns import (
    CANCEL_ALL,
    IOC,
    LIMIT,
    QUOTE,
    VOLUNTARY,
    Accounts,
    Market,
    Orders,
)
from stresslab.traders.kernels.common import (
    equity_of,
    lots_of,
    send,
    spread_around,
    usable_leverage,
)
from stresslab.traders.state import TraderColumns


@njit(cache=True)
def decide_fundamental(
    rows: np.ndarray,
    values: Any,
    accounts: Accounts,
    columns: TraderColumns,
    market: Market,
    orders: Orders,
) -> None:
    """Append the orders of the fundamental traders in ``rows``."""
    for row in rows:
        equity = equity_of(accounts, market, row)
        threshold = spread_around(values.threshold, values.dispersion, columns.trait[row])
        for asset in range(market.mark.size):
            if columns.trades[asset, row] == 0:
                continue
            if values.bid_levels + values.ask_levels > 0:
                send(orders, row, asset, CANCEL_ALL, 0, 0, 0, QUOTE)
            if equity <= 0:
                continue
            buying, selling = _room(accounts, columns, market, row, asset, equity)
            buying, selling = _take(
                orders, row, asset, values, market, equity, threshold, buying, selling
            )
            _ladder(orders, row, asset, values, market, equity, threshold, buying, selling)


@njit(cache=True)
def _room(
    accounts: Accounts, columns: TraderColumns, market: Market, row: int, asset: int, equity: int
) -> tuple[int, int]:
    value = market.mark[asset] * market.unit_value[asset]
    held = accounts.position[asset, row]
    leverage = usable_leverage(
        columns.leverage[row], market.initial_rate[asset], market.is_spot[asset]
    )
    limit = lots_of(equity * leverage / columns.n_traded[row], value)
    if market.is_spot[asset] == 1:
        return min(limit - held, lots_of(np.float64(accounts.wallet[row]), value)), held
    return limit - held, limit + held


@njit(cache=True)
def _take(
    orders: Orders,
    row: int,
    asset: int,
    values: Any,
    market: Market,
    equity: int,
    threshold: float,
    buying: int,
    selling: int,
) -> tuple[int, int]:
    """Send the order beyond the threshold; return the lots still free to buy and to sell."""
    index = np.float64(market.index[asset])
    gap = market.mark[asset] / index - 1.0
    size = lots_of(values.order_size * equity, market.mark[asset] * market.unit_value[asset])
    if gap < -threshold and min(size, buying) > 0:
        lots = min(size, buying)
        buying -= lots
        price = max(np.int64(1), np.int64(math.floor(index * (1.0 - threshold))))
        send(orders, row, asset, IOC, lots, price, 0, VOLUNTARY)
    if gap > threshold and min(size, selling) > 0:
        lots = min(size, selling)
        selling -= lots
        price = np.int64(math.ceil(index * (1.0 + threshold)))
        send(orders, row, asset, IOC, -lots, price, 0, VOLUNTARY)
    return buying, selling


@njit(cache=True)
def _ladder(
    orders: Orders,
    row: int,
    asset: int,
    values: Any,
    market: Market,
    equity: int,
    threshold: float,
    buying: int,
    selling: int,
) -> None:
    index = np.float64(market.index[asset])
    size = lots_of(values.ladder_size * equity, market.mark[asset] * market.unit_value[asset])
    for level in range(values.bid_levels):
        price = np.int64(math.floor(index * (1.0 - threshold - level * values.ladder_spacing)))
        lots = min(size, buying)
        if price > 0 and lots > 0:
            send(orders, row, asset, LIMIT, lots, price, 0, QUOTE)
            buying -= lots
    for level in range(values.ask_levels):
        price = np.int64(math.ceil(index * (1.0 + threshold + level * values.ladder_spacing)))
        lots = min(size, selling)
        if lots > 0:
            send(orders, row, asset, LIMIT, -lots, price, 0, QUOTE)
            selling -= lots
