"""Forced orders of a round, and what their fills do to the pools that are closed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.columns import FEES_PAID, PENALTIES_PAID
from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.exact import CEIL, mul_div
from stresslab.core.ledger import FEE, FEES, OWN_EXECUTION, pay_house
from stresslab.margin.pools import pool_state
from stresslab.margin.posting import close_lots, retire_pool
from stresslab.margin.tiers import RATE_UNIT


class Charges(NamedTuple):
    """What a forced fill costs the pool that is closed."""

    penalty: np.ndarray  # (3,) by mode (FLAT, ISOLATED, CROSS), 1e-9 of closed notional
    taker: np.ndarray  # (1,) taker fee, 1e-9


class ForcedOrders(NamedTuple):
    """Forced orders of one round; the first ``n[0]`` rows count."""

    n: np.ndarray  # (1,)
    pool: np.ndarray  # (C,) pool code
    account: np.ndarray  # (C,) row
    asset: np.ndarray  # (C,)
    lots: np.ndarray  # (C,) signed
    limit: np.ndarray  # (C,) worst price in ticks, 0: at market
    keep: np.ndarray  # (C,) what the fund keeps of a takeover, 1e-9 of the fill; -1: not taken over
    backing: np.ndarray  # (C,) equity behind lots taken over, micro-USD
    filled: np.ndarray  # (C,) signed
    cash: np.ndarray  # (C,) paid, negative: received
    fee: np.ndarray  # (C,)
    penalty: np.ndarray  # (C,)


def make_forced_orders(capacity: int) -> ForcedOrders:
    """Return an empty batch."""
    columns = [np.zeros(capacity, np.int64) for _ in ForcedOrders._fields[1:]]
    return ForcedOrders(np.zeros(1, np.int64), *columns)


def keep_orders(orders: ForcedOrders, is_kept: np.ndarray) -> None:
    """Drop the orders of a round that are not kept."""
    n, kept = int(orders.n[0]), int(np.count_nonzero(is_kept))
    for column in orders[1:]:
        column[:kept] = column[:n][is_kept]
    orders.n[0] = kept


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
def charge_orders(accounts, house, journal, tables, charges, marks, orders, sequence):
    """Charge fee and penalty for a round's own forced fills, when all of them are posted.

    They are taken from what equity the pool then has left, so neither makes a deficit. Positions
    that are flat are unlocked.
    """
    for row in sequence:
        if orders.filled[row] != 0 and orders.keep[row] < 0:
            _charge(accounts, house, journal, tables, charges, marks, orders, row)


@kernel
def _charge(accounts, house, journal, tables, charges, marks, orders, row):
    n, asset = orders.account[row], orders.asset[row]
    pool = orders.pool[row] // accounts.position.shape[1]
    mode = ISOLATED if pool > 0 else CROSS
    cash = orders.cash[row]
    equity, _, _ = pool_state(accounts, tables, marks, pool, n)
    fee = min(max(equity, 0), mul_div(abs(cash), charges.taker[0], RATE_UNIT, CEIL))
    pay_house(accounts, house, journal, n, pool, FEES, fee, FEE)
    wanted = mul_div(abs(cash), charges.penalty[mode], RATE_UNIT, CEIL)
    penalty = min(max(equity - fee, 0), wanted)
    pay_house(accounts, house, journal, n, pool, house.fund[asset], penalty, FEE)
    accounts.tally[FEES_PAID, n] += fee
    accounts.tally[PENALTIES_PAID, n] += penalty
    orders.fee[row] = fee
    orders.penalty[row] = penalty
    if accounts.position[asset, n] == 0:
        retire_pool(accounts, house, journal, n, asset)
