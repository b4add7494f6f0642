"""The scenario grid for what the engine trades: the requirement of one cross pool, exact.

Perpetuals and spot are linear, so of a class only the worst fall and the worst rise of the grid can
decide. With longs A and shorts B (scaled values without sign) and hedge credit h, the loss is
``max(down · (A - h min(A, B)), up · (B - h min(A, B)), break · largest leg)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.events import CROSS
from stresslab.core.exact import CEIL, FLOOR, mul_div
from stresslab.margin.portfolio.rules import PortfolioRules

#: Columns of a grid, one row an asset; all but the class are in 1e-9.
(
    CLASS,  # first asset of the class, -1: in no class
    SCALE,
    DOWN_MOVE,
    UP_MOVE,
    CREDIT,
    BREAK,
    LOSS_FACTOR,  # of maintenance; initial margin has its own in the next column
    INITIAL_LOSS_FACTOR,
    ADDITION,
    INITIAL_ADDITION,
    FLOOR_OF_NET,
    FLOOR_OF_HEDGED,
) = range(12)
MAINTENANCE, INITIAL = range(2)
NO_ASSET, ALL_LEGS = -1, -2
PERMILLE = 1000
_UNIT = 1_000_000_000


def grid_of(
    rules: PortfolioRules | None, names: Sequence[str], is_spot: Sequence[int]
) -> np.ndarray:
    """Return the grid as columns, shape ``(A, 12)``; no row without portfolio margin."""
    if rules is None:
        return np.zeros((0, 12), np.int64)
    return np.array([_row(rules, names, a, bool(spot)) for a, spot in enumerate(is_spot)], np.int64)


def _row(rules: PortfolioRules, names: Sequence[str], asset: int, is_spot: bool) -> list[int]:
    moves = [scenario.rate for scenario in rules.scenarios]
    addition = 0.0 if is_spot else rules.perpetual_addition
    more = 0.0 if is_spot else rules.perpetual_initial_addition
    fractions = (
        rules.move_scale.get(names[asset], 1.0), float(-min(moves)), float(max(moves)),
        rules.hedge_credit, rules.break_move, rules.maintenance_factor, rules.initial_factor,
        addition, addition + more, rules.floor_of_net, rules.floor_of_hedged,
    )  # fmt: skip
    return [_class_of(rules, names, asset, is_spot), *(round(f * _UNIT) for f in fractions)]


def _class_of(rules: PortfolioRules, names: Sequence[str], asset: int, is_spot: bool) -> int:
    for members in rules.classes.values():
        if names[asset] in members:
            return min(names.index(name) for name in members)
    return -1 if is_spot else asset


@kernel
def book_requirement(tables, marks, position, mode, n, level, asset, lots):
    """Return what the scenarios ask of column ``n`` of cross positions (A, N), micro-USD.

    ``level`` is MAINTENANCE or INITIAL. ``lots`` stand in for the position in ``asset``; if that
    is ALL_LEGS, they are the permille closed of each leg, in lots rounded up; if NO_ASSET, nothing
    is other than it is. Haircuts of spot come on top.
    """
    grid = tables.portfolio
    total = 0
    for first in range(grid.shape[0]):
        if grid[first, CLASS] == first:
            total += _of_class(tables, marks, position, mode, n, level, asset, lots, first)
    if level == INITIAL:
        total = mul_div(total, tables.factor[CROSS], _UNIT, CEIL)
    return total


@kernel
def _of_class(tables, marks, position, mode, n, level, asset, lots, first):
    grid = tables.portfolio
    longs, shorts, broken, additions = 0, 0, 0, 0
    for a in range(first, grid.shape[0]):
        held = position[a, n] if mode[a, n] == CROSS else 0
        if a == asset:
            held = lots
        elif asset == ALL_LEGS:
            closed = mul_div(abs(held), lots, PERMILLE, CEIL)
            held += closed if held < 0 else -closed
        if grid[a, CLASS] != first or held == 0:
            continue
        value = abs(held) * marks[a] * tables.unit_value[a]
        scaled = mul_div(value, grid[a, SCALE], _UNIT, CEIL)
        if held > 0:
            longs += scaled
        else:
            shorts += scaled
        broken = max(broken, mul_div(scaled, grid[a, BREAK], _UNIT, CEIL))
        additions += mul_div(value, grid[a, ADDITION + level], _UNIT, CEIL)
    hedged = min(longs, shorts)
    offset = mul_div(hedged, grid[first, CREDIT], _UNIT, FLOOR)
    fall = mul_div(longs - offset, grid[first, DOWN_MOVE], _UNIT, CEIL)
    rise = mul_div(shorts - offset, grid[first, UP_MOVE], _UNIT, CEIL)
    loss = mul_div(max(fall, rise, broken), grid[first, LOSS_FACTOR + level], _UNIT, CEIL)
    least = mul_div(abs(longs - shorts), grid[first, FLOOR_OF_NET], _UNIT, CEIL)
    least += mul_div(hedged, grid[first, FLOOR_OF_HEDGED], _UNIT, CEIL)
    return max(loss, least) + additions
