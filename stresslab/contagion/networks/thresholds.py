"""Cascades in which a node fails when enough of its neighbours have failed."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import csr_array
from scipy.stats import poisson

from stresslab.core.errors import StresslabError


def threshold_cascade(
    debtors: csr_array, failed: np.ndarray, threshold: float | np.ndarray
) -> np.ndarray:
    """Return who has failed in the end, shape ``(n,)``, bool.

    A node fails when the share of its debtors (or neighbours) that failed is strictly above its
    threshold: Watts 2002; Gai and Kapadia 2010, eq. 2, with equal exposures, no recovery, and the
    capital buffer over the interbank assets for threshold. Who has no debtor never fails.

    Parameters
    ----------
    debtors : (n, n) sparse, 1 where the row has lent to the column
    failed : (n,) bool, who fails at the start
    threshold : share, for all or for each
    """
    n_debtors = np.diff(debtors.indptr)
    most = np.asarray(threshold) * n_debtors
    done = np.asarray(failed, bool).copy()
    while True:
        hit = debtors @ done.astype(np.int32)
        new = done | ((hit > most) & (n_debtors > 0))
        if (new == done).all():
            return done
        done = new


def cascade_window(most_debtors: int) -> tuple[float, float] | None:
    """Return the mean degrees between which one failure can reach a positive share of a network.

    Nodes of a directed Poisson network are vulnerable, that is fail with one debtor, if they have
    at most ``most_debtors``; the window is where ``z P(Poisson(z) <= most_debtors - 1) > 1`` (Watts
    2002, eq. 5, of an undirected network with one neighbour more: Gai and Kapadia 2010, eq. 11).
    None where there is no window.
    """
    if most_debtors < 1:
        raise StresslabError(f"most_debtors: found {most_debtors}; at least 1 is needed")

    def above(z: float) -> float:
        return float(z * poisson.cdf(most_debtors - 1, z)) - 1.0

    grid = np.arange(0.01, 10.0 + 3.0 * most_debtors, 0.01)
    inside = grid[np.array([above(z) for z in grid]) > 0]
    if not inside.size:
        return None
    low = brentq(above, inside[0] - 0.02, inside[0], xtol=1e-12)
    return float(low), float(brentq(above, inside[-1], inside[-1] + 0.02, xtol=1e-12))


def giant_component(mean_degree: float) -> float:
    """Return the share of a Poisson network that a large cascade reaches: ``f = 1 - exp(-z f)``."""
    if mean_degree <= 1:
        return 0.0
    return float(brentq(lambda f: 1.0 - np.exp(-mean_degree * f) - f, 1e-9, 1.0, xtol=1e-14))


def poisson_network(n: int, mean_degree: float, rng: np.random.Generator) -> csr_array:
    """Return a directed network in which every pair is linked with the same probability."""
    n_links = rng.binomial(n * (n - 1), mean_degree / (n - 1))
    links = rng.choice(n * (n - 1), n_links, replace=False, shuffle=False)
    row, column = np.divmod(links, n - 1)
    column = column + (column >= row)  # nobody lends to himself
    return csr_array((np.ones(n_links, np.int32), (row, column)), shape=(n, n))
