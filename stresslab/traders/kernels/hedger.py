"""Compiled rule of :class:`stresslab.traders.strategies.hedger.Hedger`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from stresslab.core.columns import MARKET, VOLUNTARY, Accounts, Market, Orders
from stresslab.traders.kernels.common import lots_of, send
from stresslab.traders.state import NO_LEG, TraderColumns


@njit(cache=True)
def decide_hedger(
    rows: np.ndarray,
    values: Any,
    accounts: Accounts,
    columns: TraderColumns,
    market: Market,
    orders: Orders,
) -> None:
    """Append the orders of the hedgers in ``rows``."""
    for row in rows:
        first, second = columns.first_leg[row], columns.second_leg[row]
        if first == NO_LEG:
            continue
        first_value = market.mark[first] * market.unit_value[first]
        second_value = market.mark[second] * market.unit_value[second]
        first_exposure = accounts.position[first, row] * first_value
        second_exposure = accounts.position[second, row] * second_value
        gap = first_exposure + second_exposure
        if abs(gap) <= values.tolerance * max(abs(first_exposure), abs(second_exposure)):
            continue
        if market.is_spot[first] == 1:
            lots = lots_of(np.float64(abs(gap)), second_value)
            if lots > 0:
                send(orders, row, second, MARKET, -lots if gap > 0 else lots, 0, 0, VOLUNTARY)
            continue
        is_first = abs(first_exposure) > abs(second_exposure)
        leg, value = (first, first_value) if is_first else (second, second_value)
        held = accounts.position[leg, row]
        lots = min(abs(held), lots_of(np.float64(abs(gap)), value))
        if lots > 0:
            send(orders, row, leg, MARKET, -lots if held > 0 else lots, 0, 1, VOLUNTARY)
