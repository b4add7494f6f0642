"""Compiled rule of :class:`stresslab.liquidation.closures.tier_step_down.TierStepDown`."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.liquidation.closures.kernels.common import add_order, next_leg
from stresslab.margin.tiers import RATE_UNIT, bracket_of


@kernel
def close_to_lower_bracket(accounts, tables, terms, marks, pools, orders):
    """Add an order for the first leg of every pool: down by brackets, or whole if too few."""
    n_accounts = accounts.position.shape[1]
    for code in pools:
        pool, n = code // n_accounts, code % n_accounts
        leg = next_leg(accounts, tables, terms, marks, pool, n, -1)
        if leg < 0:
            continue
        lots = abs(accounts.position[leg, n])
        price = marks[leg] * tables.unit_value[leg]
        lower = bracket_of(tables, leg, lots * price) - terms.numbers[0]
        if lower >= 0:
            lots -= tables.floor[leg, lower + 1] // price  # a bracket holds its upper end
        add_order(accounts, orders, code, n, leg, lots, 0)
        if lower < 0 and terms.numbers[1]:
            orders.keep[orders.n[0] - 1] = RATE_UNIT
