"""Which pools are short of margin: one pass over all accounts, floats first, integers to decide.

The floats are narrow, since a pool is looked at in a nanosecond or not at all. They lean against
the pool by more than they can err: none that is short escapes, and the few that are held back
wrongly are let go by the integers. See :func:`set_lines` for how far they lean.
"""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel, merged
from stresslab.core.events import ISOLATED
from stresslab.core.exact import FLOOR, mul_div
from stresslab.core.wide import fetch_early, lowest_bit
from stresslab.margin.pools import is_breached, pool_state
from stresslab.margin.portfolio import screen
from stresslab.margin.tiers import RATE_UNIT, MarginTables, share_of

#: Accounts are looked at in tiles that stay in the processor's first cache, in words of 64.
TILE, WORD = 128, 64
#: A tile's columns lie far apart, so the processor does not foresee the next: it is asked for this
#: many accounts ahead, by cache lines of 8 numbers.
AHEAD, CACHE_LINE = 2 * TILE, 8
#: Straight lines above the requirement of a position; more brackets are covered by the last.
LINES = 6
#: What a float of 24 bits can lose, relative; the lean is a multiple of it.
ROUNDING = 2.0**-24
#: Isolated positions of an account that are told apart by bits before the integers look.
BITS = 31

_F = np.float32
_ZERO = np.float32(0)
_NONE = np.uint64(0)
_ONE = np.uint64(1)
_ONE_TIME = np.float32(1)


def pools_short_of_margin(
    accounts: Accounts, tables: MarginTables, marks: np.ndarray, level: int, out: np.ndarray
) -> np.ndarray:
    """Return the codes of all pools with ``level * equity < maintenance``, rising.

    ``level`` is in 1e-9 and ``RATE_UNIT`` means a breach; ``out`` (pools * N,) is room for them.
    """
    n_pools = accounts.cash.shape[0]
    lines = np.empty((n_pools - 1, LINES, 2), np.float32)
    if tables.portfolio.shape[0] > 0:
        tile = np.zeros((screen.N_COLUMNS, screen.TILE))  # whole, since loops run over all of it
        total = screen.wallets_near_short(accounts, tables, marks, level, tile, out)
        total = _judge_all(accounts, tables, marks, level, lines, total, out)
        return out[:total].copy()
    excess, shorts = np.empty(TILE, np.float32), np.empty(TILE, np.int32)
    found = np.zeros(n_pools, np.int64)
    total = _sweep(accounts, tables, marks, level, lines, excess, shorts, found, out)
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
    slope, offset = _column(lines, 0), _column(lines, 1)
    bits = _NONE
    for i in range(position.size):
        worth = _F(position[i]) * value
        is_below = _F(silo[i]) + (worth - _need(abs(worth), slope, offset)) < _ZERO
        bits |= np.uint64((mode[i] == ISOLATED) & is_below) << np.uint64(i)
    return bits


@kernel
def _sweep(accounts, tables, marks, level, lines, excess, shorts, found, out):
    """Write the codes of short pools, rising, into ``out``; return how many.

    ``excess`` is of a tile's cross pools, ``shorts`` marks its isolated ones by asset. Every pool
    first collects its codes in its own part of ``out``; ``found`` counts them.
    """
    n_accounts = accounts.position.shape[1]
    set_lines(tables, level, lines)
    for first in range(0, n_accounts, TILE):
        look_at_tile(accounts, tables, marks, lines, _ONE_TIME, first, excess, shorts)
        for word in range(0, TILE, WORD):
            bits = suspects_of(excess[word : word + WORD], shorts[word : word + WORD])
            while bits != _NONE:
                place = word + lowest_bit(np.int64(bits))
                bits &= bits - _ONE
                n = first + place
                if excess[place] < _ZERO:
                    _judge(accounts, tables, marks, level, 0, n, found, out)
                _judge_silos(accounts, tables, marks, level, n, shorts[place], found, out)
    return join(found, n_accounts, out)


@merged
def look_at_tile(accounts, tables, marks, lines, times, first, excess, shorts):
    """Write the excess of a tile's cross pools, and mark its isolated ones that seem short.

    Isolated positions need so many ``times`` what the lines ask of cross ones.
    """
    n_assets, n_accounts = accounts.position.shape
    last = min(first + TILE, n_accounts)
    shorts[:] = 0
    _fetch(accounts.cash[0], first + AHEAD)
    _start_tile(accounts.cash[0, first:last], excess)
    for a in range(n_assets):
        value = _F(float(marks[a]) * tables.unit_value[a])
        position = accounts.position[a, first:last]
        mode = accounts.mode[a, first:last]
        _fetch(accounts.position[a], first + AHEAD)
        if _has_silo(mode):
            _fetch(accounts.cash[1 + a], first + AHEAD)
            silo = accounts.cash[1 + a, first:last]
            bit = np.int32(1 << (a % BITS))
            _add_to_pools(position, value, lines[a], times, mode, silo, bit, excess, shorts)
        else:
            _add_to_wallets(position, value, lines[a], excess)


