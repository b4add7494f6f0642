"""Compiled rule of :class:`stresslab.liquidation.closures.dutch_auction.DutchAuction`."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.core.exact import FLOOR, mul_div
from stresslab.liquidation.closures.kernels.common import (
    add_order,
    is_leg,
    maintenance_of_legs,
)
from stresslab.margin.pools import pool_state
from stresslab.margin.tiers import RATE_UNIT, maintenance_margin


@kernel
def offer_in_auction(accounts, tables, terms, marks, pools, orders):
    """Add an order for every leg of every pool, with the limit of this step."""
    n_assets, n_accounts = accounts.position.shape
    for code in pools:
        pool, n = code // n_accounts, code % n_accounts
        equity, _, _ = pool_state(accounts, tables, marks, pool, n)
        maintenance = maintenance_of_legs(accounts, tables, marks, pool, n)
        elapsed = terms.clock[0] - terms.opened[code]
        discount, beyond = _conceded(terms.numbers, elapsed, equity > 0)
        pot = mul_div(max(equity, 0), discount, RATE_UNIT, FLOOR)
        for a in range(n_assets):
            if is_leg(accounts, pool, n, a):
                held = accounts.position[a, n]
                lot_value = marks[a] * tables.unit_value[a]
                need = maintenance_margin(tables, a, abs(held) * lot_value)
                conceded = mul_div(need, beyond, RATE_UNIT, FLOOR)
                conceded += mul_div(pot, need, max(1, maintenance), FLOOR)
                ticks = conceded // (abs(held) * tables.unit_value[a])
                limit = marks[a] - ticks if held > 0 else marks[a] + ticks
                add_order(accounts, orders, code, n, a, abs(held), max(1, limit))


@kernel
def _conceded(numbers, elapsed, is_solvent):
    """Return the parts of equity, and of maintenance margin beyond it, conceded by now, in 1e-9."""
    first, middle = numbers[0], numbers[1]
    fast, slow, insolvent = numbers[2], numbers[3], numbers[4]
    if not is_solvent:
        return RATE_UNIT, mul_div(RATE_UNIT, min(elapsed, insolvent), insolvent, FLOOR)
    discount = first + mul_div(middle - first, min(elapsed, fast), fast, FLOOR)
    later = max(0, elapsed - fast)
    discount += mul_div(RATE_UNIT - middle, min(later, slow), slow, FLOOR)
    last = max(0, later - slow)
    return discount, mul_div(RATE_UNIT, min(last, insolvent), insolvent, FLOOR)
