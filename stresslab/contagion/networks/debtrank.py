"""DebtRank: what distress of one does to all, and whether a network damps or amplifies it."""

from __future__ import annotations

import numpy as np

from stresslab.core.errors import StresslabError


def leverage_matrix(exposures: np.ndarray, equity: np.ndarray) -> np.ndarray:
    """Return ``A_ij / E_i``: the part of ``i``'s equity that it loses with all claims on ``j``."""
    before = np.asarray(equity, np.float64)
    if (before <= 0).any():
        raise StresslabError("equity must be above 0")
    return np.asarray(np.asarray(exposures, np.float64) / before[:, None])


def spectral_radius(matrix: np.ndarray) -> float:
    """Return the largest absolute eigenvalue of a square matrix, 0 for an empty one."""
    return float(np.max(np.abs(np.linalg.eigvals(matrix)), initial=0.0)) if len(matrix) else 0.0


def is_stable(exposures: np.ndarray, equity: np.ndarray) -> bool:
    """Tell whether small losses die out: the spectral radius of the leverage matrix is below 1.

    Bardoscia, Battiston, Caccioli and Caldarelli 2015.
    """
    return spectral_radius(leverage_matrix(exposures, equity)) < 1.0


def debtrank(
    exposures: np.ndarray, equity: np.ndarray, distress: np.ndarray, weight: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the DebtRank of a set of initial distresses and everybody's final distress.

    Each passes its distress on once, when it first becomes distressed (Battiston, Puliga, Kaushik,
    Tasca and Caldarelli 2012, eq. 2-4): no loop of a cycle is walked twice.

    Parameters
    ----------
    exposures : (n, n) claim of row on column
    equity : (n,) above 0
    distress : (n,) initial relative loss of equity, 0 to 1
    weight : (n,) economic weight of each, such as its share of total assets

    Returns
    -------
    The weighted distress added by the network, and (n,) final distress.
    """
    impact = np.minimum(1.0, leverage_matrix(exposures, equity))
    first = np.clip(np.asarray(distress, np.float64), 0.0, 1.0)
    level, active = first.copy(), first > 0
    spent = np.zeros(first.size, bool)
    while active.any():
        level_new = np.minimum(1.0, level + impact[:, active] @ level[active])
        spent |= active
        active = (level_new > 0) & ~spent & (level_new > level)
        level = level_new
    shares = np.asarray(weight, np.float64)
    return float(shares @ level - shares @ first), level
