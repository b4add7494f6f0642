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
from stresslab.margin.portfolio.book import MAINTENANCE, NO_ASSET, book_requirement
from stresslab.margin.tiers import maintenance_margin

#: Smallest pieces of a move over which the requirement of scenarios is shared out, and what the
#: orders of assets may differ by in a straight piece, for each amount is rounded up: micro-USD.
PIECES, KINK = 1024, 32
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
    n_books = int(np.searchsorted(pools, n_accounts)) if tables.portfolio.shape[0] > 0 else 0
    if n_books > 0:
        books = Explanation(*(column[:n_books] for column in rows))
        explain_books(
            accounts, tables_before, tables, journal, marks_before, marks, pools[:n_books], books
        )
    others = Explanation(*(column[n_books:] for column in rows))
    _explain(accounts, tables_before, tables, journal, marks_before, marks, pools[n_books:], others)
    eaten = rows.by_price.sum(axis=1) + rows.by_reason.sum(axis=1)
    missing = rows.excess_before - (rows.equity - rows.maintenance) - eaten
    for place in np.flatnonzero(missing):
        raise InvariantError(
            f"account {accounts.id[pools[place] % n_accounts]}, pool {pools[place] // n_accounts}: "
            f"causes add up to {eaten[place]} micro-USD, the ledger to "
            f"{eaten[place] + missing[place]}"
        )
    return rows


def explain_books(  # type: ignore[no-untyped-def]
    accounts, tables_before, tables, journal, marks_before, marks, pools, rows
) -> None:
    """Write the same for cross pools that scenarios margin."""
    n_assets = marks.size
    before, prior, now = (np.zeros((n_assets, 1), np.int64) for _ in range(3))
    mode = np.full((n_assets, 1), CROSS, np.int8)
    _explain_books(
        accounts, tables_before, tables, journal, marks_before, marks, pools, rows, before, prior,
        now, mode, marks_before.copy(), np.zeros((3, n_assets), np.int64),
    )  # fmt: skip


@kernel
def _explain_books(
    accounts, tables_before, tables, journal, marks_before, marks, pools, rows, before, prior, now,
    mode, at, work
):  # fmt: skip
    """Explain with the books as they were, as they are, and as they would be without ADL."""
    for place in range(pools.size):
        n = pools[place]
        equity, maintenance, notional = pool_state(accounts, tables, marks, 0, n)
        rows.equity[place] = equity
        rows.maintenance[place] = maintenance
        rows.notional[place] = notional
        slot = journal.slot[n]
        excess = accounts.cash[0, n] if slot < 0 else journal.cash[slot, 0]
        by_price, by_reason = rows.by_price[place], rows.by_reason[place]
        if slot >= 0:
            for reason in range(N_REASONS):
                by_reason[reason] = -journal.amount[slot, 0, reason]
        adl_loss = 0
        for a in range(marks.size):
            before[a, 0] = _held_before(accounts, journal, 0, a, n)
            now[a, 0] = held_by(accounts.position[a, n], accounts.mode[a, n], 0, a)
            adl = _adl_lots(accounts, journal, 0, a, n)
            prior[a, 0] = now[a, 0] - adl
            excess += position_value(tables, marks_before, a, before[a, 0])
            gained = position_value(tables, marks_before, a, prior[a, 0] - before[a, 0])
            by_reason[OWN_EXECUTION] -= gained
            adl_loss -= position_value(tables, marks, a, adl)
            moved = position_value(tables, marks, a, prior[a, 0])
            by_price[a] = position_value(tables, marks_before, a, prior[a, 0]) - moved
        need = book_need(tables_before, marks_before, before, mode)
        rows.excess_before[place] = excess - need
        kept = book_need(tables_before, marks_before, prior, mode)
        by_reason[OWN_EXECUTION] += kept - need
        asked = book_need(tables, marks_before, prior, mode)
        by_reason[REQUIREMENT] = asked - kept
        asked += _share_out(tables, marks_before, marks, prior, mode, at, work, by_price)
        by_reason[ADL] += adl_loss + book_need(tables, marks, now, mode) - asked


@kernel
def _share_out(tables, marks_before, marks, book, mode, at, work, by_price):
    """Add to ``by_price`` what each asset's move asks more of a book; return what all ask.

    Aumann-Shapley along the straight move: in each piece of it assets move one after the other,
    once in rising and once in falling order, and the mean counts. Where both orders agree the
    requirement is straight and the piece may be long; near a kink it is halved.
    """
    twice, rising, falling = work[0], work[1], work[2]
    twice[:] = 0
    done, size = 0, PIECES
    while done < PIECES:
        ends = (done, done + size)
        _move_in_turn(tables, marks_before, marks, book, mode, at, rising, ends, 1)
        _move_in_turn(tables, marks_before, marks, book, mode, at, falling, ends, -1)
        if size > 1 and _differ(rising, falling):
            size //= 2
            continue
        for a in range(marks.size):
            twice[a] += rising[a] + falling[a]
        done += size
        while done % (2 * size) == 0:
            size *= 2
    return _add_halves(twice, by_price)


@kernel
def _differ(rising, falling):
    widest = 0
    for a in range(rising.size):
        widest = max(widest, abs(rising[a] - falling[a]))
    return widest > KINK


@kernel
def _move_in_turn(tables, marks_before, marks, book, mode, at, asked, ends, direction):
    """Move the marks over a piece of the move, asset after asset; note what each asks."""
    n_assets = marks.size
    for a in range(n_assets):
        at[a] = marks_before[a] + (marks[a] - marks_before[a]) * ends[0] // PIECES
    last = book_need(tables, at, book, mode)
    for i in range(n_assets):
        a = i if direction > 0 else n_assets - 1 - i
        at[a] = marks_before[a] + (marks[a] - marks_before[a]) * ends[1] // PIECES
        need = book_need(tables, at, book, mode)
        asked[a] = need - last
        last = need


@kernel
def _add_halves(twice, by_price):
    """Add half of each amount; of odd ones the earlier get the micro-USD that is left."""
    whole, left = 0, 0
    for a in range(twice.size):
        whole += twice[a]
        left += twice[a] - 2 * (twice[a] // 2)
    left //= 2
    for a in range(twice.size):
        share = twice[a] // 2
        if left > 0 and twice[a] != 2 * share:
            share += 1
            left -= 1
        by_price[a] += share
    return whole // 2


@kernel
def book_need(tables, marks, book, mode):
    """Return the maintenance margin of cross positions (A, 1): scenarios, and haircuts of spot."""
    need = book_requirement(tables, marks, book, mode, 0, MAINTENANCE, NO_ASSET, 0)
    for a in range(marks.size):
        if tables.is_spot[a]:
            need += maintenance_margin(tables, a, abs(position_value(tables, marks, a, book[a, 0])))
    return need


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
    slot = journal.slot[n]
    if slot < 0 or _held_before(accounts, journal, pool, asset, n) == 0:
        return 0
    return journal.adl_lots[slot, asset]


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
