"""Pools to call where initial margin counts too: short at a level, or below initial margin.

Who is below initial margin is called, never liquidated. One pass over all accounts finds both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel, merged
from stresslab.core.events import CROSS, ISOLATED
from stresslab.margin.pools import position_value
from stresslab.margin.portfolio.book import INITIAL, MAINTENANCE, NO_ASSET, book_requirement
from stresslab.margin.suspects import TILE, room_to_look, set_lines, suspects_of_tile
from stresslab.margin.sweep import join, levels_crossed
from stresslab.margin.tiers import (
    RATE_UNIT,
    MarginTables,
    collateral_value,
    maintenance_margin,
    margins,
)

_STEEPEST = 100 * RATE_UNIT  # a line above this would not fit 64 bits for large positions
_ROUNDED_UP = 3  # micro-USD that one position's initial margin gains by roundings, at most
_NOTE = 256  # a pool's code times this, twice the levels that it crossed, and whether it is below


class Called(NamedTuple):
    """Pools to call, by their codes, rising."""

    short: np.ndarray  # those that are short of margin at a level
    pools: np.ndarray  # all
    levels: np.ndarray  # int8, that each of them crossed: initial margin is one below all others


def pools_to_call(
    accounts: Accounts, tables: MarginTables, marks: np.ndarray, levels: np.ndarray, out: np.ndarray
) -> Called:
    """Return the pools that are short of margin at a level, or below their initial margin.

    The pass looks for them with straight lines above what either asks; what scenarios margin is
    looked at one by one. ``levels`` are in 1e-9, rising; ``out`` (pools * N,) is room for notes.
    """
    n_pools = accounts.cash.shape[0]
    found = np.zeros(n_pools, np.int64)
    if tables.portfolio.shape[0] > 0:
        total = _look_at_all(accounts, tables, marks, levels, found, out)
    else:
        above, times = lines_above(tables, int(levels[0]))
        look = room_to_look(n_pools)
        total = _sweep(accounts, tables, above, times, marks, levels, look, found, out)
    pools, notes = np.divmod(out[:total], _NOTE)
    crossed, is_below = np.divmod(notes, 2)
    levels_below = np.minimum(crossed, levels.size) + is_below
    return Called(pools[crossed > 0], pools, levels_below.astype(np.int8))


def lines_above(tables: MarginTables, level: int) -> tuple[MarginTables, np.float32]:
    """Return tables whose maintenance margin is at least what is asked of cross positions.

    That is the initial margin, and maintenance margin over the level. Of isolated positions at most
    so many times as much is asked as the number that is returned too.
    """
    above = tables._replace(rate=tables.rate.copy(), deduction=tables.deduction.copy())
    factor = int(tables.factor[CROSS])
    most = max(factor, _over(RATE_UNIT, level))
    for asset, is_spot in enumerate(tables.is_spot.tolist()):
        rates = [_over(rate, level) for rate in tables.rate[asset].tolist()]
        if not is_spot:
            initials = [-(-rate * factor // RATE_UNIT) for rate in tables.initial[asset].tolist()]
            steps = [max(pair) for pair in zip(rates, initials, strict=True)]
            _lay_lines(tables.floor[asset].tolist(), steps, most, above, asset)
        elif tables.initial[asset, 0] < RATE_UNIT:  # what does not back perpetuals
            above.rate[asset] = np.array(rates) + tables.initial[asset, 0]
            lesses = tables.deduction[asset].tolist()
            above.deduction[asset] = [less * RATE_UNIT // level for less in lesses]
        else:
            above.rate[asset], above.deduction[asset] = most, 0
    above.deduction[:] -= _ROUNDED_UP
    return above, np.float32(max(1.0, tables.factor[ISOLATED] / factor))


def _over(rate: int, level: int) -> int:
    """Return a rate over a level, both in 1e-9, rounded up."""
    return -(-rate * RATE_UNIT // level)


def _lay_lines(
    floors: list[int], rates: list[int], most: int, above: MarginTables, asset: int
) -> None:
    """Write lines that rise ever more steeply through or above the top of every step.

    Where they would be too steep, ``most`` of the notional, which no step exceeds, is the one line.
    """
    slope, height, deduction = 0, 0, 0  # height: of the lines so far at the floor, times 1e9
    for k in range(len(rates)):
        steeper = max(slope, rates[k])
        if k + 1 < len(rates) and floors[k + 1] > floors[k]:
            width = floors[k + 1] - floors[k]
            steeper = max(steeper, -(-(rates[k + 1] * floors[k + 1] - height) // width))
            height += steeper * width
        if steeper > _STEEPEST:  # behind a narrow bracket far from 0
            above.rate[asset], above.deduction[asset] = most, 0
            return
        deduction += floors[k] * (steeper - slope)
        slope = steeper
        above.rate[asset, k] = slope
        above.deduction[asset, k] = deduction // RATE_UNIT


@kernel
def _sweep(accounts, tables, above, times, marks, levels, look, found, out):
    """Write notes of the pools to call, by rising codes, into ``out``; return how many.

    ``above`` has lines above what cross pools need, silos need ``times`` as much; ``found`` counts
    by pool.
    """
    set_lines(above, RATE_UNIT, look.lines)
    for first in range(0, accounts.cash.shape[1], TILE):
        total = suspects_of_tile(accounts, above, marks, look, times, first)
        for suspect in look.suspects[:total]:
            pool, n = suspect // TILE, first + suspect % TILE
            _note(accounts, tables, marks, levels, pool, n, found, out)
    return join(found, accounts.cash.shape[1], out)


@kernel
def _look_at_all(accounts, tables, marks, levels, found, out):
    """Do the same by looking at every pool."""
    for pool in range(found.size):
        for n in range(accounts.cash.shape[1]):
            _note(accounts, tables, marks, levels, pool, n, found, out)
    return join(found, accounts.cash.shape[1], out)


@merged
def _note(accounts, tables, marks, levels, pool, n, found, out):
    """Write a note of a pool into its own part of ``out`` if it is to be called."""
    if pool == 0:
        equity, maintenance, is_below = _wallet_state(accounts, tables, marks, n)
    else:
        equity, maintenance, is_below = _silo_state(accounts, tables, marks, pool - 1, n)
    crossed = levels_crossed(tables, equity, maintenance, levels)
    if crossed > 0 or is_below:
        start = pool * accounts.cash.shape[1]
        out[start + found[pool]] = (start + n) * _NOTE + 2 * crossed + is_below
        found[pool] += 1


@merged
def _wallet_state(accounts, tables, marks, n):
    """Return a cross pool's equity and maintenance margin, and whether its perpetuals need more.

    What backs them is money, their own value, and spot at its haircuts.
    """
    cash, held, mode = accounts.cash[0, n], accounts.position, accounts.mode
    equity, free, maintenance, holds_perpetual = cash, cash, 0, False
    by_scenarios = tables.portfolio.shape[0] > 0
    if by_scenarios:
        maintenance = book_requirement(tables, marks, held, mode, n, MAINTENANCE, NO_ASSET, 0)
        free -= book_requirement(tables, marks, held, mode, n, INITIAL, NO_ASSET, 0)
    for a in range(held.shape[0]):
        if mode[a, n] != CROSS or held[a, n] == 0:
            continue
        value = position_value(tables, marks, a, held[a, n])
        equity += value
        if tables.is_spot[a]:
            maintenance += maintenance_margin(tables, a, abs(value))
            free += collateral_value(tables, a, value)
            continue
        holds_perpetual = True
        free += value
        if not by_scenarios:
            least, initial = margins(tables, a, abs(value), CROSS)
            maintenance += least
            free -= initial
    return equity, maintenance, holds_perpetual and free < 0


@merged
def _silo_state(accounts, tables, marks, asset, n):
    """Return a silo's equity and maintenance margin, and whether its position needs more."""
    equity = accounts.cash[1 + asset, n]
    if accounts.mode[asset, n] != ISOLATED:
        return equity, 0, False
    value = position_value(tables, marks, asset, accounts.position[asset, n])
    maintenance, initial = margins(tables, asset, abs(value), ISOLATED)
    return equity + value, maintenance, equity + value < initial
