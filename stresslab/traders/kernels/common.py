"""What the kernels of all strategies share: sending an order, equity, lots of a notional."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from stresslab.core.columns import Accounts, Market, Orders


@njit(cache=True)
def send(
    orders: Orders,
    row: int,
    asset: int,
    kind: int,
    lots: int,
    price: int,
    reduce_only: int,
    tag: int,
) -> None:
    """Append one order request; the caller has made sure that there is room."""
    place = orders.n[0]
    orders.n[0] = place + 1
    orders.trader[place] = row
    orders.asset[place] = asset
    orders.kind[place] = kind
    orders.lots[place] = lots
    orders.price[place] = price
    orders.reduce_only[place] = reduce_only
    orders.tag[place] = tag


@njit(cache=True)
def equity_of(accounts: Accounts, market: Market, row: int) -> int:
    """Return the equity of the whole account at the last mark, micro-USD."""
    equity = np.int64(0)
    for pool in range(accounts.cash.shape[0]):
        equity += accounts.cash[pool, row]
    for asset in range(accounts.position.shape[0]):
        lots = accounts.position[asset, row]
        if lots != 0:
            equity += lots * market.mark[asset] * market.unit_value[asset]
    return equity


@njit(cache=True)
def lots_of(notional: float, value: int) -> int:
    """Return the whole lots, of ``value`` micro-USD each, that a notional pays for."""
    return np.int64(math.floor(notional / value)) if notional > 0.0 else np.int64(0)


@njit(cache=True)
def traded_asset(trades: np.ndarray, row: int, place: int) -> int:
    """Return the id of the ``place``-th asset that a trader trades."""
    for asset in range(trades.shape[0]):
        if trades[asset, row] == 1:
            if place == 0:
                return asset
            place -= 1
    return -1


@njit(cache=True)
def spread_around(value: float, dispersion: float, trait: float) -> float:
    """Return a group's value as one trader has it, between 1 -/+ dispersion times it."""
    return value * (1.0 + dispersion * (2.0 * trait - 1.0))


@njit(cache=True)
def usable_leverage(leverage: float, initial_rate: float, is_spot: int) -> float:
    """Return the leverage that the venue allows: 1 for spot, else below 1 / initial margin rate."""
    if is_spot == 1:
        return min(leverage, 1.0)
    return min(leverage, 1.0 / initial_rate) if initial_rate > 0.0 else leverage
