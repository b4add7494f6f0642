"""Compiled rule of :class:`stresslab.liquidation.closures.whole.Whole`."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.liquidation.closures.kernels.common import add_order, is_leg


@kernel
def close_whole(accounts, tables, terms, marks, pools, orders):
    """Add an order for every leg of every pool."""
    n_assets, n_accounts = accounts.position.shape
    for code in pools:
        pool, n = code // n_accounts, code % n_accounts
        for a in range(n_assets):
            if is_leg(accounts, pool, n, a):
                add_order(accounts, orders, code, n, a, abs(accounts.position[a, n]), 0)
