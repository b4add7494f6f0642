"""The law of cascade sizes when every liquidation causes a Poisson number of others."""

from __future__ import annotations

import numpy as np


def borel_tanner(ratio: float, seeds: int, largest: int) -> np.ndarray:
    """Return P(size = s) for s = 0 ... ``largest``, the first ``seeds`` liquidations included.

    Parameters
    ----------
    ratio : branching ratio, mean liquidations that one causes at once; the law sums to less than 1
        above 1, the rest being cascades without end

    References
    ----------
    Tanner (1961), A derivation of the Borel distribution, Biometrika 48, 222-224.

    Examples
    --------
    >>> borel_tanner(0.5, 1, 3).round(5).tolist()
    [0.0, 0.60653, 0.18394, 0.08367]
    """
    from scipy.special import gammaln

    size = np.arange(seeds, largest + 1, dtype=np.float64)
    log_p = np.log(seeds / size) - ratio * size - gammaln(size - seeds + 1)
    law = np.zeros(largest + 1)
    law[seeds:] = np.exp(log_p + (size - seeds) * np.log(ratio * size))
    return law


def extinction(ratios: np.ndarray) -> np.ndarray:
    """Return, by type, the probability that a cascade begun by one liquidation ends.

    Parameters
    ----------
    ratios : mean liquidations of type j that one of type i causes, shape ``(n_types, n_types)``

    Notes
    -----
    The smallest solution of ``q_i = exp(sum_j N_ij (q_j - 1))`` is the limit of its own iteration
    from 0 (Harris 1963, The theory of branching processes, chapter 2).
    """
    q = np.zeros(len(ratios))
    for _ in range(100_000):
        nearer = np.exp(ratios @ (q - 1.0))
        if np.max(np.abs(nearer - q)) < 1e-15:
            break
        q = nearer
    return q
