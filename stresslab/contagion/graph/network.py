"""A cascade of any size as columns and a sparse matrix, and what graph theory says of it.

The same numbers as networkx gives on the graph of liquidations, for millions of edges.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import spsolve_triangular

from stresslab.contagion.graph.edges import trigger_matrix
from stresslab.contagion.projection import Contagion


class Structure(NamedTuple):
    """Liquidations in order of id, (n,) each."""

    parents: np.ndarray  # number of parents
    children: np.ndarray
    share_given: np.ndarray  # trigger shares in others, summed
    descendants: np.ndarray  # expected liquidations that go back to it, itself included
    core: np.ndarray  # core number, directions set aside
    cascade: np.ndarray  # weakly connected part, numbered in order of its first liquidation


def structure(run: Contagion) -> Structure:
    """Return what the graph of liquidations looks like at each of them."""
    return structure_of(trigger_matrix(run))


def structure_of(shares: sparse.csr_array) -> Structure:
    """Return the same for trigger shares ``W[child, parent]``, parents before their children."""
    n = shares.shape[0]
    links = sparse.csr_array(
        (np.ones(shares.nnz), shares.indices, shares.indptr), shape=shares.shape
    )
    _, cascade = csgraph.connected_components(links, directed=False) if n else (0, np.zeros(0))
    return Structure(
        parents=np.diff(shares.indptr).astype(np.int64),
        children=np.bincount(shares.indices, minlength=n).astype(np.int64),
        share_given=np.bincount(shares.indices, shares.data, n),
        descendants=descendants(shares),
        core=core_numbers(links),
        cascade=_in_order(np.asarray(cascade, np.int64)),
    )


def descendants(shares: sparse.csr_array) -> np.ndarray:
    """Return x with ``x_p = 1 + sum over children of W[child, p] x_child``, (n,).

    Katz's status with attenuation 1, which an acyclic graph allows: the expected number of
    liquidations that go back to each along trigger shares, itself included.

    References
    ----------
    Katz (1953), A new status index derived from sociometric analysis, Psychometrika 18, 39-43.
    """
    n = shares.shape[0]
    if not n:
        return np.zeros(0)
    system = sparse.csr_array(sparse.eye_array(n) - shares.T)
    return np.asarray(spsolve_triangular(system, np.ones(n), lower=False))


def core_numbers(links: sparse.csr_array) -> np.ndarray:
    """Return the largest k of whose k-core each node is part, directions set aside, (n,).

    References
    ----------
    Seidman (1983), Network structure and minimum degree, Social Networks 5, 269-287.
    """
    either = sparse.csr_array(links + links.T)
    degree = np.diff(either.indptr).astype(np.int64)
    core, is_left, k = np.zeros(degree.size, np.int64), np.ones(degree.size, bool), 0
    while is_left.any():
        k = max(k, int(degree[is_left].min()))
        peeled = np.flatnonzero(is_left & (degree <= k))
        core[peeled], is_left[peeled] = k, False
        degree -= np.bincount(either[peeled].indices, minlength=degree.size)
    return core


def _in_order(labels: np.ndarray) -> np.ndarray:
    """Number labels in order of their first place."""
    _, first, place = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[place] if labels.size else labels
