"""What the kernels of all strategies share: what they see, sending an order, lots of a notional.

Kernels take arrays out of named tuples before their loops and hand single arrays to helpers: inside
a loop, every tuple passed on costs a reference count of each of its arrays.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stresslab.core.columns import Accounts, Market, Orders
from stresslab.core.compiled import kernel
from stresslab.traders.state import TraderColumns


class Sight(NamedTuple):
    """The columns that rules read, of all that there are: fewer arrays make a call cheaper."""

    id: np.ndarray  # (N,)
    cash: np.ndarray  # (A + 1, N) micro-USD
    position: np.ndarray  # (A, N) lots
    leverage: np.ndarray  # (N,)
    trait: np.ndarray  # (N,)
    trades: np.ndarray  # (A, N) int8
    n_traded: np.ndarray  # (N,)
    lot_value: np.ndarray  # (A,) micro-USD of one lot at the last mark
    index: np.ndarray  # (A,) ticks
    mark: np.ndarray  # (A,) ticks
    best_bid: np.ndarray  # (A,) ticks
    best_ask: np.ndarray  # (A,) ticks
    trend: np.ndarray  # (A,)
    volatility: np.ndarray  # (A,)
    normal_volatility: np.ndarray  # (A,)
    initial_rate: np.ndarray  # (A,)
    is_spot: np.ndarray  # (A,)


def sight_of(
    accounts: Accounts, columns: TraderColumns, market: Market, lot_value: np.ndarray
) -> Sight:
    """Gather what rules read; ``lot_value`` is brought up to date at the start of each step."""
    values = {**market._asdict(), **columns._asdict(), **accounts._asdict()}
    values["lot_value"] = lot_value
    return Sight(*(values[name] for name in Sight._fields))


@kernel
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


@kernel
def equity_of(cash: np.ndarray, position: np.ndarray, lot_value: np.ndarray, row: int) -> int:
    """Return the equity of the whole account at the last mark, micro-USD."""
    equity = cash[0, row]
    for asset in range(lot_value.size):
        equity += cash[asset + 1, row] + position[asset, row] * lot_value[asset]
    return equity


@kernel
def lots_of(notional: float, value: int) -> int:
    """Return the whole lots, of ``value`` micro-USD each, that a notional pays for."""
    return np.int64(math.floor(notional / value)) if notional > 0.0 else np.int64(0)


@kernel
def spread_around(value: float, dispersion: float, trait: float) -> float:
    """Return a group's value as one trader has it, between 1 -/+ dispersion times it."""
    return value * (1.0 + dispersion * (2.0 * trait - 1.0))


@kernel
def usable_leverage(leverage: float, initial_rate: float, is_spot: int) -> float:
    """Return the leverage that the venue allows: 1 for spot, else below 1 / initial margin rate."""
    if is_spot == 1:
        return min(leverage, 1.0)
    return min(leverage, 1.0 / initial_rate) if initial_rate > 0.0 else leverage


@kernel
def traded_asset(trades: np.ndarray, row: int, place: int) -> int:
    """Return the id of the ``place``-th asset that a trader trades."""
    for asset in range(trades.shape[0]):
        if trades[asset, row] == 1:
            if place == 0:
                return asset
            place -= 1
    return -1
