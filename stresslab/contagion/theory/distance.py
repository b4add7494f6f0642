"""How far a market is from a cascade: the least shock that brings one about."""

from __future__ import annotations

import math

import numpy as np

from stresslab.contagion.theory.cascade import FIRST_INCREMENT, State, calm, index_at, settled
from stresslab.contagion.theory.venue import Venue

MOST = 0.6  # fall of the index that is tried at most


def distance_to_cascade(
    venue: Venue, shocked: np.ndarray, below: float, tolerance: float = 1e-4
) -> float:
    """Return the least shock whose cascade takes a mark so far below its index, by bisection.

    The path is followed in the increments of :func:`cascade`; the first that goes too far is
    halved, always from the state before it, until the shock is known to ``tolerance``. Infinite if
    no shock up to 0.6 does it; 0 if the market is there already.

    Parameters
    ----------
    shocked : (n_assets,) whether an asset's index falls
    below : fraction of the index
    """
    state = settled(venue, calm(venue), shocked, 0.0)
    if overshoot(venue, shocked, state) > below:
        return 0.0
    while state.shock < MOST:
        further = settled(venue, state, shocked, min(state.shock + FIRST_INCREMENT, MOST))
        if overshoot(venue, shocked, further) > below:
            return _bisected(venue, shocked, below, tolerance, state, further.shock)
        state = further
    return math.inf


def overshoot(venue: Venue, shocked: np.ndarray, state: State) -> float:
    """Return the largest fall of a mark below its index, over assets, as a fraction."""
    return float((1.0 - state.prices / index_at(venue, shocked, state.shock)).max())


def _bisected(
    venue: Venue, shocked: np.ndarray, below: float, tolerance: float, state: State, high: float
) -> float:
    low = state.shock
    while high - low > tolerance:
        middle = 0.5 * (low + high)
        reached = overshoot(venue, shocked, settled(venue, state, shocked, middle)) > below
        low, high = (low, middle) if reached else (middle, high)
    return high
