"""What the rules of closure share: which legs a pool has, their ranking, and new orders.

``terms`` is :class:`stresslab.liquidation.closing.Terms`, ``pool`` 0 the wallet or ``1 + a``.
"""

from __future__ import annotations

from stresslab.core.compiled import kernel, merged
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.exact import CEIL, FLOOR, mul_div
from stresslab.liquidation.closures.legs import LARGEST_LOSS, LARGEST_NOTIONAL, MOST_LIQUID
from stresslab.margin.pools import pool_state, position_value
from stresslab.margin.tiers import RATE_UNIT, maintenance_margin

LOWEST = -(2**62)


@merged
def is_leg(accounts, pool, n, asset):
    """Tell whether an open position belongs to a pool."""
    if accounts.position[asset, n] == 0:
        return False
    if pool == 0:
        return accounts.mode[asset, n] == CROSS
    return pool == 1 + asset and accounts.mode[asset, n] == ISOLATED


@kernel
def add_order(accounts, orders, code, n, asset, lots, limit):
    """Add the order that closes ``lots`` (no sign) of a position; ``limit`` 0 is at market."""
    if lots == 0:
        return
    row = orders.n[0]
    orders.n[0] = row + 1
    orders.pool[row] = code
    orders.account[row] = n
    orders.asset[row] = asset
    orders.lots[row] = -lots if accounts.position[asset, n] > 0 else lots
    orders.limit[row] = limit
    orders.keep[row] = -1
    orders.backing[row] = 0
    orders.filled[row] = 0
    orders.cash[row] = 0
    orders.fee[row] = 0
    orders.penalty[row] = 0


@kernel
def maintenance_of_legs(accounts, tables, marks, pool, n):
    """Return what the legs of a pool need each by itself, by which its equity is shared over them.

    Where a portfolio is margined as a whole, it needs less.
    """
    total = 0
    for a in range(accounts.position.shape[0]):
        if is_leg(accounts, pool, n, a):
            value = position_value(tables, marks, a, accounts.position[a, n])
            total += maintenance_margin(tables, a, abs(value))
    return total


@kernel
def leg_score(accounts, tables, terms, marks, n, asset):
    """Return how early a leg is closed by the mode's ranking: higher is earlier."""
    held = accounts.position[asset, n]
    value = position_value(tables, marks, asset, held)
    by = terms.ranking[0]
    if by == LARGEST_NOTIONAL:
        return abs(value)
    if by == LARGEST_LOSS:
        return accounts.entry_cost[asset, n] - value
    if by == MOST_LIQUID:
        lot_value = marks[asset] * tables.unit_value[asset]
        depth = terms.depth[0 if held > 0 else 1, asset]
        return min(depth, -LOWEST // lot_value) * lot_value
    return maintenance_margin(tables, asset, abs(value))


@kernel
def next_leg(accounts, tables, terms, marks, pool, n, after):
    """Return the leg that comes after a leg (-1: the first), ties by asset; -1 if none is left."""
    bar = -LOWEST if after < 0 else leg_score(accounts, tables, terms, marks, n, after)
    best, leg = LOWEST, -1
    for a in range(accounts.position.shape[0]):
        if not is_leg(accounts, pool, n, a):
            continue
        score = leg_score(accounts, tables, terms, marks, n, a)
        comes_later = score < bar or (score == bar and a > after)
        if comes_later and score > best:
            best, leg = score, a
    return leg


@kernel
def is_restored(terms, equity, maintenance, closed):
    """Tell whether a pool meets its target once a notional was closed and charged for."""
    equity -= mul_div(closed, terms.rates[0], RATE_UNIT, CEIL)  # taker fee
    equity -= mul_div(closed, terms.rates[1], RATE_UNIT, CEIL)  # penalty
    return equity > 0 and maintenance <= mul_div(equity, terms.rates[2], RATE_UNIT, FLOOR)


@kernel
def lots_to_restore(accounts, tables, terms, marks, pool, n, asset):
    """Return the fewest lots of a leg that bring maintenance / equity to the target.

    Valued at the round's marks with the expected fee and penalty; the whole leg when no part is
    enough. Maintenance is convex in the lots, so bisection finds the fewest.
    """
    equity, maintenance, _ = pool_state(accounts, tables, marks, pool, n)
    price = marks[asset] * tables.unit_value[asset]
    held = abs(accounts.position[asset, n])
    maintenance -= maintenance_margin(tables, asset, held * price)
    low, high = 1, held
    while low < high:
        middle = (low + high) // 2
        kept = maintenance_margin(tables, asset, (held - middle) * price)
        if is_restored(terms, equity, maintenance + kept, middle * price):
            high = middle
        else:
            low = middle + 1
    return low
