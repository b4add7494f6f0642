"""Puts the initial population's wealth and positions into pools, the same people in every arm."""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel
from stresslab.core.errors import ConfigError
from stresslab.core.events import CROSS, ISOLATED, MODES
from stresslab.core.exact import CEIL, apportion_into, mul_div
from stresslab.margin.pools import pool_state
from stresslab.margin.sweep import pools_short_of_margin
from stresslab.margin.tiers import RATE_UNIT, MarginTables, initial_margin

TILT_UNIT = 1_000_000


def endow(
    accounts: Accounts, tables: MarginTables, prices: np.ndarray, wealth: np.ndarray,
    backing: np.ndarray, lots: np.ndarray, modes: np.ndarray, whole_wealth: bool, tilt: np.ndarray,
) -> None:  # fmt: skip
    """Open every initial position at ``prices`` (ticks) with ``wealth`` (N,) micro-USD behind it.

    ``lots`` and ``modes`` are (A, N). Isolated positions are allotted the wealth meant for
    positions, ``backing`` (N,): their initial margin, and with ``whole_wealth`` what is left in
    proportion to initial margin times ``tilt`` (A, N), in 1e-6. Spot is paid in full from the
    wallet. No account pays another: positions balance, so what longs owe shorts have received.
    """
    needs, weights, shares = np.empty((3, len(lots)), np.int64)
    rests = np.empty(len(lots), np.uint64)
    _endow(
        accounts, tables, prices, wealth, backing, lots, modes, whole_wealth, tilt, needs, weights,
        shares, rests,
    )  # fmt: skip


@kernel
def _endow(
    accounts, tables, prices, wealth, backing, lots, modes, whole_wealth, tilt, needs, weights,
    shares, rests,
):  # fmt: skip
    n_assets, n_accounts = lots.shape
    for n in range(n_accounts):
        accounts.cash[0, n] = wealth[n]
        free = backing[n]
        for a in range(n_assets):
            notional = abs(lots[a, n]) * prices[a] * tables.unit_value[a]
            needs[a] = 0
            if tables.is_spot[a]:
                free -= notional
            elif notional > 0:
                needs[a] = initial_margin(tables, a, notional, ISOLATED)
            weights[a] = mul_div(needs[a], tilt[a, n], TILT_UNIT, CEIL)
        surplus = free - needs.sum()
        shares[:] = 0
        if whole_wealth and weights.sum() > 0 and surplus > 0:
            apportion_into(surplus, weights, shares, rests)
        for a in range(n_assets):
            if lots[a, n] != 0:
                _open(accounts, tables, prices, n, a, lots[a, n], modes[a, n], needs[a] + shares[a])


@kernel
def _open(accounts, tables, prices, n, asset, lots, mode, margin):
    cost = lots * prices[asset] * tables.unit_value[asset]
    pool = 0
    if mode == ISOLATED and not tables.is_spot[asset]:
        pool = 1 + asset
        accounts.cash[0, n] -= margin
        accounts.cash[pool, n] += margin
        accounts.mode[asset, n] = ISOLATED
    else:
        accounts.mode[asset, n] = CROSS
    accounts.cash[pool, n] -= cost
    accounts.position[asset, n] = lots
    accounts.entry_cost[asset, n] = cost


def refuse_born_in_breach(accounts: Accounts, tables: MarginTables, prices: np.ndarray) -> None:
    """Raise when a pool is born in breach: such a population fakes contagion.

    Raises
    ------
    ConfigError
        Naming the first such account, its pool, equity and requirement.
    """
    room = np.empty(accounts.cash.size, np.int64)
    found = pools_short_of_margin(accounts, tables, prices, RATE_UNIT, room)
    if found.size == 0:
        return
    pool, n = divmod(int(found[0]), accounts.position.shape[1])
    equity, maintenance, _ = pool_state(accounts, tables, prices, pool, n)
    mode = MODES[ISOLATED] if pool > 0 else MODES[CROSS]
    if pool == 0 and equity < 0:
        raise ConfigError(
            f"account {accounts.id[n]} is short of {-equity / 1e6:,.2f} USD: its wealth does not "
            "cover the initial margin of its isolated positions and its spot; give it more wealth "
            "or less leverage"
        )
    raise ConfigError(
        f"{found.size} pools are in breach before the first step; the first is account "
        f"{accounts.id[n]}, {mode}: equity {equity / 1e6:,.2f} USD, maintenance margin "
        f"{maintenance / 1e6:,.2f} USD. Give its positions more wealth or less leverage"
    )
