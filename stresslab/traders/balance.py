"""Longs equal shorts, to the lot, before the first step.

The larger side of each perpetual is met by counterparties as far as their margin goes; the rest is
scaled down, by largest remainder. Hedges and accounts written out by hand are never scaled.
"""

from __future__ import annotations

import numpy as np

from stresslab.core.errors import ConfigError
from stresslab.core.exact import apportion

SHRINKS, FIXED, COUNTERPARTY = range(3)


def balance(name: str, position: np.ndarray, role: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    """Return the balanced positions in one perpetual.

    Parameters
    ----------
    position : planned signed lots, shape ``(n_traders,)``
    role : SHRINKS, FIXED or COUNTERPARTY by trader
    capacity : lots that each counterparty can take on either side, 0 for others
    """
    balanced = position.copy()
    missing = -int(position.sum())
    offered = int(capacity.sum())
    taken = max(-offered, min(offered, missing))
    is_counterparty = role == COUNTERPARTY
    balanced[is_counterparty] += apportion(taken, capacity[is_counterparty])
    _shrink(name, balanced, role, taken - missing)
    return balanced


def _shrink(name: str, position: np.ndarray, role: np.ndarray, excess: int) -> None:
    """Take ``excess`` lots, of its sign, from the positions that may shrink."""
    if excess == 0:
        return
    side = 1 if excess > 0 else -1
    rows = np.flatnonzero((role == SHRINKS) & (side * position > 0))
    held = side * position[rows]
    left = int(held.sum()) - abs(excess)
    if left < 0 or (left == 0 and not position[role != SHRINKS].any()):
        raise ConfigError(_one_sided(name, side, excess))
    position[rows] = side * apportion(left, held)


def _one_sided(name: str, side: int, excess: int) -> str:
    long, short = ("long", "short") if side > 0 else ("short", "long")
    return (
        f"traders: {abs(excess)} lots of {name} are {long} with nobody {short}, and the positions "
        "that may be scaled down (not hedges, not written-out accounts) do not make up for them; "
        "change share_long, draw more traders, or add a group with is_counterparty: true"
    )
