"""The margin sweep in Python's own integers: slice by slice, pool by pool."""

from __future__ import annotations

from stresslab.core.columns import Accounts
from stresslab.core.events import CROSS, ISOLATED
from stresslab.margin.tiers import RATE_UNIT, MarginTables


def requirement(tables: MarginTables, asset: int, notional: int) -> int:
    """Return the maintenance margin of a notional, each bracket's slice at its own rate."""
    n_brackets = int(tables.n_lines[asset])
    floors = [int(f) for f in tables.floor[asset, :n_brackets]]
    rates = [int(r) for r in tables.rate[asset, :n_brackets]]
    ends = [*floors[1:], max(notional, floors[-1])]
    slices = [max(0, min(notional, end) - floor) for floor, end in zip(floors, ends, strict=True)]
    return -(-sum(s * r for s, r in zip(slices, rates, strict=True)) // RATE_UNIT)


def pool_of(
    accounts: Accounts, tables: MarginTables, marks: list[int], pool: int, n: int
) -> tuple[int, int]:
    """Return (equity, maintenance margin) of a pool, micro-USD."""
    equity, need = int(accounts.cash[pool, n]), 0
    for asset, mark in enumerate(marks):
        mode = accounts.mode[asset, n]
        if (pool == 0 and mode == CROSS) or (pool == 1 + asset and mode == ISOLATED):
            value = int(accounts.position[asset, n]) * mark * int(tables.unit_value[asset])
            equity += value
            need += requirement(tables, asset, abs(value))
    return equity, need


def short_pools(
    accounts: Accounts, tables: MarginTables, marks: list[int], level: int, n_first: int
) -> list[int]:
    """Return the codes of pools of the first accounts with ``level * equity < maintenance``."""
    n_assets, n_accounts = accounts.position.shape
    found = []
    for pool in range(n_assets + 1):
        for n in range(n_first):
            equity, need = pool_of(accounts, tables, marks, pool, n)
            if level * equity < RATE_UNIT * need:
                found.append(pool * n_accounts + n)
    return found


def is_below_initial(
    accounts: Accounts, tables: MarginTables, marks: list[int], pool: int, n: int
) -> bool:
    """Tell whether a pool has less than the initial margin of its perpetuals, spot at its worth."""
    free, holds_perpetual = int(accounts.cash[pool, n]), False
    for asset, mark in enumerate(marks):
        mode, lots = accounts.mode[asset, n], int(accounts.position[asset, n])
        is_own = (pool == 0 and mode == CROSS) or (pool == 1 + asset and mode == ISOLATED)
        if not is_own or lots == 0:
            continue
        value = lots * mark * int(tables.unit_value[asset])
        if tables.is_spot[asset]:
            addition = -(-value * int(tables.initial[asset, 0]) // RATE_UNIT)
            free += max(0, value - requirement(tables, asset, value) - addition)
            continue
        reached = [
            k for k in range(int(tables.n_lines[asset])) if abs(value) > tables.floor[asset, k]
        ]
        asked = -(-abs(value) * int(tables.initial[asset, reached[-1]]) // RATE_UNIT)
        free += value - -(-asked * int(tables.factor[mode]) // RATE_UNIT)
        holds_perpetual = True
    return holds_perpetual and free < 0
