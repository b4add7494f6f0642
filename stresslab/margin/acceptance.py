"""Which orders a venue accepts: initial margin, locked modes, reduce-only, no short spot."""

from __future__ import annotations

from stresslab.core.compiled import kernel, merged
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.exact import CEIL, mul_div
from stresslab.margin.portfolio.book import INITIAL, NO_ASSET, book_requirement
from stresslab.margin.tiers import RATE_UNIT, collateral_value, initial_margin

UNKNOWN = -(2**63)  # headroom that nobody has computed yet


@merged
def effective_mode(accounts, tables, asset, n):
    """Return the mode that a fill would have: the locked one, else the chosen one."""
    if tables.is_spot[asset]:
        return CROSS
    mode = accounts.mode[asset, n]
    return accounts.chosen_mode[asset, n] if mode == FLAT else mode


@merged
def reserve(accounts, tables, marks, asset, n, buys, sells):
    """Return the wallet money that one asset's position and open orders hold back, micro-USD.

    Cross: the initial margin of the largest position that the orders could make. Isolated: the
    margin that the orders would still have to be allotted.
    """
    held = accounts.position[asset, n]
    if held == 0 and buys == 0 and sells == 0:
        return 0
    worst = max(abs(held + buys), abs(held - sells))
    price = marks[asset] * tables.unit_value[asset]
    if effective_mode(accounts, tables, asset, n) == CROSS:
        if tables.portfolio.shape[0] > 0 and not tables.is_spot[asset]:
            return _reserve_of_book(accounts, tables, marks, asset, n, buys, sells)
        return initial_margin(tables, asset, worst * price, CROSS)
    extra = max(0, worst - abs(held)) * price
    wanted = mul_div(extra, accounts.allotment_rate[n], RATE_UNIT, CEIL)
    return max(wanted, initial_margin(tables, asset, extra, ISOLATED))


@kernel
def _reserve_of_book(accounts, tables, marks, asset, n, buys, sells):
    """Return what scenarios ask more of the cross pool if one asset's open orders fill."""
    position, mode, held = accounts.position, accounts.mode, accounts.position[asset, n]
    now = book_requirement(tables, marks, position, mode, n, INITIAL, NO_ASSET, 0)
    bought = book_requirement(tables, marks, position, mode, n, INITIAL, asset, held + buys)
    sold = book_requirement(tables, marks, position, mode, n, INITIAL, asset, held - sells)
    return max(0, bought - now, sold - now)


@merged
def wallet_equity(accounts, tables, marks, n):
    """Return the equity of the cross pool at the marks, micro-USD.

    What scenarios ask of the positions held is taken off, since no asset has its own part in it.
    """
    equity = accounts.cash[0, n]
    if tables.portfolio.shape[0] > 0:
        equity -= book_requirement(
            tables, marks, accounts.position, accounts.mode, n, INITIAL, NO_ASSET, 0
        )
    for a in range(accounts.position.shape[0]):
        if accounts.mode[a, n] == CROSS:
            equity += accounts.position[a, n] * marks[a] * tables.unit_value[a]
    return equity


@kernel
def free_wallet(accounts, tables, marks, n):
    """Return the equity of the cross pool that no cross position needs as initial margin."""
    free = wallet_equity(accounts, tables, marks, n)
    for a in range(accounts.position.shape[0]):
        free -= reserve(accounts, tables, marks, a, n, 0, 0)
    return max(0, free)


@kernel
def headroom(accounts, tables, marks, resting_buy, resting_sell, asset, n):
    """Return the wallet equity that the other assets leave for one asset's reserve, micro-USD.

    Spot held as collateral backs cross perpetuals; spot and isolated margin are paid in money.
    """
    free = wallet_equity(accounts, tables, marks, n)
    is_backed = asset >= 0 and not tables.is_spot[asset]
    is_backed = is_backed and effective_mode(accounts, tables, asset, n) == CROSS
    for a in range(accounts.position.shape[0]):
        if a == asset:
            continue
        free -= reserve(accounts, tables, marks, a, n, resting_buy[a, n], resting_sell[a, n])
        if is_backed and tables.is_spot[a]:
            price = marks[a] * tables.unit_value[a]
            free += collateral_value(tables, a, accounts.position[a, n] * price)
    return free


@kernel
def is_reducing(held, lots, resting):
    """Tell whether an order, with the ``resting`` lots on its side, can only shrink a position."""
    if lots > 0:
        return held < 0 and lots + resting <= -held
    return held > 0 and resting - lots <= held


@kernel
def reduced(held, lots):
    """Return the lots of a reduce-only order that bring a position towards zero."""
    if held < 0 < lots:
        return min(lots, -held)
    return max(lots, -held) if lots < 0 < held else 0


@merged
def accepted_lots(
    accounts, tables, marks, resting_buy, resting_sell, n, asset, lots, reduce_only, room
):  # fmt: skip
    """Return the lots of an order that the venue takes (all, fewer or none), and the headroom.

    Orders that only shrink a position are always taken. ``room`` is the headroom if the caller
    knows it, else UNKNOWN: one trader's orders in one asset share it until something fills.
    """
    held = accounts.position[asset, n]
    if reduce_only:
        return reduced(held, lots), room
    buys, sells = resting_buy[asset, n], resting_sell[asset, n]
    if is_reducing(held, lots, buys if lots > 0 else sells):
        return lots, room
    if tables.is_spot[asset] and lots < 0:
        return 0, room
    if room == UNKNOWN:
        room = headroom(accounts, tables, marks, resting_buy, resting_sell, asset, n)
    need = reserve(accounts, tables, marks, asset, n, buys + max(lots, 0), sells + max(-lots, 0))
    return (lots if need <= room else 0), room