@merged
def set_lines(tables, level, lines):
    """Write slope and offset of lines whose highest is above any requirement over the level.

    Brackets are such lines; the last of ``LINES`` rises at the asset's highest rate from the floor
    of its bracket, and so covers all above. Every slope is lifted by more than the value and
    requirement of a position can lose in narrow floats (16 roundings, of value and requirement
    alike), and its pool in as many additions as there are positions, none of them larger than
    twice what all positions and requirements add up to, if the pool is anywhere near its bar.
    Every offset is lowered by what is rounded up to whole micro-USD.
    """
    share = 1.0 / level
    lift = (4 * lines.shape[0] + 16) * ROUNDING
    for a in range(lines.shape[0]):
        top = tables.n_lines[a] - 1
        highest = float(tables.rate[a, top])
        for k in range(LINES):
            j = min(k, top)
            rate, less = float(tables.rate[a, j]), float(tables.deduction[a, j])
            if k == LINES - 1 and j < top:
                less += (highest - rate) / RATE_UNIT * tables.floor[a, j]
                rate = highest
            lines[a, k, 0] = rate * share + lift * (1.0 + highest * share)
            lines[a, k, 1] = (less - 2.0) * share * RATE_UNIT


@merged
def _fetch(row, first):
    """Ask for a tile of a row before it is needed."""
    for place in range(first, min(first + TILE, row.size), CACHE_LINE):
        fetch_early(row, place)


@merged
def _start_tile(wallet, excess):
    """Begin with the wallets."""
    excess[wallet.size :] = _ZERO
    for i in range(wallet.size):
        excess[i] = _F(wallet[i])


@merged
def _has_silo(mode):
    """Tell whether any position of a tile is isolated."""
    seen = np.int8(0)
    for i in range(mode.size):
        seen |= mode[i]
    return seen & np.int8(ISOLATED) != 0


@merged
def _column(lines, place):
    """Return slopes (place 0) or offsets (1) as numbers, which no store can change in a loop."""
    first, second, third = lines[0, place], lines[1, place], lines[2, place]
    return first, second, third, lines[3, place], lines[4, place], lines[5, place]


@merged
def _need(size, slope, offset):
    """Return what a position of a size needs, at most."""
    low = max(slope[0] * size - offset[0], slope[1] * size - offset[1])
    middle = max(slope[2] * size - offset[2], slope[3] * size - offset[3])
    high = max(slope[4] * size - offset[4], slope[5] * size - offset[5])
    return max(low, max(middle, high)) if size > _ZERO else _ZERO


@merged
def _add_to_wallets(position, value, lines, excess):
    """Add one asset to the excess of a tile's cross pools, where none is isolated."""
    slope, offset = _column(lines, 0), _column(lines, 1)
    for i in range(position.size):
        worth = _F(position[i]) * value
        excess[i] += worth - _need(abs(worth), slope, offset)


@merged
def _add_to_pools(position, value, lines, times, mode, silo, bit, excess, shorts):
    """Add one asset to each account's pool: to the excess of the wallet, or mark a short silo."""
    slope, offset = _column(lines, 0), _column(lines, 1)
    for i in range(position.size):
        worth = _F(position[i]) * value
        need = _need(abs(worth), slope, offset)
        is_silo = mode[i] == ISOLATED
        excess[i] += _ZERO if is_silo else worth - need
        is_below = is_silo and _F(silo[i]) + (worth - times * need) < _ZERO
        shorts[i] |= bit if is_below else np.int32(0)


@merged
def suspects_of(excess, shorts):
    """Return a word whose bits tell which accounts seem to have a pool that is short."""
    bits = _NONE
    for i in range(WORD):
        bits |= np.uint64((excess[i] < _ZERO) | (shorts[i] != 0)) << np.uint64(i)
    return bits


@merged
def _judge(accounts, tables, marks, level, pool, n, found, out):
    equity, maintenance, _ = pool_state(accounts, tables, marks, pool, n)
    if is_short(tables, equity, maintenance, level):
        start = pool * accounts.position.shape[1]
        out[start + found[pool]] = start + n
        found[pool] += 1


@merged
def _judge_silos(accounts, tables, marks, level, n, marked, found, out):
    bits = np.int64(marked)
    while bits != 0:
        bit = lowest_bit(bits)
        bits &= bits - 1
        for a in range(bit, accounts.position.shape[0], BITS):
            _judge(accounts, tables, marks, level, 1 + a, n, found, out)


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
