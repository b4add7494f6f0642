"""Draws of a whole group at once, by the ids of its traders."""

from __future__ import annotations

import numpy as np
from numba import njit

from stresslab.core.portable import exp
from stresslab.core.random import exponential, normal


@njit(cache=True)
def exponentials(key: np.ndarray, ids: np.ndarray, draw: int) -> np.ndarray:
    """Return exponential draws of mean 1, shape ``(n_ids,)``."""
    values = np.empty(ids.size, np.float64)
    for place in range(ids.size):
        values[place] = exponential(key, ids[place], 0, draw)
    return values


@njit(cache=True)
def lognormals(key: np.ndarray, ids: np.ndarray, draw: int, sigma: float) -> np.ndarray:
    """Return lognormal draws of median 1, shape ``(n_ids,)``."""
    values = np.empty(ids.size, np.float64)
    for place in range(ids.size):
        values[place] = exp(sigma * normal(key, ids[place], 0, draw))
    return values
