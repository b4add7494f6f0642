"""Who can pay a deficit: winners of a market, or all pools, with what policies ask of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS, FLAT, ISOLATED
from stresslab.core.exact import FLOOR, mul_div
from stresslab.liquidation.division import Contributors
from stresslab.margin.pools import pool_state, position_value
from stresslab.margin.tiers import maintenance_margin


class Payers(NamedTuple):
    """Room for those who may pay a deficit, one row a pool, in order of account id."""

    row: np.ndarray  # (C,) row of the account
    pool: np.ndarray  # (C,)
    held: np.ndarray  # (C,) signed lots of the market that made the deficit
    profit: np.ndarray  # (C,) of that position, not yet seized, micro-USD
    equity: np.ndarray  # (C,) of the pool
    maintenance: np.ndarray  # (C,) of the pool
    notional: np.ndarray  # (C,) of the pool
    wallet: np.ndarray  # (C,) equity of the pool without the profit of its positions
    bearable: np.ndarray  # (C,) room to count in
    lots: np.ndarray  # (C,) signed lots taken over
    cash: np.ndarray  # (C,) micro-USD paid, for lots or without
    paid: np.ndarray  # (C,) micro-USD lost against the mark


def make_payers(n_pools: int) -> Payers:
    """Return room for as many payers as there are pools."""
    return Payers(*(np.zeros(n_pools, np.int64) for _ in Payers._fields))


def contributors(
    payers: Payers, count: int, lot_value: int, most: np.ndarray, bearable: np.ndarray
) -> Contributors:
    """Return the first ``count`` payers as policies see them; ``lot_value`` is that of the mark."""
    held, profit = payers.held[:count], payers.profit[:count]
    value = held * lot_value
    return Contributors(
        side=np.sign(held),
        lots=np.abs(held),
        value=np.abs(value),
        cost=np.abs(payers.cash[:count]),
        profit=profit,
        equity=payers.equity[:count],
        maintenance=payers.maintenance[:count],
        notional=payers.notional[:count],
        wallet=payers.wallet[:count],
        most=most,
        bearable=bearable,
    )


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
def list_winners(accounts, tables, marks, a, side, exclude, by_id, payers):
    """Write the accounts on a side of an asset (0: those in profit); return how many."""
    count = 0
    for n in by_id:
        held = accounts.position[a, n]
        if held == 0 or held * side < 0 or n == exclude:
            continue
        profit = profit_left(accounts, tables, marks, a, n)
        if side == 0 and profit <= 0:
            continue
        _write(accounts, tables, marks, a, pool_of(accounts, a, n), n, payers, count)
        count += 1
    return count


@kernel
def list_solvent(accounts, tables, marks, a, exclude, by_id, payers):
    """Write all pools that have equity, but those of an account; return how many."""
    count = 0
    for n in by_id:
        for pool in range(accounts.cash.shape[0]):
            if n == exclude or (pool > 0 and accounts.mode[pool - 1, n] == FLAT):
                continue
            _write(accounts, tables, marks, a, pool, n, payers, count)
            count += payers.equity[count] > 0
    return count


@kernel
def _write(accounts, tables, marks, a, pool, n, payers, row):
    equity, maintenance, notional = pool_state(accounts, tables, marks, pool, n)
    payers.row[row] = n
    payers.pool[row] = pool
    payers.equity[row] = equity
    payers.maintenance[row] = maintenance
    payers.notional[row] = notional
    payers.wallet[row] = _wallet(accounts, pool, n)
    payers.held[row] = 0
    payers.profit[row] = 0
    payers.cash[row] = 0
    if accounts.position[a, n] != 0 and pool_of(accounts, a, n) == pool:
        payers.held[row] = accounts.position[a, n]
        payers.profit[row] = profit_left(accounts, tables, marks, a, n)
        payers.cash[row] = accounts.entry_cost[a, n]


@kernel
def _wallet(accounts, pool, n):
    """Return what is in a pool before the profit of its positions: cash and what they cost."""
    money = accounts.cash[pool, n]
    mode = ISOLATED if pool > 0 else CROSS
    for a in range(accounts.position.shape[0]):
        if accounts.mode[a, n] == mode and (pool == 0 or pool == 1 + a):
            money += accounts.entry_cost[a, n]
    return money


@kernel
def count_bearable(payers, count, open_lots, owed):
    """Write the lots that each payer can take over if ``open_lots`` of them lose ``owed``."""
    for row in range(count):
        held, equity = abs(payers.held[row]), payers.equity[row]
        if equity < owed:
            lots = mul_div(max(equity, 0), open_lots, owed, FLOOR) if owed > 0 else 0
            held = min(held, lots)
        payers.bearable[row] = held


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
