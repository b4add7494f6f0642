"""Which pools are short of margin: one pass over all accounts, floats first, integers to decide."""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel, merged
from stresslab.core.events import ISOLATED
from stresslab.core.exact import FLOOR, mul_div
from stresslab.margin.pools import pool_state
from stresslab.margin.tiers import RATE_UNIT, MarginTables

#: Accounts are looked at in tiles that stay in the processor's first cache.
TILE = 256
#: Screening error of the float sweep: relative to the gross amounts added, and absolute in
#: micro-USD (rounding up of one maintenance margin per asset).
RELATIVE_BAND = 1e-12
ABSOLUTE_BAND = 64.0
_ALL_CLEAR = 1e300


def pools_short_of_margin(
    accounts: Accounts, tables: MarginTables, marks: np.ndarray, level: int, out: np.ndarray
) -> np.ndarray:
    """Return the codes of all pools with ``level * equity < maintenance``, rising.

    ``out`` (pools * N,) is room for them. Floats screen, with a band wider than their error;
    integers decide.
    """
    values = marks.astype(np.float64) * tables.unit_value
    slope = tables.rate * (1.0 / level)  # of the lines whose highest is the requirement / level
    offset = tables.deduction * (RATE_UNIT / level)
    room = np.empty((4, TILE))
    places = np.empty(TILE, np.int64)
    found = _sweep(accounts, tables, marks, level, values, slope, offset, *room, places, out)
    return np.sort(out[:found])


@kernel
def is_short(equity, maintenance, level):
    """Tell whether ``level * equity < maintenance``; ``level`` in 1e-9, RATE_UNIT is a breach."""
    if level == RATE_UNIT or equity < maintenance:
        return equity < maintenance
    return mul_div(equity, level, RATE_UNIT, FLOOR) < maintenance


@kernel
def _sweep(
    accounts, tables, marks, level, values, slope, offset, excess, silo_excess, worth, need, places,
    out,
):  # fmt: skip
    n_assets, n_accounts = accounts.position.shape
    found = 0
    for first in range(0, n_accounts, TILE):
        last = min(first + TILE, n_accounts)
        width = last - first
        gross = _start_tile(accounts.cash[0, first:last], excess)
        any_silo = False
        for a in range(n_assets):
            mode = accounts.mode[a, first:last]
            largest = _value(accounts.position[a, first:last], values[a], slope[a, 0], worth, need)
            gross += largest
            _require(tables, a, largest, width, slope, offset, worth, need)
            if _has_silo(mode):
                if not any_silo:
                    silo_excess[:] = _ALL_CLEAR
                any_silo = True
                silo = accounts.cash[1 + a, first:last]
                gross += _add_to_pools(mode, silo, worth, need, excess, silo_excess)
            else:
                _add_to_wallets(width, worth, need, excess)
        band = ABSOLUTE_BAND + RELATIVE_BAND * gross
        for k in range(_list_below(excess, width, band, places)):
            n = first + places[k]
            found = _judge(accounts, tables, marks, level, 0, n, out, found)
        if any_silo:
            for k in range(_list_below(silo_excess, width, band, places)):
                n = first + places[k]
                for a in range(n_assets):
                    if accounts.mode[a, n] == ISOLATED:
                        found = _judge(accounts, tables, marks, level, 1 + a, n, out, found)
    return found


@merged
def _start_tile(wallet, excess):
    """Begin with the wallets; return the largest without sign."""
    largest = 0
    for i in range(wallet.size):
        largest = max(largest, abs(wallet[i]))
        excess[i] = wallet[i]
    return float(largest)


@merged
def _value(position, value, low, worth, need):
    """Write value and lowest requirement of a tile's positions; return the largest notional."""
    largest = 0
    for i in range(position.size):
        largest = max(largest, abs(position[i]))
        amount = position[i] * value
        worth[i] = amount
        need[i] = low * abs(amount)
    return largest * value


@merged
def _require(tables, a, largest, width, slope, offset, worth, need):
    """Raise the requirements of a tile to the highest of the brackets' lines.

    Lines that begin above the largest notional of the tile cannot be the highest of any.
    """
    for k in range(1, tables.n_lines[a]):
        if tables.floor[a, k] > 1.001 * largest:
            break
        steep, less = slope[a, k], offset[a, k]
        for i in range(width):
            need[i] = max(need[i], steep * abs(worth[i]) - less)


@merged
def _has_silo(mode):
    """Tell whether any position of a tile is isolated."""
    seen = np.int8(0)
    for i in range(mode.size):
        seen |= mode[i]
    return seen & np.int8(ISOLATED) != 0


@merged
def _add_to_wallets(width, worth, need, excess):
    """Add one asset to the excess of a tile's cross pools, where none is isolated."""
    for i in range(width):
        excess[i] += worth[i] - need[i]


@merged
def _add_to_pools(mode, silo, worth, need, excess, silo_excess):
    """Add one asset to each account's pool; return the largest silo without sign.

    Of an account's isolated pools only the lowest excess is kept.
    """
    largest = 0
    for i in range(mode.size):
        margin = worth[i] - need[i]
        is_silo = mode[i] == ISOLATED
        excess[i] += 0.0 if is_silo else margin
        silo_excess[i] = min(silo_excess[i], silo[i] + margin if is_silo else _ALL_CLEAR)
        largest = max(largest, abs(silo[i]))
    return float(largest)


@merged
def _list_below(excess, width, band, places):
    """Write where in a tile the excess is below a bar; return how often."""
    count = 0
    for i in range(width):
        places[count] = i
        count += excess[i] < band
    return count


@kernel
def _judge(accounts, tables, marks, level, pool, n, out, found):
    equity, maintenance, _ = pool_state(accounts, tables, marks, pool, n)
    if is_short(equity, maintenance, level):
        out[found] = pool * accounts.position.shape[1] + n
        found += 1
    return found
