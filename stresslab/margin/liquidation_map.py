"""The liquidation map: how much notional breaches when one asset's price moves alone."""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS, ISOLATED
from stresslab.margin.pools import is_breached, pool_state
from stresslab.margin.tiers import MarginTables

#: Simple returns at which the map is drawn, in permille, outward from the mark.
FALLS = -np.arange(10, 610, 10)
RISES = np.arange(10, 610, 10)


def liquidation_map(
    accounts: Accounts, tables: MarginTables, marks: np.ndarray, moves: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (notional, pools), each (A, 3 modes, moves): what is in breach by each move.

    ``moves`` are permille of the mark, outward in one direction; notional is that of all positions
    of the pools in breach, at the unmoved marks, micro-USD. Excess margin is concave in one price,
    so a pool that breaches at a move stays in breach beyond it.
    """
    notional, pools = np.zeros((2, marks.size, 3, moves.size), np.int64)
    _add_up(accounts, tables, marks, marks.copy(), moves, notional, pools)
    return notional, pools


@kernel
def _add_up(accounts, tables, marks, moved, moves, notional, pools):
    n_assets, n_accounts = accounts.position.shape
    for a in range(n_assets):
        for n in range(n_accounts):
            mode = accounts.mode[a, n]
            if accounts.position[a, n] == 0 or (mode != CROSS and mode != ISOLATED):
                continue
            pool = 1 + a if mode == ISOLATED else 0
            first = _first_breach(accounts, tables, marks, moved, a, moves, pool, n)
            gross = pool_state(accounts, tables, marks, pool, n)[2]
            for k in range(first, moves.size):
                notional[a, mode, k] += gross
                pools[a, mode, k] += 1


@kernel
def _first_breach(accounts, tables, marks, moved, asset, moves, pool, n):
    """Return the place of the first move in which a pool is in breach, ``moves.size`` if none."""
    low, high = 0, moves.size
    while low < high:
        middle = (low + high) // 2
        moved[asset] = max(1, marks[asset] * (1000 + moves[middle]) // 1000)
        equity, need, _ = pool_state(accounts, tables, moved, pool, n)
        if is_breached(tables, equity, need):
            high = middle
        else:
            low = middle + 1
    moved[asset] = marks[asset]
    return low
