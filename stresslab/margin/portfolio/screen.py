"""A look at cross pools in floats: most are so far from short that integers need not look."""

from __future__ import annotations

from stresslab.core.compiled import kernel
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

#: Far more than floats of 53 bits can lose, relative to all that is added, and than roundings of
#: single amounts to the micro-USD can add.
RELATIVE_BAND, ABSOLUTE_BAND = 1e-9, 1000.0
_RATE = 1e-9


@kernel
def is_far_from_short(accounts, tables, marks, level, n):
    """Tell whether a cross pool that scenarios margin has ``level * equity`` well above its need.

    ``level`` in 1e-9. Spot is taken at its highest haircut, which leans against the pool.
    """
    equity = float(accounts.cash[0, n])
    gross, need = abs(equity), 0.0
    for a in range(marks.size):
        if accounts.mode[a, n] == CROSS and accounts.position[a, n] != 0:
            value = float(accounts.position[a, n]) * marks[a] * tables.unit_value[a]
            equity += value
            gross += abs(value)
            if tables.is_spot[a]:
                need += tables.rate[a, tables.n_lines[a] - 1] * _RATE * abs(value)
            if tables.portfolio[a, CLASS] == a:
                need += _of_class(accounts, tables, marks, n, a)
            elif tables.portfolio[a, CLASS] >= 0 and _is_first(accounts, tables, n, a):
                need += _of_class(accounts, tables, marks, n, tables.portfolio[a, CLASS])
    return level * _RATE * equity - need > RELATIVE_BAND * gross + ABSOLUTE_BAND


@kernel
def _is_first(accounts, tables, n, asset):
    """Tell whether no earlier asset of the class is held."""
    group = tables.portfolio[asset, CLASS]
    for a in range(group, asset):
        is_held = accounts.mode[a, n] == CROSS and accounts.position[a, n] != 0
        if is_held and tables.portfolio[a, CLASS] == group:
            return False
    return True


@kernel
def _of_class(accounts, tables, marks, n, first):
    grid = tables.portfolio
    longs, shorts, broken, additions = 0.0, 0.0, 0.0, 0.0
    for a in range(first, marks.size):
        if grid[a, CLASS] != first or accounts.mode[a, n] != CROSS:
            continue
        value = float(accounts.position[a, n]) * marks[a] * tables.unit_value[a]
        scaled = value * grid[a, SCALE] * _RATE
        longs += max(scaled, 0.0)
        shorts += max(-scaled, 0.0)
        broken = max(broken, abs(scaled) * grid[a, BREAK] * _RATE)
        additions += abs(value) * grid[a, ADDITION] * _RATE
    hedged = min(longs, shorts)
    offset = hedged * grid[first, CREDIT] * _RATE
    worst = max((longs - offset) * grid[first, DOWN_MOVE], (shorts - offset) * grid[first, UP_MOVE])
    loss = max(worst * _RATE, broken) * grid[first, LOSS_FACTOR] * _RATE
    least = abs(longs - shorts) * grid[first, FLOOR_OF_NET] + hedged * grid[first, FLOOR_OF_HEDGED]
    return max(loss, least * _RATE) + additions
