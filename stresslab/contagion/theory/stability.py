"""Two ends for one shock: where a market that stands would also stay down if it were down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stresslab.contagion.theory.cascade import MOST_ROUNDS, cascade, index_at, taken
from stresslab.contagion.theory.venue import Venue

#: Two falls closer than this are one.
DISTINCT = 0.005


class Branches(NamedTuple):
    """Falls of the deepest mark at rest, by shock size; (n_sizes,) each."""

    sizes: np.ndarray
    standing: np.ndarray  # reached from calm, the shock rising
    fallen: np.ndarray  # reached from everything closed, the shock falling

    @property
    def is_bistable(self) -> np.ndarray:
        """Whether both ends are possible, by size: which one depends on the past."""
        apart: np.ndarray = self.fallen - self.standing > DISTINCT
        return apart


def branches(venue: Venue, shocked: np.ndarray, sizes: Sequence[float]) -> Branches:
    """Return both ends of every shock size: least and greatest fixed point of the cascade.

    Where they differ there is hysteresis: taking the shock back does not take the fall back.

    Parameters
    ----------
    shocked : (n_assets,) whether an asset's index falls
    sizes : falls of the index, rising, 0 to 1
    """
    up = [float(state.falls(venue).max()) for state in cascade(venue, shocked, sizes)]
    down = [_fallen(venue, shocked, size) for size in sizes]
    return Branches(np.asarray(sizes), np.array(up), np.maximum(down, up))


def _fallen(venue: Venue, shocked: np.ndarray, size: float) -> float:
    """Return the fall left when all that finds room was closed and comes back where it can."""
    index = index_at(venue, shocked, size)
    falling = np.where(shocked, venue.positions > 0, False)
    closed = np.where(falling, venue.positions, 0).astype(np.float64)
    closed = closed * taken(closed, venue.room(np.zeros(len(index)), np.zeros(len(index)), index))
    prices = index * venue.factor(-closed.sum(axis=0))
    for _ in range(MOST_ROUNDS):
        due = venue.closed_at(prices)
        fewer = np.where(np.abs(due) < np.abs(closed), due, closed)
        if (fewer == closed).all():
            break
        closed = fewer
        prices = index * venue.factor(-closed.sum(axis=0))
    return float((1.0 - prices / venue.prices).max())
