"""What a fill does to an account: locked modes, allotted margin, released margin, fees."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.columns import FEES_PAID
from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.exact import CEIL, FLOOR, mul_div
from stresslab.core.ledger import (
    CLEARING,
    EXTERNAL,
    FEE,
    FEES,
    OWN_EXECUTION,
    change_position,
    move_house,
    move_margin,
    pay_house,
)
from stresslab.margin.acceptance import free_wallet
from stresslab.margin.tiers import RATE_UNIT, initial_margin


class Costs(NamedTuple):
    """Fee rates of the venue, 1e-9 of the traded notional; a negative maker rate is a rebate."""

    maker: np.ndarray  # (1,)
    taker: np.ndarray  # (1,)


@kernel
def settle_fills(accounts, house, journal, tables, costs, marks, fills, first):
    """Post the fills from row ``first`` on: lots, cash and fees of takers and makers."""
    for f in range(first, fills.n[0]):
        a, lots, cash = fills.asset[f], fills.lots[f], fills.cash[f]
        settle_side(
            accounts, house, journal, tables, fills.taker[f], a, lots, cash, costs.taker[0], marks
        )
        if fills.maker[f] < 0:
            settle_external(house, a, -lots, -cash)
        else:
            settle_side(
                accounts,
                house,
                journal,
                tables,
                fills.maker[f],
                a,
                -lots,
                -cash,
                costs.maker[0],
                marks,
            )


@kernel
def settle_external(house, asset, lots, cash):
    """Let `external` take signed lots and pay signed cash for them."""
    house.position[asset] += lots
    move_house(house, EXTERNAL, CLEARING, cash)


@kernel
def settle_side(accounts, house, journal, tables, n, asset, lots, cash, fee_rate, marks):
    """Post one side of a voluntary fill: close what is held against it, then open the rest."""
    held = accounts.position[asset, n]
    is_against = (held < 0 < lots) or (lots < 0 < held)
    closing = min(abs(lots), abs(held)) if is_against else 0
    closing_cash = mul_div(cash, closing, abs(lots), FLOOR) if closing > 0 else 0
    fee = mul_div(abs(cash), fee_rate, RATE_UNIT, CEIL)
    if closing > 0:
        signed = closing if lots > 0 else -closing
        released = release_due(accounts, n, asset, closing, closing_cash)
        pool = close_lots(accounts, house, journal, n, asset, signed, closing_cash, OWN_EXECUTION)
        if closing == abs(lots):
            pay_fee(accounts, house, journal, n, pool, fee)
        if accounts.position[asset, n] == 0:
            retire_pool(accounts, house, journal, n, asset)
        else:
            released = min(released, releasable(accounts, tables, marks, n, asset))
            if released > 0:
                move_margin(accounts, house, journal, n, pool, 0, released)
    if closing < abs(lots):
        rest = lots - closing if lots > 0 else lots + closing
        pool = open_lots(
            accounts, house, journal, tables, marks, n, asset, rest, cash - closing_cash
        )
        pay_fee(accounts, house, journal, n, pool, fee)


@kernel
def pay_fee(accounts, house, journal, n, pool, fee):
    """Move a trading fee (negative: a rebate) from a pool to the fee account."""
    pay_house(accounts, house, journal, n, pool, FEES, fee, FEE)
    accounts.tally[FEES_PAID, n] += fee


@kernel
def release_due(accounts, n, asset, closing, closing_cash):
    """Return the isolated margin freed by a voluntary partial close: its share of the equity.

    Equity is taken at the fill's own price, so the leverage of what stays does not change; what
    stays keeps its initial margin at the marks all the same (:func:`releasable`).
    """
    if accounts.mode[asset, n] != ISOLATED:
        return 0
    held = abs(accounts.position[asset, n])
    worth = mul_div(-closing_cash, held, closing, FLOOR)
    equity = accounts.cash[1 + asset, n] + worth
    return max(0, mul_div(equity, closing, held, FLOOR))


@kernel
def releasable(accounts, tables, marks, n, asset):
    """Return what a silo can release at the marks and still hold its initial margin."""
    if accounts.mode[asset, n] != ISOLATED:
        return 0
    value = accounts.position[asset, n] * marks[asset] * tables.unit_value[asset]
    need = initial_margin(tables, asset, abs(value), ISOLATED)
    return max(0, accounts.cash[1 + asset, n] + value - need)


@kernel
def close_lots(accounts, house, journal, n, asset, lots, cash, reason):
    """Bring a position towards zero by signed lots for cash paid; return the pool that paid."""
    pool = 1 + asset if accounts.mode[asset, n] == ISOLATED else 0
    held = accounts.position[asset, n]
    cost = mul_div(accounts.entry_cost[asset, n], abs(lots), abs(held), FLOOR)
    accounts.entry_cost[asset, n] -= cost
    cut = mul_div(accounts.profit_cut[asset, n], abs(lots), abs(held), FLOOR)
    accounts.profit_cut[asset, n] -= cut
    pay_house(accounts, house, journal, n, pool, CLEARING, cash, reason)
    change_position(accounts, journal, n, asset, lots)
    return pool


@kernel
def open_lots(accounts, house, journal, tables, marks, n, asset, lots, cash):
    """Open or add signed lots for cash paid; a flat position takes the chosen mode and locks it."""
    pay_from = 0
    if accounts.mode[asset, n] == FLAT:
        accounts.mode[asset, n] = accounts.chosen_mode[asset, n]
        if tables.is_spot[asset]:
            accounts.mode[asset, n] = CROSS
    if accounts.mode[asset, n] == ISOLATED:
        pay_from = 1 + asset
        allotted = allotment(accounts, tables, marks, n, asset, abs(cash))
        move_margin(accounts, house, journal, n, 0, pay_from, allotted)
    pay_house(accounts, house, journal, n, pay_from, CLEARING, cash, OWN_EXECUTION)
    change_position(accounts, journal, n, asset, lots)
    accounts.entry_cost[asset, n] += cash
    return pay_from


@kernel
def allotment(accounts, tables, marks, n, asset, notional):
    """Return the margin that a new isolated notional gets from the wallet.

    The trader's own rate (one over its leverage), at least the initial margin, at most what the
    wallet has free.
    """
    wanted = mul_div(notional, accounts.allotment_rate[n], RATE_UNIT, CEIL)
    least = initial_margin(tables, asset, notional, ISOLATED)
    return min(max(wanted, least), free_wallet(accounts, tables, marks, n))


@kernel
def retire_pool(accounts, house, journal, n, asset):
    """Unlock a position that is flat; a silo's residue returns to the wallet.

    A silo that is flat and negative keeps its mode: the settle step owes it a waterfall.
    """
    if accounts.mode[asset, n] == ISOLATED:
        residue = accounts.cash[1 + asset, n]
        if residue < 0:
            return
        move_margin(accounts, house, journal, n, 1 + asset, 0, residue)
    accounts.mode[asset, n] = FLAT
    accounts.entry_cost[asset, n] = 0
    accounts.profit_cut[asset, n] = 0
