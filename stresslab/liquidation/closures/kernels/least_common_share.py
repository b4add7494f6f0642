"""Compiled rule of :class:`stresslab.liquidation.closures.least_common_share.LeastCommonShare`."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.core.exact import CEIL, mul_div
from stresslab.liquidation.closures.kernels.common import add_order, is_leg, is_restored
from stresslab.margin.pools import pool_state
from stresslab.margin.portfolio.book import ALL_LEGS, MAINTENANCE, PERMILLE, book_requirement
from stresslab.margin.tiers import maintenance_margin


@kernel
def close_least_share(accounts, tables, terms, marks, pools, orders):
    """Add orders for all legs of every pool, the least common share that restores it."""
    n_assets, n_accounts = accounts.position.shape
    for code in pools:
        pool, n = code // n_accounts, code % n_accounts
        share = _least_share(accounts, tables, terms, marks, pool, n)
        for a in range(n_assets):
            if is_leg(accounts, pool, n, a):
                lots = mul_div(abs(accounts.position[a, n]), share, PERMILLE, CEIL)
                add_order(accounts, orders, code, n, a, lots, 0)


@kernel
def _least_share(accounts, tables, terms, marks, pool, n):
    """Return the least share in permille that restores a pool; all of it when none does.

    What is missing falls as the share grows: requirement and equity are nearly linear in it.
    """
    equity, _, _ = pool_state(accounts, tables, marks, pool, n)
    low, high = 1, PERMILLE
    while low < high:
        middle = (low + high) // 2
        if _restores(accounts, tables, terms, marks, pool, n, middle, equity):
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def _restores(accounts, tables, terms, marks, pool, n, share, equity):
    by_scenarios = pool == 0 and tables.portfolio.shape[0] > 0
    need, closed = 0, 0
    if by_scenarios:
        need = book_requirement(
            tables, marks, accounts.position, accounts.mode, n, MAINTENANCE, ALL_LEGS, share
        )
    for a in range(marks.size):
        if is_leg(accounts, pool, n, a):
            held = abs(accounts.position[a, n])
            lots = mul_div(held, share, PERMILLE, CEIL)
            price = marks[a] * tables.unit_value[a]
            closed += lots * price
            if tables.is_spot[a] or not by_scenarios:
                need += maintenance_margin(tables, a, (held - lots) * price)
    return is_restored(terms, equity, need, closed)
