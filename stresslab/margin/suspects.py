"""Which pools seem short of margin: a look in floats at accounts in tiles.

The floats are narrow, since a pool is looked at in a nanosecond or not at all. They lean against
the pool by more than they can err: none that is short escapes, and the few that are held back
wrongly are let go by the integers. See :func:`set_lines` for how far they lean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.compiled import merged
from stresslab.core.events import ISOLATED
from stresslab.core.wide import fetch_early, lowest_bit
from stresslab.margin.tiers import RATE_UNIT

#: Accounts are looked at in tiles that stay in the processor's first cache, in words of 64.
TILE, WORD = 128, 64
#: A tile's columns lie far apart, so the processor does not foresee the next: it is asked for this
#: many accounts ahead, by cache lines of 8 numbers.
AHEAD, CACHE_LINE = 2 * TILE, 8
#: Straight lines above the requirement of a position. If there are more brackets, the lowest
#: ``OWN`` have each its own, since rates differ most there, and the others share the rest.
LINES, OWN = 6, 3
#: What a float of 24 bits can lose, relative; the lean is a multiple of it.
ROUNDING = 2.0**-24
#: Isolated positions of an account that are told apart by bits before the integers look.
BITS = 31
ONE_TIME = np.float32(1)

_F = np.float32
_ZERO = np.float32(0)
_NONE = np.uint64(0)
_ONE = np.uint64(1)


class Look(NamedTuple):
    """Room for a look at a tile."""

    lines: np.ndarray  # (A, LINES, 2) slope and offset
    excess: np.ndarray  # (TILE,) of cross pools, over what the lines ask
    shorts: np.ndarray  # (TILE,) bits of isolated positions that seem short
    suspects: np.ndarray  # (pools * TILE,) ``pool * TILE + place`` of pools that seem short


def room_to_look(n_pools: int) -> Look:
    """Return room for a look at accounts of so many pools."""
    lines = np.empty((n_pools - 1, LINES, 2), np.float32)
    excess, shorts = np.empty(TILE, np.float32), np.empty(TILE, np.int32)
    return Look(lines, excess, shorts, np.empty(n_pools * TILE, np.int64))


@merged
def suspects_of_tile(accounts, tables, marks, look, times, first):
    """Write which pools of a tile seem short, by accounts and pools; return how many.

    Isolated positions need so many ``times`` what the lines ask of cross ones.
    """
    excess, shorts, suspects, total = look.excess, look.shorts, look.suspects, 0
    _look_at_tile(accounts, tables, marks, look.lines, times, first, excess, shorts)
    for word in range(0, TILE, WORD):
        bits = _seem_short(excess[word : word + WORD], shorts[word : word + WORD])
        while bits != _NONE:
            place = word + lowest_bit(np.int64(bits))
            bits &= bits - _ONE
            if excess[place] < _ZERO:
                suspects[total] = place
                total += 1
            marked = np.int64(shorts[place])
            while marked != 0:
                bit = lowest_bit(marked)
                marked &= marked - 1
                for pool in range(1 + bit, accounts.cash.shape[0], BITS):
                    suspects[total] = pool * TILE + place
                    total += 1
    return total


@merged
def _look_at_tile(accounts, tables, marks, lines, times, first, excess, shorts):
    """Write the excess of a tile's cross pools, and mark its isolated ones that seem short."""
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

    Brackets are such lines; where there are more than ``LINES``, neighbours share one. Every slope
    is lifted by more than the value and requirement of a position can lose in narrow floats (16
    roundings, of value and requirement alike), and its pool in as many additions as there are
    positions, none of them larger than twice what all positions and requirements add up to, if the
    pool is anywhere near its bar. Every offset is lowered by what is rounded up to whole micro-USD.
    """
    share = 1.0 / level
    lift = (4 * lines.shape[0] + 16) * ROUNDING
    for a in range(lines.shape[0]):
        n = tables.n_lines[a]
        n_lines, highest = min(n, LINES), float(tables.rate[a, n - 1])
        for k in range(LINES):
            j = min(k, n_lines - 1)
            slope, less = _line(tables, a, _bracket_of(j, n), _bracket_of(j + 1, n))
            lines[a, k, 0] = slope * share + lift * (1.0 + highest * share)
            lines[a, k, 1] = (less - 2.0) * share * RATE_UNIT


@merged
def _bracket_of(line, n):
    """Return the first of the ``n`` brackets that a line is above."""
    if n <= LINES or line < OWN:
        return line
    return OWN + (line - OWN) * (n - OWN) // (LINES - OWN)


@merged
def _line(tables, a, first, beyond):
    """Return slope (1e-9) and deduction of a line above the brackets from one up to another.

    It goes through both ends, since requirements are convex; beyond the last bracket there is none,
    and it rises as that does.
    """
    floor, least = tables.floor[a, first], _at_floor(tables, a, first)
    slope = float(tables.rate[a, beyond - 1])
    if beyond < tables.n_lines[a]:
        rise = _at_floor(tables, a, beyond) - least
        slope = rise / (tables.floor[a, beyond] - floor) * RATE_UNIT
    return slope, slope / RATE_UNIT * floor - least


@merged
def _at_floor(tables, a, k):
    """Return the requirement where a bracket begins."""
    return tables.rate[a, k] / RATE_UNIT * tables.floor[a, k] - tables.deduction[a, k]


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
def column_of(lines, place):
    """Return slopes (place 0) or offsets (1) as numbers, which no store can change in a loop."""
    first, second, third = lines[0, place], lines[1, place], lines[2, place]
    return first, second, third, lines[3, place], lines[4, place], lines[5, place]


@merged
def need_of(size, slope, offset):
    """Return what a position of a size needs, at most."""
    low = max(slope[0] * size - offset[0], slope[1] * size - offset[1])
    middle = max(slope[2] * size - offset[2], slope[3] * size - offset[3])
    high = max(slope[4] * size - offset[4], slope[5] * size - offset[5])
    return max(low, max(middle, high)) if size > _ZERO else _ZERO


@merged
def _add_to_wallets(position, value, lines, excess):
    """Add one asset to the excess of a tile's cross pools, where none is isolated."""
    slope, offset = column_of(lines, 0), column_of(lines, 1)
    for i in range(position.size):
        worth = _F(position[i]) * value
        excess[i] += worth - need_of(abs(worth), slope, offset)


@merged
def _add_to_pools(position, value, lines, times, mode, silo, bit, excess, shorts):
    """Add one asset to each account's pool: to the excess of the wallet, or mark a short silo."""
    slope, offset = column_of(lines, 0), column_of(lines, 1)
    for i in range(position.size):
        worth = _F(position[i]) * value
        need = need_of(abs(worth), slope, offset)
        is_silo = mode[i] == ISOLATED
        excess[i] += _ZERO if is_silo else worth - need
        is_below = is_silo and _F(silo[i]) + (worth - times * need) < _ZERO
        shorts[i] |= bit if is_below else np.int32(0)


@merged
def _seem_short(excess, shorts):
    """Return a word whose bits tell which accounts seem to have a pool that is short."""
    bits = _NONE
    for i in range(WORD):
        bits |= np.uint64((excess[i] < _ZERO) | (shorts[i] != 0)) << np.uint64(i)
    return bits
