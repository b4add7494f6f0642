"""Compiled rule of :class:`stresslab.liquidation.closures.share_then_whole.ShareThenWhole`."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.core.exact import CEIL, mul_div
from stresslab.liquidation.closures.kernels.common import add_order, is_leg
from stresslab.margin.pools import pool_state
from stresslab.margin.tiers import RATE_UNIT


@kernel
def close_share_then_whole(accounts, tables, terms, marks, pools, orders):
    """Add an order for every leg: a share of large ones, unless their account cools down.

    ``terms.acted`` is kept by account, since the cool-down is that of the account.
    """
    share, above = terms.numbers[0], terms.numbers[1]
    cooldown, waits = terms.numbers[2], terms.numbers[3]
    n_assets, n_accounts = accounts.position.shape
    clock, first = terms.clock[0], orders.n[0]
    for code in pools:
        pool, n = code // n_accounts, code % n_accounts
        cools_down = clock - terms.acted[n] < cooldown
        if _needs_backstop(accounts, tables, marks, pool, n, terms.numbers[4]):
            for a in range(n_assets):
                if is_leg(accounts, pool, n, a):
                    add_order(accounts, orders, code, n, a, abs(accounts.position[a, n]), 0)
                    orders.keep[orders.n[0] - 1] = RATE_UNIT
            continue
        if cools_down and waits:
            continue
        for a in range(n_assets):
            if is_leg(accounts, pool, n, a):
                lots = abs(accounts.position[a, n])
                if not cools_down and lots * marks[a] * tables.unit_value[a] > above:
                    lots = mul_div(lots, share, RATE_UNIT, CEIL)
                add_order(accounts, orders, code, n, a, lots, 0)
    for row in range(first, orders.n[0]):  # afterwards: pools of a round do not see each other
        n = orders.account[row]
        if abs(orders.lots[row]) < abs(accounts.position[orders.asset[row], n]):
            terms.acted[n] = clock


@kernel
def _needs_backstop(accounts, tables, marks, pool, n, share):
    """Tell whether equity is below a share of maintenance margin."""
    if share == 0:
        return False
    equity, maintenance, _ = pool_state(accounts, tables, marks, pool, n)
    return equity < mul_div(maintenance, share, RATE_UNIT, CEIL)
