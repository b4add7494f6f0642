"""Pools whose equity is below the initial margin of what they hold: called, never liquidated."""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS, ISOLATED
from stresslab.margin.acceptance import reserve, wallet_equity
from stresslab.margin.tiers import MarginTables, collateral_value, initial_margin


def pools_below_initial_margin(
    accounts: Accounts, tables: MarginTables, marks: np.ndarray
) -> np.ndarray:
    """Return the codes of all pools that could not open their positions now, rising."""
    out = np.empty(accounts.cash.size, np.int64)
    found = _below_initial(accounts, tables, marks, out)
    return np.sort(out[:found])


@kernel
def _below_initial(accounts, tables, marks, out):
    n_assets, n_accounts = accounts.position.shape
    found = 0
    for n in range(n_accounts):
        if _is_wallet_below(accounts, tables, marks, n):
            out[found] = n
            found += 1
        for a in range(n_assets):
            if accounts.mode[a, n] == ISOLATED and _is_silo_below(accounts, tables, marks, a, n):
                out[found] = (1 + a) * n_accounts + n
                found += 1
    return found


@kernel
def _is_wallet_below(accounts, tables, marks, n):
    """Tell whether a cross pool, spot at its haircuts, has less than its perpetuals need."""
    free = wallet_equity(accounts, tables, marks, n)
    holds_perpetual = False
    for a in range(accounts.position.shape[0]):
        if accounts.mode[a, n] != CROSS:
            continue
        free -= reserve(accounts, tables, marks, a, n, 0, 0)
        if tables.is_spot[a]:
            value = accounts.position[a, n] * marks[a] * tables.unit_value[a]
            free += collateral_value(tables, a, value)
        else:
            holds_perpetual |= accounts.position[a, n] != 0
    return holds_perpetual and free < 0


@kernel
def _is_silo_below(accounts, tables, marks, asset, n):
    value = accounts.position[asset, n] * marks[asset] * tables.unit_value[asset]
    need = initial_margin(tables, asset, abs(value), ISOLATED)
    return accounts.cash[1 + asset, n] + value < need
