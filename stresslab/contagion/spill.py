"""Which forced orders spilled from shocked assets into others, and by which road."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.contagion.columns import Tables, is_in
from stresslab.contagion.forced import Forced


class Spill(NamedTuple):
    """Forced orders filled in assets that no shock named, from the first shock on; (n_orders,)."""

    same: np.ndarray  # of accounts that held a shocked asset before the first step
    other: np.ndarray  # of accounts that held none


def spill(tables: Tables, orders: Forced, is_shocked: np.ndarray, holders: np.ndarray) -> Spill:
    """Tell the two roads apart; ``holders`` are the accounts that held a shocked asset."""
    since = tables["shocks"]["first_step"].min(initial=np.iinfo(np.int32).max)
    is_after = (orders.step >= since) & (orders.notional > 0)
    is_spill = is_after & ~is_shocked[orders.asset]
    is_holder = is_in(orders.account, holders)
    return Spill(is_spill & is_holder, is_spill & ~is_holder)
