"""Cascades in which a node fails when enough of its neighbours have failed.

What scipy holds for these alone is imported where it is used: it takes a second to load, and every
worker loads this file.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

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
    from scipy.optimize import brentq
    from scipy.stats import poisson

    def above(z: Any) -> Any:
        return z * poisson.cdf(most_debtors - 1, z) - 1.0

    grid = np.arange(0.01, 10.0 + 3.0 * most_debtors, 0.01)
    inside = grid[above(grid) > 0]
    if not inside.size:
        return None
    low = brentq(above, inside[0] - 0.02, inside[0], xtol=1e-12)
    return float(low), float(brentq(above, inside[-1], inside[-1] + 0.02, xtol=1e-12))


def giant_component(mean_degree: float) -> float:
    """Return the share of a Poisson network that a large cascade reaches: ``f = 1 - exp(-z f)``."""
    if mean_degree <= 1:
        return 0.0
    from scipy.optimize import brentq

    return float(brentq(lambda f: 1.0 - np.exp(-mean_degree * f) - f, 1e-9, 1.0, xtol=1e-14))


class Reach(NamedTuple):
    """How far a large cascade goes, in shares of a network."""

    mean: float
    spread: float  # standard deviation from network to network


def final_size(n: int, mean_degree: float, beyond: float) -> Reach:
    """Return what a large cascade reaches in a Poisson network of ``n`` nodes, exactly.

    The same as ``giant_component`` without the limit of many nodes. Nodes are looked at one by one
    in any order: each reaches every node that is not yet reached with the chance of a link, until
    all that were reached have been looked at (Ludwig 1975, Final size distributions for epidemics,
    Mathematical Biosciences 23, 33-46).

    Parameters
    ----------
    beyond : share of the network, the first node aside, above which a cascade is large
    """
    from scipy.stats import binom

    link = mean_degree / (n - 1)
    most = int(mean_degree + 8 * mean_degree**0.5 + 8)  # nodes that one reaches
    left = np.arange(n)  # nodes not yet reached
    reached = np.array([binom.pmf(k, left, link) for k in range(min(most, n))])
    chance, ends = np.zeros(n), np.zeros(n + 1)
    chance[n - 1] = 1.0
    for looked_at in range(1, n + 1):
        new = reached[0] * chance
        for k in range(1, len(reached)):
            new[:-k] += (reached[k] * chance)[k:]
        ends[looked_at], new[n - looked_at] = new[n - looked_at], 0.0
        chance = new
    sizes = np.arange(n + 1)
    is_large = sizes - 1 > beyond * n
    share, weights = sizes[is_large] / n, ends[is_large] / ends[is_large].sum()
    mean = float(weights @ share)
    return Reach(mean, float(weights @ (share - mean) ** 2) ** 0.5)


def poisson_network(n: int, mean_degree: float, rng: np.random.Generator) -> csr_array:
    """Return a directed network in which every pair is linked with the same probability."""
    n_links = rng.binomial(n * (n - 1), mean_degree / (n - 1))
    links = np.sort(rng.choice(n * (n - 1), n_links, replace=False, shuffle=False))
    row, column = np.divmod(links, n - 1)
    column += column >= row  # nobody lends to himself
    # In rising order they are the rows of the array already, which takes scipy longer to find.
    starts = np.searchsorted(row, np.arange(n + 1)).astype(np.int32)
    return csr_array((np.ones(n_links, np.int32), column.astype(np.int32), starts), shape=(n, n))
