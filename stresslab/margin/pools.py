"""Pools: equity, requirement and the judgement which of them are in breach.

A pool is a code ``pool * N + n``: pool 0 is the cross pool of account row ``n``, pool ``1 + a`` the
isolated position of asset ``a``. A pool is in breach when ``equity < maintenance margin``; it gets
a margin call when ``level * equity < maintenance margin`` with a level below one.
"""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.exact import FLOOR, mul_div
from stresslab.margin.tiers import RATE_UNIT, MarginTables, maintenance_margin

TILE = 256
#: Screening error of the float sweep: relative to the gross amounts added, and absolute in
#: micro-USD (rounding up of one maintenance margin per asset).
RELATIVE_BAND = 1e-12
ABSOLUTE_BAND = 64.0


@kernel
def position_value(tables, marks, asset, lots):
    """Return the signed value of a position at the marks, micro-USD."""
    return lots * marks[asset] * tables.unit_value[asset]


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
    for a in range(accounts.position.shape[0]):
        if accounts.mode[a, n] == CROSS and accounts.position[a, n] != 0:
            value = position_value(tables, marks, a, accounts.position[a, n])
            equity += value
            maintenance += maintenance_margin(tables, a, abs(value))
            notional += abs(value)
    return equity, maintenance, notional


def account_equities(accounts: Accounts, tables: MarginTables, marks: np.ndarray) -> np.ndarray:
    """Return the equity of every account at the given prices, all its pools, micro-USD."""
    lot_value = marks * tables.unit_value
    return accounts.cash.sum(axis=0) + (accounts.position * lot_value[:, None]).sum(axis=0)


@kernel
def _screen_tile(
    accounts, tables, values, stretch, first, last, excess, gross, silo_excess, silo_gross
):
    """Add up floats for one tile: excess of the cross pools, lowest excess of the silos."""
    width = last - first
    for i in range(width):
        excess[i] = accounts.cash[0, first + i]
        gross[i] = abs(excess[i])
        silo_excess[i] = 1e300
        silo_gross[i] = 0.0
    for a in range(accounts.position.shape[0]):
        position = accounts.position[a, first:last]
        mode = accounts.mode[a, first:last]
        silo = accounts.cash[1 + a, first:last]
        value = values[a]
        lines = tables.n_lines[a]
        for i in range(width):
            worth = position[i] * value
            notional = abs(worth)
            need = tables.float_slope[a, 0] * notional
            for k in range(1, lines):
                need = max(need, tables.float_slope[a, k] * notional - tables.float_offset[a, k])
            need *= stretch
            is_cross = mode[i] == CROSS
            excess[i] += worth - need if is_cross else 0.0
            gross[i] += notional if is_cross else 0.0
            is_silo = mode[i] == ISOLATED
            margin = silo[i] + worth - need if is_silo else 1e300
            silo_excess[i] = min(silo_excess[i], margin)
            silo_gross[i] += notional + abs(float(silo[i])) if is_silo else 0.0


@kernel
def is_short(equity, maintenance, level):
    """Tell whether ``level * equity < maintenance``; ``level`` in 1e-9, RATE_UNIT is a breach."""
    if level == RATE_UNIT or equity < maintenance:
        return equity < maintenance
    return mul_div(equity, level, RATE_UNIT, FLOOR) < maintenance


def pools_short_of_margin(
    accounts: Accounts, tables: MarginTables, marks: np.ndarray, level: int, out: np.ndarray
) -> np.ndarray:
    """Return the codes of all pools with ``level * equity < maintenance``, rising.

    ``out`` (pools * N,) is room for them. Floats screen, with a band wider than their error;
    integers decide.
    """
    values = marks.astype(np.float64) * tables.unit_value
    found = _sweep(accounts, tables, marks, values, level, *np.empty((4, TILE)), out)
    return np.sort(out[:found])


@kernel
def _sweep(
    accounts, tables, marks, values, level, excess, gross, silo_excess, silo_gross, out
):  # fmt: skip
    stretch = RATE_UNIT / level
    n_accounts = accounts.position.shape[1]
    found = 0
    for first in range(0, n_accounts, TILE):
        last = min(first + TILE, n_accounts)
        _screen_tile(
            accounts, tables, values, stretch, first, last, excess, gross, silo_excess, silo_gross
        )
        for i in range(last - first):
            n = first + i
            if excess[i] < ABSOLUTE_BAND + RELATIVE_BAND * gross[i]:
                equity, maintenance, _ = pool_state(accounts, tables, marks, 0, n)
                if is_short(equity, maintenance, level):
                    out[found] = n
                    found += 1
            if silo_excess[i] < ABSOLUTE_BAND + RELATIVE_BAND * silo_gross[i]:
                found = _judge_silos(accounts, tables, marks, level, n, out, found)
    return found


@kernel
def _judge_silos(accounts, tables, marks, level, n, out, found):
    for a in range(accounts.position.shape[0]):
        if accounts.mode[a, n] == ISOLATED:
            equity, maintenance, _ = pool_state(accounts, tables, marks, 1 + a, n)
            if is_short(equity, maintenance, level):
                out[found] = (1 + a) * accounts.position.shape[1] + n
                found += 1
    return found


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
        if equity < maintenance:
            out[found] = code
            found += 1
    return found
