"""Compiled rule of :class:`stresslab.traders.strategies.hedger.Hedger`."""

from __future__ import annotations

from typing import Any

import numpy as np

from stresslab.core.columns import MARKET, VOLUNTARY, Orders
from stresslab.core.compiled import kernel
from stresslab.traders.kernels.common import Sight, lots_of, send
from stresslab.traders.state import NO_LEG


@kernel
def decide_hedger(
    rows: np.ndarray,
    values: Any,
    sight: Sight,
    first_legs: np.ndarray,
    second_legs: np.ndarray,
    orders: Orders,
) -> None:
    """Append the orders of the hedgers in ``rows``."""
    position, lot_value, is_spot = sight.position, sight.lot_value, sight.is_spot
    for row in rows:
        first, second = first_legs[row], second_legs[row]
        if first == NO_LEG:
            continue
        first_exposure = position[first, row] * lot_value[first]
        second_exposure = position[second, row] * lot_value[second]
        gap = first_exposure + second_exposure
        if abs(gap) <= values.tolerance * max(abs(first_exposure), abs(second_exposure)):
            continue
        if is_spot[first] == 1:
            lots = lots_of(np.float64(abs(gap)), lot_value[second])
            if lots > 0:
                send(orders, row, second, MARKET, -lots if gap > 0 else lots, 0, 0, VOLUNTARY)
            continue
        leg = first if abs(first_exposure) > abs(second_exposure) else second
        held = position[leg, row]
        lots = min(abs(held), lots_of(np.float64(abs(gap)), lot_value[leg]))
        if lots > 0:
            send(orders, row, leg, MARKET, -lots if held > 0 else lots, 0, 1, VOLUNTARY)
