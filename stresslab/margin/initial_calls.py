"""Pools whose equity is below the initial margin of what they hold: called, never liquidated."""

from __future__ import annotations

import numpy as np

from stresslab.core.columns import Accounts
from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS, ISOLATED
from stresslab.margin.acceptance import reserve, wallet_equity
from stresslab.margin.sweep import pools_short_of_margin
from stresslab.margin.tiers import RATE_UNIT, MarginTables, collateral_value, initial_margin

_STEEPEST = 100 * RATE_UNIT  # a line above this would not fit 64 bits for large positions
_ROUNDED_UP = 3  # micro-USD that one position's initial margin gains by roundings, at most


def pools_below_initial_margin(
    accounts: Accounts, tables: MarginTables, marks: np.ndarray
) -> np.ndarray:
    """Return the codes of all pools that could not open their positions now, rising.

    The sweep looks for them with straight lines above the steps of initial margin; what scenarios
    margin is looked at one by one.
    """
    suspects = np.arange(accounts.cash.size)
    if tables.portfolio.shape[0] == 0:
        above = _lines_above(tables)
        suspects = pools_short_of_margin(accounts, above, marks, RATE_UNIT, suspects)
    found = _below_initial(accounts, tables, marks, suspects)
    return suspects[:found]


def _lines_above(tables: MarginTables) -> MarginTables:
    """Return tables whose maintenance margin is at least the initial margin in any mode."""
    above = tables._replace(rate=tables.rate.copy(), deduction=tables.deduction.copy())
    factor = max(tables.factor.tolist())
    for asset, is_spot in enumerate(tables.is_spot.tolist()):
        if not is_spot:
            rates = [-(-rate * factor // RATE_UNIT) for rate in tables.initial[asset].tolist()]
            _lay_lines(tables.floor[asset].tolist(), rates, factor, above, asset)
        elif tables.initial[asset, 0] < RATE_UNIT:  # what does not back perpetuals
            above.rate[asset] += tables.initial[asset, 0]
        else:
            above.rate[asset], above.deduction[asset] = RATE_UNIT, 0
    above.deduction[:] -= _ROUNDED_UP
    return above


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
def _below_initial(accounts, tables, marks, suspects):
    """Move those of the suspects that are below initial margin to the front; return how many."""
    n_accounts = accounts.position.shape[1]
    found = 0
    for code in suspects:
        pool, n = code // n_accounts, code % n_accounts
        if pool == 0:
            is_below = _is_wallet_below(accounts, tables, marks, n)
        else:
            is_below = _is_silo_below(accounts, tables, marks, pool - 1, n)
        if is_below:
            suspects[found] = code
            found += 1
    return found


@kernel
def _is_wallet_below(accounts, tables, marks, n):
    """Tell whether a cross pool, spot at its haircuts, has less than its perpetuals need."""
    free = wallet_equity(accounts, tables, marks, n)
    holds_perpetual = False
    for a in range(accounts.position.shape[0]):
        if accounts.mode[a, n] != CROSS:
            continue
        free -= reserve(accounts, tables, marks, a, n, 0, 0)
        if tables.is_spot[a]:
            value = accounts.position[a, n] * marks[a] * tables.unit_value[a]
            free += collateral_value(tables, a, value)
        else:
            holds_perpetual |= accounts.position[a, n] != 0
    return holds_perpetual and free < 0


@kernel
def _is_silo_below(accounts, tables, marks, asset, n):
    if accounts.mode[asset, n] != ISOLATED:
        return False
    value = accounts.position[asset, n] * marks[asset] * tables.unit_value[asset]
    need = initial_margin(tables, asset, abs(value), ISOLATED)
    return accounts.cash[1 + asset, n] + value < need
