"""Pools: equity, requirement and the judgement which of them are in breach.

A pool is a code ``pool * N + n``: pool 0 is the cross pool of account row ``n``, pool ``1 + a`` the
isolated position of asset ``a``. A pool is in breach when ``equity < maintenance margin``, or at
equality where a venue says so; it gets a margin call when ``level * equity < maintenance margin``
with a level below one.
"""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel, merged
from stresslab.core.events import CROSS, ISOLATED
from stresslab.margin.portfolio.book import MAINTENANCE, NO_ASSET, book_requirement
from stresslab.margin.tiers import MarginTables, maintenance_margin


@merged
def position_value(tables, marks, asset, lots):
    """Return the signed value of a position at the marks, micro-USD."""
    return lots * marks[asset] * tables.unit_value[asset]


@merged
def is_breached(tables, equity, maintenance):
    """Tell whether a pool is in breach; one without requirement is not at equality."""
    if equity != maintenance:
        return equity < maintenance
    return maintenance > 0 and tables.at_equality[0] == 1


@kernel
def pool_state(accounts, tables, marks, pool, n):
    """Return (equity, maintenance margin, gross notional) of a pool, micro-USD, exact."""
    if pool > 0:
        a = pool - 1
        if accounts.mode[a, n] != ISOLATED:
            return accounts.cash[pool, n], 0, 0
        value = position_value(tables, marks, a, accounts.position[a, n])
        return accounts.cash[pool, n] + value, maintenance_margin(tables, a, abs(value)), abs(value)
    equity = accounts.cash[0, n]
    maintenance = 0
    notional = 0
    by_scenarios = tables.portfolio.shape[0] > 0
    if by_scenarios:
        maintenance = book_requirement(
            tables, marks, accounts.position, accounts.mode, n, MAINTENANCE, NO_ASSET, 0
        )
    for a in range(accounts.position.shape[0]):
        if accounts.mode[a, n] == CROSS and accounts.position[a, n] != 0:
            value = position_value(tables, marks, a, accounts.position[a, n])
            equity += value
            if tables.is_spot[a] or not by_scenarios:
                maintenance += maintenance_margin(tables, a, abs(value))
            notional += abs(value)
    return equity, maintenance, notional


def account_equities(accounts: Accounts, tables: MarginTables, marks: np.ndarray) -> np.ndarray:
    """Return the equity of every account at the given prices, all its pools, micro-USD."""
    lot_value = marks * tables.unit_value
    return accounts.cash.sum(axis=0) + (accounts.position * lot_value[:, None]).sum(axis=0)


def pool_states(
    accounts: Accounts, tables: MarginTables, marks: np.ndarray, pools: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return equity, maintenance margin and gross notional of many pool codes, each ``(n,)``."""
    equity, maintenance, notional = np.empty((3, pools.size), np.int64)
    _pool_states(accounts, tables, marks, pools, equity, maintenance, notional)
    return equity, maintenance, notional


@kernel
def _pool_states(accounts, tables, marks, pools, equity, maintenance, notional):
    n_accounts = accounts.position.shape[1]
    for place in range(pools.size):
        pool, n = pools[place] // n_accounts, pools[place] % n_accounts
        state = pool_state(accounts, tables, marks, pool, n)
        equity[place], maintenance[place], notional[place] = state


@kernel
def breached_among(accounts, tables, marks, pools, out):
    """Write those of the given pool codes that are in breach into ``out``; return how many."""
    n_accounts = accounts.position.shape[1]
    found = 0
    for code in pools:
        equity, maintenance, _ = pool_state(
            accounts, tables, marks, code // n_accounts, code % n_accounts
        )
        if is_breached(tables, equity, maintenance):
            out[found] = code
            found += 1
    return found
