"""Compiled rule of :class:`stresslab.liquidation.closures.common_share.CommonShare`."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.core.exact import CEIL, mul_div
from stresslab.liquidation.closures.kernels.common import add_order, is_leg, is_restored
from stresslab.margin.pools import pool_state
from stresslab.margin.tiers import RATE_UNIT, maintenance_margin


@kernel
def close_common_share(accounts, tables, terms, marks, pools, orders):
    """Add an order for every leg of every pool: the least common share that restores it."""
    n_assets, n_accounts = accounts.position.shape
    for code in pools:
        pool, n = code // n_accounts, code % n_accounts
        share = _least_share(accounts, tables, terms, marks, pool, n)
        for a in range(n_assets):
            if is_leg(accounts, pool, n, a):
                lots = mul_div(abs(accounts.position[a, n]), share, RATE_UNIT, CEIL)
                add_order(accounts, orders, code, n, a, lots, 0)


@kernel
def _least_share(accounts, tables, terms, marks, pool, n):
    share = min(terms.numbers[0], RATE_UNIT)
    while share < RATE_UNIT and not _restores(accounts, tables, terms, marks, pool, n, share):
        share = min(share + terms.numbers[0], RATE_UNIT)
    return share


@kernel
def _restores(accounts, tables, terms, marks, pool, n, share):
    equity, _, _ = pool_state(accounts, tables, marks, pool, n)
    maintenance, closed = 0, 0
    for a in range(accounts.position.shape[0]):
        if is_leg(accounts, pool, n, a):
            price = marks[a] * tables.unit_value[a]
            held = abs(accounts.position[a, n])
            lots = mul_div(held, share, RATE_UNIT, CEIL)
            closed += lots * price
            maintenance += maintenance_margin(tables, a, (held - lots) * price)
    return is_restored(terms, equity, maintenance, closed)
