"""Draws of a whole group at once, by the ids of its traders."""

from __future__ import annotations

import numpy as np

from stresslab.core.compiled import kernel
from stresslab.core.portable import exp
from stresslab.core.random import exponential, normal


def exponentials(key: np.ndarray, ids: np.ndarray, draw: int) -> np.ndarray:
    """Return exponential draws of mean 1, shape ``(n_ids,)``."""
    values = np.empty(ids.size)
    _draw_exponentials(key, ids, draw, values)
    return values


@kernel
def _draw_exponentials(key: np.ndarray, ids: np.ndarray, draw: int, values: np.ndarray) -> None:
    for place in range(ids.size):
        values[place] = exponential(key, ids[place], 0, draw)


def lognormals(key: np.ndarray, ids: np.ndarray, draw: int, sigma: float) -> np.ndarray:
    """Return lognormal draws of median 1, shape ``(n_ids,)``."""
    values = np.empty(ids.size)
    _draw_lognormals(key, ids, draw, float(sigma), values)
    return values


@kernel
def _draw_lognormals(
    key: np.ndarray, ids: np.ndarray, draw: int, sigma: float, values: np.ndarray
) -> None:
    for place in range(ids.size):
        values[place] = exp(sigma * normal(key, ids[place], 0, draw))
