"""Which pools are short of margin: one pass over all accounts, floats first, integers to decide."""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel, merged
from stresslab.core.events import ISOLATED
from stresslab.core.exact import FLOOR, mul_div
from stresslab.core.wide import lowest_bit
from stresslab.margin.pools import is_breached, pool_state
from stresslab.margin.portfolio import screen
from stresslab.margin.suspects import (
    ONE_TIME,
    TILE,
    WORD,
    column_of,
    need_of,
    room_to_look,
    set_lines,
    suspects_of_tile,
)
from stresslab.margin.tiers import RATE_UNIT, MarginTables, share_of

_F = np.float32
_ZERO = np.float32(0)
_NONE = np.uint64(0)
_ONE = np.uint64(1)


def pools_short_of_margin(
    accounts: Accounts, tables: MarginTables, marks: np.ndarray, level: int, out: np.ndarray
) -> np.ndarray:
    """Return the codes of all pools with ``level * equity < maintenance``, rising.

    ``level`` is in 1e-9 and ``RATE_UNIT`` means a breach; ``out`` (pools * N,) is room for them.
    """
    look = room_to_look(accounts.cash.shape[0])
    if tables.portfolio.shape[0] > 0:
        tile = np.zeros((screen.N_COLUMNS, screen.TILE))  # whole, since loops run over all of it
        total = screen.wallets_near_short(accounts, tables, marks, level, tile, out)
        total = _judge_all(accounts, tables, marks, level, look.lines, total, out)
        return out[:total].copy()
    found = np.zeros(accounts.cash.shape[0], np.int64)
    total = _sweep(accounts, tables, marks, level, look, found, out)
    return out[:total].copy()


@kernel
def is_short(tables, equity, maintenance, level):
    """Tell whether ``level * equity < maintenance``; ``level`` in 1e-9, RATE_UNIT is a breach."""
    if level == RATE_UNIT or equity < maintenance:
        return is_breached(tables, equity, maintenance)
    return mul_div(equity, level, RATE_UNIT, FLOOR) < maintenance


@merged
def levels_crossed(tables, equity, maintenance, levels):
    """Return how many of the rising levels a pool is short at; one more if it is in breach."""
    if is_breached(tables, equity, maintenance):
        return levels.size + 1
    crossed = 0
    for level in levels:
        crossed += share_of(equity, level, FLOOR) < maintenance
    return crossed


@kernel
def _judge_all(accounts, tables, marks, level, lines, n_wallets, out):
    """Keep those of the first rows in ``out`` whose cross pool is short; add the short silos."""
    n_assets, n_accounts = accounts.position.shape
    found = 0
    for place in range(n_wallets):
        n = out[place]
        equity, maintenance, _ = pool_state(accounts, tables, marks, 0, n)
        if is_short(tables, equity, maintenance, level):
            out[found] = n
            found += 1
    set_lines(tables, level, lines)
    for a in range(n_assets):
        value = _F(float(marks[a]) * tables.unit_value[a])
        for first in range(0, n_accounts, WORD):
            last = min(first + WORD, n_accounts)
            position, mode = accounts.position[a, first:last], accounts.mode[a, first:last]
            silo = accounts.cash[1 + a, first:last]
            bits = _short_silos(position, mode, silo, value, lines[a])
            while bits != _NONE:
                n = first + lowest_bit(np.int64(bits))
                bits &= bits - _ONE
                equity, maintenance, _ = pool_state(accounts, tables, marks, 1 + a, n)
                if is_short(tables, equity, maintenance, level):
                    out[found] = (1 + a) * n_accounts + n
                    found += 1
    return found


@merged
def _short_silos(position, mode, silo, value, lines):
    """Return a word whose bits tell which isolated positions seem to be short."""
    slope, offset = column_of(lines, 0), column_of(lines, 1)
    bits = _NONE
    for i in range(position.size):
        worth = _F(position[i]) * value
        is_below = _F(silo[i]) + (worth - need_of(abs(worth), slope, offset)) < _ZERO
        bits |= np.uint64((mode[i] == ISOLATED) & is_below) << np.uint64(i)
    return bits


@kernel
def _sweep(accounts, tables, marks, level, look, found, out):
    """Write the codes of short pools, rising, into ``out``; return how many.

    Every pool first collects its codes in its own part of ``out``; ``found`` counts them.
    """
    set_lines(tables, level, look.lines)
    for first in range(0, accounts.position.shape[1], TILE):
        total = suspects_of_tile(accounts, tables, marks, look, ONE_TIME, first)
        for suspect in look.suspects[:total]:
            pool, n = suspect // TILE, first + suspect % TILE
            _judge(accounts, tables, marks, level, pool, n, found, out)
    return join(found, accounts.position.shape[1], out)


@merged
def _judge(accounts, tables, marks, level, pool, n, found, out):
    equity, maintenance, _ = pool_state(accounts, tables, marks, pool, n)
    if is_short(tables, equity, maintenance, level):
        start = pool * accounts.position.shape[1]
        out[start + found[pool]] = start + n
        found[pool] += 1


@merged
def join(found, n_accounts, out):
    """Move every pool's codes next to those of the pool before; return how many there are."""
    total = found[0]
    for pool in range(1, found.size):
        start = pool * n_accounts
        for place in range(found[pool]):
            out[total + place] = out[start + place]
        total += found[pool]
    return total
