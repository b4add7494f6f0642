"""Who can pay a deficit, and the postings that make them pay, in compiled loops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.exact import CEIL, apportion_into, mul_div
from stresslab.core.ledger import ADL, CLEARING, TRANSFER, pay_house
from stresslab.margin.pools import pool_state, position_value
from stresslab.margin.posting import close_lots, retire_pool
from stresslab.margin.tiers import maintenance_margin


class Payers(NamedTuple):
    """Room for those who may pay a deficit, one row each."""

    row: np.ndarray  # (C,) row of the account
    pool: np.ndarray  # (C,)
    profit: np.ndarray  # (C,) of the position, not yet seized, micro-USD
    equity: np.ndarray  # (C,) of the pool behind it
    notional: np.ndarray  # (C,)
    lots: np.ndarray  # (C,) signed lots taken over
    paid: np.ndarray  # (C,)
    rest: np.ndarray  # (C,) uint64, room to count in


def make_payers(n_pools: int) -> Payers:
    """Return room for as many payers as there are pools."""
    columns = [np.zeros(n_pools, np.int64) for _ in Payers._fields[1:]]
    return Payers(*columns, rest=np.zeros(n_pools, np.uint64))


@kernel
def pay_from_fund(accounts, house, journal, pools, assets, deficits, paid):
    """Let the funds of the charged assets cover deficits of pool codes, in order, to the last."""
    n_accounts = accounts.position.shape[1]
    for place in range(pools.size):
        pool, n = pools[place] // n_accounts, pools[place] % n_accounts
        fund = house.fund[assets[place]]
        paid[place] = min(deficits[place], max(0, house.cash[fund]))
        if paid[place] > 0:
            pay_house(accounts, house, journal, n, pool, fund, -paid[place], TRANSFER)
        if paid[place] == deficits[place]:
            retire_if_flat(accounts, house, journal, pool, n)


@kernel
def retire_if_flat(accounts, house, journal, pool, n):
    """Unlock an isolated position that is flat and owes nothing."""
    if pool > 0 and accounts.position[pool - 1, n] == 0:
        retire_pool(accounts, house, journal, n, pool - 1)


@kernel
def pool_of(accounts, a, n):
    """Return the pool that holds a position."""
    return 1 + a if accounts.mode[a, n] == ISOLATED else 0


@kernel
def profit_left(accounts, tables, marks, a, n):
    """Return the profit of a position less what was seized of it, micro-USD."""
    value = position_value(tables, marks, a, accounts.position[a, n])
    return value - accounts.entry_cost[a, n] - accounts.profit_cut[a, n]


@kernel
def equity_behind(accounts, tables, marks, a, n):
    """Return the equity of the pool that holds a position, micro-USD."""
    return pool_state(accounts, tables, marks, pool_of(accounts, a, n), n)[0]


@kernel
def list_winners(accounts, tables, marks, a, side, exclude, payers):
    """Write the accounts on a side of an asset (0: those in profit); return how many."""
    count = 0
    for n in range(accounts.position.shape[1]):
        held = accounts.position[a, n]
        if held == 0 or held * side < 0 or n == exclude:
            continue
        profit = profit_left(accounts, tables, marks, a, n)
        if side == 0 and profit <= 0:
            continue
        equity, _, notional = pool_state(accounts, tables, marks, pool_of(accounts, a, n), n)
        payers.row[count] = n
        payers.profit[count] = profit
        payers.equity[count] = equity
        payers.notional[count] = notional
        count += 1
    return count


@kernel
def list_legs(accounts, tables, marks, pool, n, needs):
    """Write the maintenance margin of a pool's open perpetuals by asset, -1 where it has none."""
    mode = ISOLATED if pool > 0 else CROSS
    for a in range(needs.size):
        lots = accounts.position[a, n]
        belongs = accounts.mode[a, n] == mode and (pool == 0 or pool == 1 + a)
        needs[a] = -1
        if belongs and lots != 0 and not tables.is_spot[a]:
            needs[a] = maintenance_margin(tables, a, abs(position_value(tables, marks, a, lots)))


@kernel
def hand_over(accounts, house, journal, tables, marks, n, a, owed, queue, payers):
    """Transfer an open leg along the ranked ``queue``; return what is left, and the rows.

    The price is the mark moved against the winners by ``owed`` over the leg's lots, which is the
    leg's share of the pool's bankruptcy price.
    """
    side = 1 if accounts.position[a, n] > 0 else -1
    count = 0
    for winner in queue:
        open_lots = abs(accounts.position[a, n])
        if open_lots == 0:
            break
        lots = min(open_lots, abs(accounts.position[a, winner]))
        loss = mul_div(owed, lots, open_lots, CEIL)
        if loss > equity_behind(accounts, tables, marks, a, winner):
            continue
        cash = position_value(tables, marks, a, side * lots) + loss
        _pass_lots(accounts, house, journal, n, a, -side * lots, -cash)
        _pass_lots(accounts, house, journal, winner, a, side * lots, cash)
        payers.row[count] = winner
        payers.lots[count] = side * lots
        payers.paid[count] = loss
        owed -= loss
        count += 1
    return owed, count


@kernel
def _pass_lots(accounts, house, journal, n, a, lots, cash):
    close_lots(accounts, house, journal, n, a, lots, cash, ADL)
    journal.adl_lots[journal.slot[n], a] += lots
    if accounts.position[a, n] == 0:
        retire_pool(accounts, house, journal, n, a)


@kernel
def cut_profits(accounts, house, journal, tables, marks, pool, n, a, owed, queue, payers):
    """Seize profit in cash along the ranked ``queue``; return what is left, and the rows."""
    count = 0
    for winner in queue:
        profit = profit_left(accounts, tables, marks, a, winner)
        taken = min(owed, profit, equity_behind(accounts, tables, marks, a, winner))
        if taken <= 0:
            continue
        _pay_over(
            accounts, house, journal, pool_of(accounts, a, winner), winner, pool, n, taken, ADL
        )
        accounts.profit_cut[a, winner] += taken
        payers.row[count] = winner
        payers.lots[count] = 0
        payers.paid[count] = taken
        count += 1
        owed -= taken
        if owed == 0:
            break
    return owed, count


@kernel
def socialise(accounts, house, journal, tables, marks, pool, n, owed, by_id, payers):
    """Share a loss over all pools with positive equity, in proportion to it; return how many."""
    count = 0
    whole = 0
    for payer in by_id:
        for source in range(accounts.cash.shape[0]):
            if payer == n or (source > 0 and accounts.mode[source - 1, payer] == FLAT):
                continue
            equity, _, _ = pool_state(accounts, tables, marks, source, payer)
            if equity > 0:
                payers.row[count] = payer
                payers.pool[count] = source
                payers.equity[count] = equity
                whole += equity
                count += 1
    paid, rest = payers.paid[:count], payers.rest[:count]
    apportion_into(min(owed, whole), payers.equity[:count], paid, rest)
    for place in range(count):
        if paid[place] > 0:
            row, source = payers.row[place], payers.pool[place]
            _pay_over(accounts, house, journal, source, row, pool, n, paid[place], TRANSFER)
    return count


@kernel
def _pay_over(accounts, house, journal, source, payer, pool, n, amount, reason):
    pay_house(accounts, house, journal, payer, source, CLEARING, amount, reason)
    pay_house(accounts, house, journal, n, pool, CLEARING, -amount, TRANSFER)
