"""Compiled rule of :class:`stresslab.liquidation.closures.least_to_restore.LeastToRestore`."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.liquidation.closures.kernels.common import add_order, lots_to_restore, next_leg


@kernel
def close_least(accounts, tables, terms, marks, pools, orders):
    """Add an order for the first leg of every pool: the fewest lots that restore it."""
    n_accounts = accounts.position.shape[1]
    for code in pools:
        pool, n = code // n_accounts, code % n_accounts
        leg = next_leg(accounts, tables, terms, marks, pool, n, -1)
        if leg >= 0:
            lots = lots_to_restore(accounts, tables, terms, marks, pool, n, leg)
            add_order(accounts, orders, code, n, leg, lots, 0)
