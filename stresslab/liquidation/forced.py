"""Forced orders: which lots a breached pool must close, and what closing them does to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.columns import FEES_PAID, PENALTIES_PAID
from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.exact import CEIL, FLOOR, mul_div
from stresslab.core.ledger import FEE, FEES, OWN_EXECUTION, pay_house
from stresslab.margin.pools import pool_state, position_value
from stresslab.margin.posting import close_lots, retire_pool
from stresslab.margin.tiers import RATE_UNIT, maintenance_margin

WHOLE, LEAST_TO_RESTORE = range(2)
CLOSURES = {"whole": WHOLE, "least_to_restore": LEAST_TO_RESTORE}


class ClosureRules(NamedTuple):
    """Attributes of pools by mode (FLAT, ISOLATED, CROSS), and the engine's target."""

    closure: np.ndarray  # (3,)
    penalty: np.ndarray  # (3,) 1e-9 of closed notional
    target: np.ndarray  # (1,) maintenance over equity, 1e-9
    taker: np.ndarray  # (1,) taker fee, 1e-9


class ForcedOrders(NamedTuple):
    """Forced orders of one round; the first ``n[0]`` rows count."""

    n: np.ndarray  # (1,)
    pool: np.ndarray  # (C,) pool code
    account: np.ndarray  # (C,) row
    asset: np.ndarray  # (C,)
    lots: np.ndarray  # (C,) signed
    filled: np.ndarray  # (C,) signed
    cash: np.ndarray  # (C,) paid, negative: received
    fee: np.ndarray  # (C,)
    penalty: np.ndarray  # (C,)


def make_forced_orders(capacity: int) -> ForcedOrders:
    """Return an empty batch."""
    columns = [np.zeros(capacity, np.int64) for _ in ForcedOrders._fields[1:]]
    return ForcedOrders(np.zeros(1, np.int64), *columns)


@kernel
def choose_orders(accounts, tables, rules, marks, pools, orders):
    """Write the forced orders of the pools in breach; flat pools have none."""
    n_accounts = accounts.position.shape[1]
    orders.n[0] = 0
    for code in pools:
        pool, n = code // n_accounts, code % n_accounts
        mode = ISOLATED if pool > 0 else CROSS
        if rules.closure[mode] == LEAST_TO_RESTORE:
            asset = largest_leg(accounts, tables, marks, pool, n)
            if asset >= 0:
                lots = lots_to_restore(accounts, tables, rules, marks, pool, n, asset)
                _add_order(accounts, orders, code, n, asset, lots)
            continue
        for asset in range(accounts.position.shape[0]):
            if accounts.mode[asset, n] == mode and (pool == 0 or pool == 1 + asset):
                _add_order(accounts, orders, code, n, asset, abs(accounts.position[asset, n]))


@kernel
def _add_order(accounts, orders, code, n, asset, lots):
    if lots == 0:
        return
    row = orders.n[0]
    orders.n[0] = row + 1
    orders.pool[row] = code
    orders.account[row] = n
    orders.asset[row] = asset
    orders.lots[row] = -lots if accounts.position[asset, n] > 0 else lots
    orders.filled[row] = 0
    orders.cash[row] = 0
    orders.fee[row] = 0
    orders.penalty[row] = 0


@kernel
def largest_leg(accounts, tables, marks, pool, n):
    """Return the pool's leg with the largest maintenance margin, ties by asset; -1 if flat."""
    if pool > 0:
        return pool - 1 if accounts.position[pool - 1, n] != 0 else -1
    largest, leg = -1, -1
    for a in range(accounts.position.shape[0]):
        if accounts.mode[a, n] == CROSS and accounts.position[a, n] != 0:
            value = position_value(tables, marks, a, accounts.position[a, n])
            need = maintenance_margin(tables, a, abs(value))
            if need > largest:
                largest, leg = need, a
    return leg


@kernel
def lots_to_restore(accounts, tables, rules, marks, pool, n, asset):
    """Return the fewest lots of a leg that bring maintenance / equity to the target.

    Valued at the round's marks with the expected fee and penalty; the whole leg when no part is
    enough. Maintenance is convex in the lots, so bisection finds the fewest.
    """
    held = abs(accounts.position[asset, n])
    low, high = 1, held
    while low < high:
        middle = (low + high) // 2
        if _restores(accounts, tables, rules, marks, pool, n, asset, middle):
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def _restores(accounts, tables, rules, marks, pool, n, asset, lots):
    equity, maintenance, _ = pool_state(accounts, tables, marks, pool, n)
    mode = ISOLATED if pool > 0 else CROSS
    price = marks[asset] * tables.unit_value[asset]
    held = abs(accounts.position[asset, n])
    closed = lots * price
    equity -= mul_div(closed, rules.taker[0], RATE_UNIT, CEIL)
    equity -= mul_div(closed, rules.penalty[mode], RATE_UNIT, CEIL)
    maintenance -= maintenance_margin(tables, asset, held * price)
    maintenance += maintenance_margin(tables, asset, (held - lots) * price)
    return equity > 0 and maintenance <= mul_div(equity, rules.target[0], RATE_UNIT, FLOOR)


@kernel
def settle_forced(accounts, house, journal, orders, row, lots, cash):
    """Post the account's side of a forced fill: lots and cash."""
    if lots == 0:
        return
    n, asset = orders.account[row], orders.asset[row]
    close_lots(accounts, house, journal, n, asset, lots, cash, OWN_EXECUTION)
    orders.filled[row] += lots
    orders.cash[row] += cash


@kernel
def charge_orders(accounts, house, journal, tables, rules, marks, orders, sequence):
    """Charge fee and penalty for a round's forced fills, when all of them are posted.

    They are taken from what equity the pool then has left, so neither makes a deficit. Positions
    that are flat are unlocked.
    """
    for row in sequence:
        if orders.filled[row] != 0:
            _charge(accounts, house, journal, tables, rules, marks, orders, row)


@kernel
def _charge(accounts, house, journal, tables, rules, marks, orders, row):
    n, asset = orders.account[row], orders.asset[row]
    pool = orders.pool[row] // accounts.position.shape[1]
    mode = ISOLATED if pool > 0 else CROSS
    cash = orders.cash[row]
    equity, _, _ = pool_state(accounts, tables, marks, pool, n)
    fee = min(max(equity, 0), mul_div(abs(cash), rules.taker[0], RATE_UNIT, CEIL))
    pay_house(accounts, house, journal, n, pool, FEES, fee, FEE)
    wanted = mul_div(abs(cash), rules.penalty[mode], RATE_UNIT, CEIL)
    penalty = min(max(equity - fee, 0), wanted)
    pay_house(accounts, house, journal, n, pool, house.fund[asset], penalty, FEE)
    accounts.tally[FEES_PAID, n] += fee
    accounts.tally[PENALTIES_PAID, n] += penalty
    orders.fee[row] = fee
    orders.penalty[row] = penalty
    if accounts.position[asset, n] == 0:
        retire_pool(accounts, house, journal, n, asset)
