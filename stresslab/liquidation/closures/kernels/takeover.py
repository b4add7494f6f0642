"""Compiled rule of :class:`stresslab.liquidation.closures.takeover.Takeover`."""

from __future__ import annotations

from stresslab.core.compiled import kernel
from stresslab.liquidation.closures.kernels.whole import close_whole


@kernel
def close_for_the_fund(accounts, tables, terms, marks, pools, orders):
    """Add an order for every leg of every pool, taken over by the fund."""
    first = orders.n[0]
    close_whole(accounts, tables, terms, marks, pools, orders)
    for row in range(first, orders.n[0]):
        orders.keep[row] = terms.numbers[0]
