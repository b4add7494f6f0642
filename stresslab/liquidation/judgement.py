"""Why a pool is in breach: what ate its margin since the last judgement, to the micro-USD.

Between two judgements positions and cash change at the old marks and margin rates, then the rates
change, then the marks move. So the change of X = equity - maintenance margin is the journal's
postings valued at the old marks and rates, plus the change of requirement of the positions now held
at the old marks, plus the price moves acting on them at the new rates.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.errors import InvariantError
from stresslab.core.events import CROSS, ISOLATED
from stresslab.core.ledger import ADL, N_REASONS, OWN_EXECUTION
from stresslab.margin.pools import pool_state, position_value
from stresslab.margin.tiers import maintenance_margin

#: A change of margin rates: the cause that comes after the reasons of the journal.
REQUIREMENT = N_REASONS


class Explanation(NamedTuple):
    """One row per pool in breach; amounts in micro-USD, positive eats margin."""

    equity: np.ndarray  # (n,)
    maintenance: np.ndarray  # (n,)
    notional: np.ndarray  # (n,)
    excess_before: np.ndarray  # (n,)
    by_price: np.ndarray  # (n, A) eaten by the move of each asset's mark
    by_reason: np.ndarray  # (n, N_REASONS + 1) by each reason of the journal and REQUIREMENT


def explain(accounts, tables_before, tables, journal, marks_before, marks, pools) -> Explanation:  # type: ignore[no-untyped-def]
    """Return what ate the margin of each pool code in ``pools`` since the last judgement.

    ``tables_before`` hold the rates, and ``marks_before`` are the marks, of that judgement.

    Raises
    ------
    InvariantError
        When the amounts of a pool do not add up to the ledger's change of X.
    """
    n_assets, n_accounts = accounts.position.shape
    size = pools.size
    rows = Explanation(
        *(np.zeros(size, np.int64) for _ in range(4)),
        by_price=np.zeros((size, n_assets), np.int64),
        by_reason=np.zeros((size, N_REASONS + 1), np.int64),
    )
    _explain(accounts, tables_before, tables, journal, marks_before, marks, pools, rows)
    eaten = rows.by_price.sum(axis=1) + rows.by_reason.sum(axis=1)
    missing = rows.excess_before - (rows.equity - rows.maintenance) - eaten
    for place in np.flatnonzero(missing):
        raise InvariantError(
            f"account {accounts.id[pools[place] % n_accounts]}, pool {pools[place] // n_accounts}: "
            f"causes add up to {eaten[place]} micro-USD, the ledger to "
            f"{eaten[place] + missing[place]}"
        )
    return rows


@kernel
def _explain(accounts, tables_before, tables, journal, marks_before, marks, pools, rows):
    n_accounts = accounts.position.shape[1]
    for place in range(pools.size):
        pool, n = pools[place] // n_accounts, pools[place] % n_accounts
        equity, maintenance, notional = pool_state(accounts, tables, marks, pool, n)
        rows.equity[place] = equity
        rows.maintenance[place] = maintenance
        rows.notional[place] = notional
        rows.excess_before[place] = _excess_before(
            accounts, tables_before, journal, marks_before, pool, n
        )
        _explain_postings(
            accounts, tables_before, journal, marks_before, pool, n, rows.by_reason[place]
        )
        rows.by_reason[place, REQUIREMENT] = _eaten_by_rates(
            accounts, tables_before, tables, marks_before, pool, n
        )
        _explain_prices(
            accounts, tables, journal, marks_before, marks, pool, n, rows.by_price[place],
            rows.by_reason[place],
        )  # fmt: skip


@kernel
def held_by(position, mode, pool, asset):
    """Return the lots of an asset that belong to a pool."""
    if pool == 0:
        return position if mode == CROSS else 0
    return position if mode == ISOLATED and pool == 1 + asset else 0


@kernel
def _held_before(accounts, journal, pool, asset, n):
    slot = journal.slot[n]
    if slot < 0:
        return held_by(accounts.position[asset, n], accounts.mode[asset, n], pool, asset)
    return held_by(journal.position[slot, asset], journal.mode[slot, asset], pool, asset)


@kernel
def _excess_before(accounts, tables, journal, marks_before, pool, n):
    slot = journal.slot[n]
    excess = accounts.cash[pool, n] if slot < 0 else journal.cash[slot, pool]
    for a in range(accounts.position.shape[0]):
        lots = _held_before(accounts, journal, pool, a, n)
        if lots != 0:
            value = position_value(tables, marks_before, a, lots)
            excess += value - maintenance_margin(tables, a, abs(value))
    return excess


@kernel
def _eaten_by_rates(accounts, tables_before, tables, marks_before, pool, n):
    """Return what new margin rates ask more of the positions now held, at the old marks."""
    eaten = 0
    for a in range(accounts.position.shape[0]):
        lots = held_by(accounts.position[a, n], accounts.mode[a, n], pool, a)
        if lots != 0:
            notional = abs(position_value(tables, marks_before, a, lots))
            eaten += maintenance_margin(tables, a, notional)
            eaten -= maintenance_margin(tables_before, a, notional)
    return eaten


@kernel
def _explain_prices(accounts, tables, journal, marks_before, marks, pool, n, by_price, by_reason):
    """After ADL the mover of a price pays for the position before it, ADL for the difference."""
    for a in range(accounts.position.shape[0]):
        if marks[a] == marks_before[a]:
            continue
        lots = held_by(accounts.position[a, n], accounts.mode[a, n], pool, a)
        before_adl = lots - _adl_lots(accounts, journal, pool, a, n)
        by_price[a] = eaten_by_move(tables, marks_before, marks, a, before_adl)
        if before_adl != lots:
            eaten = eaten_by_move(tables, marks_before, marks, a, lots)
            by_reason[ADL] += eaten - by_price[a]


@kernel
def eaten_by_move(tables, marks_before, marks, asset, lots):
    """Return the margin that a move of the mark eats of a position, micro-USD."""
    if lots == 0:
        return 0
    old = position_value(tables, marks_before, asset, lots)
    new = position_value(tables, marks, asset, lots)
    need = maintenance_margin(tables, asset, abs(new)) - maintenance_margin(tables, asset, abs(old))
    return need - (new - old)


@kernel
def _adl_lots(accounts, journal, pool, asset, n):
    """Return the lots that ADL gave a pool since the last judgement."""
    return (
        journal.adl_lots[journal.slot[n], asset]
        if adl_counts(accounts, journal, pool, asset, n)
        else 0
    )


@kernel
def adl_counts(accounts, journal, pool, asset, n):
    """Tell whether lots that ADL moved since the last judgement were those of a pool."""
    return journal.slot[n] >= 0 and _held_before(accounts, journal, pool, asset, n) != 0


@kernel
def _explain_postings(accounts, tables, journal, marks_before, pool, n, by_reason):
    slot = journal.slot[n]
    if slot < 0:
        return
    for reason in range(N_REASONS):
        by_reason[reason] = -journal.amount[slot, pool, reason]
    for a in range(accounts.position.shape[0]):
        before = _held_before(accounts, journal, pool, a, n)
        now = held_by(accounts.position[a, n], accounts.mode[a, n], pool, a)
        if before == 0 and now == 0:
            continue
        adl = _adl_lots(accounts, journal, pool, a, n)
        old = position_value(tables, marks_before, a, before)
        new = position_value(tables, marks_before, a, now)
        adl_value = position_value(tables, marks_before, a, adl)
        need = maintenance_margin(tables, a, abs(new)) - maintenance_margin(tables, a, abs(old))
        by_reason[ADL] -= adl_value
        by_reason[OWN_EXECUTION] += need - (new - old - adl_value)
