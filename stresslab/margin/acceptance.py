"""Which orders a venue accepts: initial margin, locked modes, reduce-only, no short spot."""

from __future__ import annotations

from numba import njit

from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.exact import CEIL, mul_div
from stresslab.margin.tiers import RATE_UNIT, initial_margin


@njit(cache=True)
def effective_mode(accounts, tables, asset, n):
    """Return the mode that a fill would have: the locked one, else the chosen one."""
    if tables.is_spot[asset]:
        return CROSS
    mode = accounts.mode[asset, n]
    return accounts.chosen_mode[asset, n] if mode == FLAT else mode


@njit(cache=True)
def reserve(accounts, tables, marks, asset, n, buys, sells):
    """Return the wallet money that one asset's position and open orders hold back, micro-USD.

    Cross: the initial margin of the largest position that the orders could make. Isolated: the
    margin that the orders would still have to be allotted.
    """
    held = accounts.position[asset, n]
    worst = max(abs(held + buys), abs(held - sells))
    price = marks[asset] * tables.unit_value[asset]
    if effective_mode(accounts, tables, asset, n) == CROSS:
        return initial_margin(tables, asset, worst * price, CROSS)
    extra = max(0, worst - abs(held)) * price
    wanted = mul_div(extra, accounts.allotment_rate[n], RATE_UNIT, CEIL)
    return max(wanted, initial_margin(tables, asset, extra, ISOLATED))


@njit(cache=True)
def wallet_equity(accounts, tables, marks, n):
    """Return the equity of the cross pool at the marks, micro-USD."""
    equity = accounts.cash[0, n]
    for a in range(accounts.position.shape[0]):
        if accounts.mode[a, n] == CROSS:
            equity += accounts.position[a, n] * marks[a] * tables.unit_value[a]
    return equity


@njit(cache=True)
def is_reducing(accounts, resting_buy, resting_sell, asset, n, lots):
    """Tell whether an order, with the resting ones on its side, can only shrink the position."""
    held = accounts.position[asset, n]
    if lots > 0:
        return held < 0 and lots + resting_buy[asset, n] <= -held
    return held > 0 and -lots + resting_sell[asset, n] <= held


@njit(cache=True)
def accepted_lots(accounts, tables, marks, resting_buy, resting_sell, n, asset, lots, reduce_only):
    """Return the lots of an order that the venue takes: all, fewer (reduce-only), or none.

    Orders that only shrink a position are always taken.
    """
    held = accounts.position[asset, n]
    if reduce_only:
        if held * lots >= 0:
            return 0
        return min(lots, -held) if lots > 0 else max(lots, -held)
    if is_reducing(accounts, resting_buy, resting_sell, asset, n, lots):
        return lots
    if tables.is_spot[asset] and lots < 0:
        return 0
    need = 0
    for a in range(accounts.position.shape[0]):
        buys, sells = resting_buy[a, n], resting_sell[a, n]
        if a == asset:
            buys += max(lots, 0)
            sells += max(-lots, 0)
        need += reserve(accounts, tables, marks, a, n, buys, sells)
    return lots if wallet_equity(accounts, tables, marks, n) >= need else 0
