"""The liquidation map: notional that would be force-closed as the price of one asset moves."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.theory.venue import Venue


def liquidation_map(venue: Venue, asset: int, moves: np.ndarray) -> np.ndarray:
    """Return forced notional by type when one mark moves alone, (n_moves, n_types), USD.

    It is what pools in breach would close, valued at the marks before the move; cross accounts
    appear with all assets that they would have to close, not with ``asset`` alone.

    Parameters
    ----------
    asset : place of the asset whose mark moves
    moves : simple returns of its mark, above -1, in any order
    """
    rows = np.zeros((len(moves), venue.n_types))
    for row, move in enumerate(np.asarray(moves, np.float64).tolist()):
        prices = venue.prices.copy()
        prices[asset] *= 1.0 + move
        rows[row] = venue.by_type(venue.notional(venue.closed_at(prices), venue.prices))
    return rows
