"""Compiled rule of :class:`stresslab.liquidation.closures.rate_limited.RateLimited`."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.liquidation.closures.kernels.common import add_order, is_leg


@kernel
def close_within_window(accounts, tables, terms, marks, pools, orders):
    """Add orders for all legs, most urgent pool first, while their markets have room.

    What is ordered counts at once; what finds no counterparty is given back after the round.
    """
    n_assets, n_accounts = accounts.position.shape
    slots = terms.used.shape[1]
    clock = terms.clock[0]
    now = clock % slots
    if terms.used_at[now] != clock:
        terms.used_at[now] = clock
        for a in range(n_assets):
            terms.used[a, now] = 0
    for code in pools:
        pool, n = code // n_accounts, code % n_accounts
        for a in range(n_assets):
            if is_leg(accounts, pool, n, a):
                price = marks[a] * tables.unit_value[a]
                room = max(0, terms.numbers[0] - _used(terms, a, clock))
                lots = min(abs(accounts.position[a, n]), room // price)
                terms.used[a, now] += lots * price
                add_order(accounts, orders, code, n, a, lots, 0)


@kernel
def _used(terms, asset, clock):
    """Return the notional that a market took in the window that ends now."""
    total = 0
    for slot in range(terms.used_at.size):
        if clock - terms.used_at[slot] < terms.used_at.size:
            total += terms.used[asset, slot]
    return total
