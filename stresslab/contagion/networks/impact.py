"""DebtRank of everybody at once: whose distress reaches how much, and who is reached."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stresslab.contagion.networks.debtrank import leverage_matrix


class Standing(NamedTuple):
    """What every node does to the others and has to fear from them; (n,) each."""

    impact: np.ndarray  # weighted distress that its whole loss adds to the others
    vulnerability: np.ndarray  # its mean distress when one of the others loses everything


def standing(exposures: np.ndarray, equity: np.ndarray, weight: np.ndarray) -> Standing:
    """Return DebtRank impact and vulnerability of every node.

    Column by column the same as :func:`debtrank` with one node wholly distressed.

    Parameters
    ----------
    exposures : (n, n) claim of row on column; what is on the diagonal has no effect
    equity : (n,) above 0
    weight : (n,) economic weight, such as the share of all equity

    References
    ----------
    Battiston, Puliga, Kaushik, Tasca and Caldarelli (2012), DebtRank: too central to fail?,
    Scientific Reports 2, 541, eq. 2-4.
    """
    n = len(equity)
    if not n:
        return Standing(np.zeros(0), np.zeros(0))
    passed = np.minimum(1.0, leverage_matrix(exposures, equity))
    level = np.eye(n)  # (node, who was hit)
    active, spent = level > 0, np.zeros((n, n), bool)
    while active.any():
        reached = np.minimum(1.0, level + passed @ np.where(active, level, 0.0))
        spent |= active
        active = (reached > 0) & ~spent & (reached > level)
        level = reached
    others = np.where(np.eye(n, dtype=bool), 0.0, level)
    return Standing(np.asarray(weight, np.float64) @ others, others.sum(axis=1) / max(n - 1, 1))
