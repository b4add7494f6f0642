"""The next-generation matrix before anything happens: liquidation map times impact."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.networks.debtrank import spectral_radius
from stresslab.contagion.next_generation import MODES, SIDES
from stresslab.contagion.theory.venue import Venue

#: Move of a mark that impact and liquidations are averaged over: that of the word depth.
MOVE = 0.01
_DOUBLINGS = 80
_HALVINGS = 60


def growth_matrix(
    venue: Venue, prices: np.ndarray, closed: np.ndarray, move: float = MOVE
) -> np.ndarray:
    """Return N[i, j]: notional of type j that one unit of forced notional of type i brings about.

    Closing longs of an asset pushes its mark down, closing shorts up; N is what becomes due over
    such a move, over the notional whose closing makes it. The mode of who closes does not matter.

    Parameters
    ----------
    prices : (n_assets,) marks, ticks
    closed : (n_pools, n_assets) signed lots closed so far
    move : size of the move, of the mark

    Returns
    -------
    ``(n_types, n_types)``; types in the order of ``type_names(venue.assets)``
    """
    matrix = np.zeros((venue.n_types, venue.n_types))
    flow = -closed.sum(axis=0)
    for asset in range(len(venue.assets)):
        for side, way in enumerate((-1.0, 1.0)):
            needed = _lots_that_move(venue, flow, asset, way * move)
            if not np.isfinite(needed):
                continue
            moved = prices.copy()
            moved[asset] *= 1.0 + way * move
            due = venue.closed_at(moved)
            more = np.where(np.abs(due) > np.abs(closed), due - closed, 0.0)
            caused = venue.by_type(venue.notional(more, prices))
            notional = needed * prices[asset] * venue.lot_value_usd[asset]
            first = (asset * len(SIDES) + side) * len(MODES)
            matrix[first : first + len(MODES)] = caused / notional
    return matrix


def radius_at(venue: Venue, prices: np.ndarray, closed: np.ndarray, move: float = MOVE) -> float:
    """Return the spectral radius of :func:`growth_matrix`: above 1 a cascade feeds itself."""
    return spectral_radius(growth_matrix(venue, prices, closed, move))


def _lots_that_move(venue: Venue, flow: np.ndarray, asset: int, move: float) -> float:
    """Return how many lots beyond the flow move a mark by ``move``; infinite if none do."""
    start = venue.factor(flow)[asset]

    def reaches(lots: float) -> bool:
        trial = flow.astype(np.float64)
        trial[asset] += np.copysign(lots, move)
        moved = venue.factor(trial)[asset] / start - 1.0
        return bool(abs(moved) >= abs(move) * (1 - 1e-12))

    low, high = 0.0, 1.0
    for _ in range(_DOUBLINGS):
        if reaches(high):
            break
        low, high = high, high * 2.0
    else:
        return float("inf")
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high
