"""Compiled rule of the leveraged speculator, and its stops and top-ups before the first step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from stresslab.core.columns import MARKET, VOLUNTARY, Accounts, Market, Orders
from stresslab.core.random import exponential, uniform
from stresslab.traders.kernels.common import equity_of, lots_of, send, usable_leverage
from stresslab.traders.state import NOT_PLANNED, TraderColumns
from stresslab.traders.strategies.leveraged_speculator import ENTRY, EXIT, SIDE, USES, WAIT


@njit(cache=True)
def decide_speculator(
    rows: np.ndarray,
    values: Any,
    accounts: Accounts,
    columns: TraderColumns,
    market: Market,
    step_seconds: float,
    key: np.ndarray,
    orders: Orders,
) -> None:
    """Append the orders of the speculators in ``rows``; plan returns and set stops."""
    step = market.step[0]
    for row in rows:
        id = accounts.id[row]
        equity = equity_of(accounts, market, row)
        for asset in range(market.mark.size):
            if columns.trades[asset, row] == 0 or market.is_spot[asset] == 1:
                continue
            held = accounts.position[asset, row]
            first = USES * asset
            if held != 0:
                if uniform(key, id, step, first + EXIT) < values.exit_probability:
                    send(orders, row, asset, MARKET, -held, 0, 1, VOLUNTARY)
            elif columns.reentry_step[asset, row] == NOT_PLANNED:
                wait = values.reentry_seconds * exponential(key, id, step, first + WAIT)
                steps = 1 + np.int64(math.floor(wait / step_seconds))
                columns.reentry_step[asset, row] = step + steps
                columns.stop_ticks[asset, row] = 0
            elif step >= columns.reentry_step[asset, row]:
                if uniform(key, id, step, first + ENTRY) < values.entry_probability:
                    is_long = uniform(key, id, step, first + SIDE) < values.share_long
                    side = 1 if is_long else -1
                    _open(orders, columns, market, row, asset, equity, side)


@njit(cache=True)
def _open(
    orders: Orders,
    columns: TraderColumns,
    market: Market,
    row: int,
    asset: int,
    equity: int,
    side: int,
) -> None:
    leverage = usable_leverage(
        columns.leverage[row], market.initial_rate[asset], market.is_spot[asset]
    )
    value = market.mark[asset] * market.unit_value[asset]
    lots = lots_of(equity * leverage / columns.n_traded[row], value)
    if lots == 0:
        return
    columns.reentry_step[asset, row] = NOT_PLANNED
    columns.stop_ticks[asset, row] = stop_of(columns, market, row, asset, side)
    send(orders, row, asset, MARKET, side * lots, 0, 0, VOLUNTARY)


@njit(cache=True)
def stop_of(columns: TraderColumns, market: Market, row: int, asset: int, side: int) -> int:
    """Return the mark at which a new position's stop triggers, 0 for a trader without stops."""
    distance = columns.stop_distance[row]
    if distance == 0.0:
        return np.int64(0)
    leverage = usable_leverage(
        columns.leverage[row], market.initial_rate[asset], market.is_spot[asset]
    )
    price = market.mark[asset] * (1.0 - side * distance / leverage)
    return max(np.int64(1), np.int64(math.floor(price)))


@njit(cache=True)
def prepare_speculators(
    rows: np.ndarray,
    values: Any,
    accounts: Accounts,
    columns: TraderColumns,
    market: Market,
    stop_key: np.ndarray,
    topup_key: np.ndarray,
) -> None:
    """Set the columns of stops and top-ups once, before the first step."""
    for row in rows:
        id = accounts.id[row]
        if uniform(stop_key, id, 0, 0) < values.stop_share:
            columns.stop_distance[row] = values.stop_loss
        if uniform(topup_key, id, 0, 0) < values.topup_share:
            columns.topup_probability[row] = values.topup_probability
            columns.topup_fraction[row] = values.topup_fraction
        for asset in range(market.mark.size):
            held = accounts.position[asset, row]
            if held != 0 and market.is_spot[asset] == 0:
                side = 1 if held > 0 else -1
                columns.reentry_step[asset, row] = NOT_PLANNED
                columns.stop_ticks[asset, row] = stop_of(columns, market, row, asset, side)
