"""A look at cross pools in floats: most are so far from short that integers need not look.

Accounts are looked at in tiles, asset by asset, as columns lie in memory.
"""

from __future__ import annotations

from stresslab.core.compiled import kernel, merged
from stresslab.core.events import CROSS
from stresslab.margin.portfolio.book import (
    ADDITION,
    BREAK,
    CLASS,
    CREDIT,
    DOWN_MOVE,
    FLOOR_OF_HEDGED,
    FLOOR_OF_NET,
    LOSS_FACTOR,
    SCALE,
    UP_MOVE,
)

TILE = 128  # accounts
#: Columns of a tile, one number an account.
SPARE, BAND, VALUE, LONGS, SHORTS, BROKEN = range(6)
N_COLUMNS = 6
#: Far more than floats of 53 bits can lose, relative to all that is added; and in the band of a
#: leg, 1,000 micro-USD, far more than roundings of its amounts to the micro-USD can add.
RELATIVE_BAND, BAND_OF_A_LEG = 1e-9, 1e12
_RATE = 1e-9


@kernel
def wallets_near_short(accounts, tables, marks, level, tile, out):
    """Write the rows of cross pools whose ``level * equity`` is not well above their need.

    ``level`` in 1e-9, ``tile`` (6, TILE) is room. Spot is taken at its highest haircut, which leans
    against the pool. Returns how many there are, rising.
    """
    grid, found = tables.portfolio, 0
    n_assets, n_accounts = accounts.position.shape
    for first in range(0, n_accounts, TILE):
        last = min(first + TILE, n_accounts)
        _start(accounts.cash[0, first:last], level, tile)
        for group in range(n_assets):
            if grid[group, CLASS] == -1:
                _add_leg(accounts, tables, marks, level, group, first, last, tile)
            if grid[group, CLASS] != group:
                continue
            tile[LONGS:] = 0.0
            for a in range(group, n_assets):
                if grid[a, CLASS] == group:
                    _add_leg(accounts, tables, marks, level, a, first, last, tile)
            _take_class(grid[group], last - first, tile)
        for i in range(last - first):
            if tile[SPARE, i] < RELATIVE_BAND * tile[BAND, i]:
                out[found] = first + i
                found += 1
    return found


@merged
def _start(wallet, level, tile):
    """Begin with the wallets: what they have, and what rounding may lose of it."""
    spare, band = tile[SPARE], tile[BAND]
    for i in range(wallet.size):
        money = float(wallet[i])
        spare[i] = level * _RATE * money
        band[i] = abs(money)


@merged
def _add_leg(accounts, tables, marks, level, a, first, last, tile):
    """Add one asset: its value, its haircut or charge, and its side of the class."""
    grid = tables.portfolio
    worth = float(marks[a]) * tables.unit_value[a]
    haircut = tables.rate[a, tables.n_lines[a] - 1] if tables.is_spot[a] else 0
    charge = (haircut + grid[a, ADDITION]) * _RATE
    scale, alone, share = grid[a, SCALE] * _RATE, grid[a, BREAK] * _RATE, level * _RATE
    value = tile[VALUE]
    _set_values(accounts.position[a, first:last], accounts.mode[a, first:last], worth, value)
    _add_to_pools(value, share, charge, tile[SPARE], tile[BAND])
    _add_to_side(value, scale, tile[LONGS])
    _add_to_side(value, -scale, tile[SHORTS])
    _widen(value, alone * scale, tile[BROKEN])


# Loops over few columns, in which the processor takes several accounts at once.


@merged
def _set_values(position, mode, worth, value):
    for i in range(position.size):
        value[i] = float(position[i]) * (worth if mode[i] == CROSS else 0.0)


@merged
def _add_to_pools(value, share, charge, spare, band):
    for i in range(value.size):
        size = abs(value[i])
        spare[i] += share * value[i] - charge * size
        band[i] += size + (BAND_OF_A_LEG if size > 0.0 else 0.0)


@merged
def _add_to_side(value, scale, side):
    for i in range(value.size):
        side[i] += max(scale * value[i], 0.0)


@merged
def _widen(value, alone, broken):
    for i in range(value.size):
        broken[i] = max(broken[i], alone * abs(value[i]))


@merged
def _take_class(row, n, tile):
    """Take off what the scenarios ask of a class, or its floor."""
    credit, factor = row[CREDIT] * _RATE, row[LOSS_FACTOR] * _RATE
    down, up = row[DOWN_MOVE] * _RATE, row[UP_MOVE] * _RATE
    net, both = row[FLOOR_OF_NET] * _RATE, row[FLOOR_OF_HEDGED] * _RATE
    spare, longs, shorts, broken = tile[SPARE], tile[LONGS], tile[SHORTS], tile[BROKEN]
    for i in range(n):
        hedged = min(longs[i], shorts[i])
        offset = hedged * credit
        worst = max((longs[i] - offset) * down, (shorts[i] - offset) * up)
        loss = max(worst, broken[i]) * factor
        least = abs(longs[i] - shorts[i]) * net + hedged * both
        spare[i] -= max(loss, least)
