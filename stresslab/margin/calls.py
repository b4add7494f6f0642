"""Margin calls and what traders answer: they add margin, cut the position, or ignore the call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.columns import MARKET, N_CUTS, N_MARGIN_CALLS, N_TOPUPS, VOLUNTARY
from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS
from stresslab.core.exact import to_ticks
from stresslab.core.ledger import move_margin
from stresslab.core.random import uniform
from stresslab.margin.acceptance import free_wallet


class Answers(NamedTuple):
    """How traders answer margin calls; what is left of probability 1 ignores them."""

    topup_probability: np.ndarray  # (N,) chance of adding margin to an isolated position
    topup_fraction: np.ndarray  # (N,) part of the free wallet then added
    cut_probability: np.ndarray  # (N,) chance of cutting the positions of the pool
    cut_fraction: np.ndarray  # (N,) part of each position then closed


@kernel
def send_margin_calls(
    accounts, house, journal, tables, marks, pools, crossed, called, answers, orders, key, step
):  # fmt: skip
    """Call every pool in ``pools`` that has crossed more levels than when it was called last.

    ``crossed`` are the levels that each pool has crossed; ``called`` (pools * N,) int8 remembers
    them, so that a pool that recovered may be called again. A trader answers by one draw: adds
    from what its wallet has free, cuts with market ``orders`` in the next step, or does nothing.
    """
    n_accounts = accounts.position.shape[1]
    for place in range(pools.size):
        code = pools[place]
        if crossed[place] <= called[code]:
            continue
        pool, n = code // n_accounts, code % n_accounts
        if pool == 0 and not _holds_cross(accounts, n):
            continue
        accounts.tally[N_MARGIN_CALLS, n] += 1
        adds, cuts = answers.topup_probability[n], answers.cut_probability[n]
        luck = uniform(key, accounts.id[n], step, pool)
        if pool > 0 and luck < adds:
            amount = to_ticks(
                answers.topup_fraction[n] * free_wallet(accounts, tables, marks, n), 1.0
            )
            if amount > 0:
                move_margin(accounts, house, journal, n, 0, pool, amount)
                accounts.tally[N_TOPUPS, n] += 1
        elif adds <= luck < adds + cuts:
            _cut(accounts, tables, pool, n, answers.cut_fraction[n], orders)
    called[:] = 0
    for place in range(pools.size):
        called[pools[place]] = crossed[place]


@kernel
def _holds_cross(accounts, n):
    for a in range(accounts.position.shape[0]):
        if accounts.mode[a, n] == CROSS and accounts.position[a, n] != 0:
            return True
    return False


@kernel
def _cut(accounts, tables, pool, n, fraction, orders):
    """Append orders that close a part of every perpetual of a pool, rounded up to whole lots."""
    for a in range(accounts.position.shape[0]):
        held = accounts.position[a, n]
        belongs = pool == 1 + a or (pool == 0 and accounts.mode[a, n] == CROSS)
        if not belongs or held == 0 or tables.is_spot[a]:
            continue
        lots = min(abs(held), np.int64(np.ceil(fraction * abs(held))))
        row = orders.n[0]
        orders.n[0] = row + 1
        orders.trader[row] = n
        orders.asset[row] = a
        orders.kind[row] = MARKET
        orders.lots[row] = -lots if held > 0 else lots
        orders.price[row] = 0
        orders.reduce_only[row] = 1
        orders.tag[row] = VOLUNTARY
        accounts.tally[N_CUTS, n] += 1
