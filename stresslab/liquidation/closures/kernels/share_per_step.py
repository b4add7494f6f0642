"""Compiled rule of :class:`stresslab.liquidation.closures.share_per_step.SharePerStep`."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.core.exact import FLOOR, mul_div
from stresslab.liquidation.closures.kernels.common import LOWEST, add_order, next_leg
from stresslab.margin.tiers import RATE_UNIT


@kernel
def close_share_per_step(accounts, tables, terms, marks, pools, orders):
    """Add an order for every leg of the pools that had none in this step."""
    share, least, most = terms.numbers[0], terms.numbers[1], terms.numbers[2]
    n_accounts = accounts.position.shape[1]
    for code in pools:
        if terms.acted[code] == terms.clock[0]:
            continue
        terms.acted[code] = terms.clock[0]
        pool, n = code // n_accounts, code % n_accounts
        room = -LOWEST if most < 0 else most
        leg = next_leg(accounts, tables, terms, marks, pool, n, -1)
        while leg >= 0:
            price = marks[leg] * tables.unit_value[leg]
            held = abs(accounts.position[leg, n])
            part = max(min(least, held * price), mul_div(held * price, share, RATE_UNIT, FLOOR))
            lots = min(max(1, part // price), room // price)
            room -= lots * price
            add_order(accounts, orders, code, n, leg, lots, 0)
            leg = next_leg(accounts, tables, terms, marks, pool, n, leg)
