"""Parents, generations and cascade trees of liquidations.

A liquidation's parents are the liquidations with a trigger share in it: by the prices that they
moved, or by auto-deleveraging for their deficits. Its generation is the expected number of links
back to something that is no liquidation: g = sum of w x (1 + g_parent). Its principal parent is the
parent with the largest share (ties: the smaller id); following principal parents gives the cascade
trees.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from stresslab.contagion.attribution import ADL, NONE, Triggers
from stresslab.contagion.columns import rows_of, spans, sum_by

NO_PARENT = -1


class Parents(NamedTuple):
    """Liquidation -> liquidation edges by row, sorted by child, then parent; (n_edges,) each."""

    child: np.ndarray
    parent: np.ndarray
    share: np.ndarray
    micro_usd: np.ndarray
    adl_share: np.ndarray  # the part of the share by auto-deleveraging, the rest is by prices


class Forest(NamedTuple):
    """What descent says about every liquidation, in order of id; (n_liquidations,) each."""

    endogenous_share: np.ndarray  # sum of the shares of all parents
    generation: np.ndarray
    principal: np.ndarray  # row of the principal parent, -1 for a root
    root: np.ndarray  # row of the root of its cascade tree
    depth: np.ndarray  # links to the root of its cascade tree


def parents(found: Triggers, ids: np.ndarray) -> Parents:
    """Return the edges with a positive trigger share; ``ids`` are all liquidations, sorted."""
    is_edge = (found.source != NONE) & (found.share > 0)
    child, parent = (rows_of(of[is_edge], ids) for of in (found.liquidation, found.source))
    is_adl = found.cause[is_edge] == ADL
    share, micro_usd = found.share[is_edge], found.micro_usd[is_edge]
    adl_share = np.where(is_adl, share, 0.0)
    if not is_adl.any():
        return Parents(child, parent, share, micro_usd, adl_share)
    # the same parent may have moved prices and taken lots away
    summed = [sum_by([child, parent], part) for part in (share, micro_usd, adl_share)]
    return Parents._make((*summed[0][0], *(part for _, part in summed)))


def grow(edges: Parents, n: int, least_endogenous_share: float = 0.0) -> Forest:
    """Return descent and cascade trees of ``n`` liquidations in one pass by id.

    Parameters
    ----------
    edges
        Parents come before their children, as ids follow the order of first breach.
    n
        Number of liquidations.
    least_endogenous_share
        A liquidation of which all parents together hold less than this is a root. The default
        hangs every liquidation that has a parent under its principal one.
    """
    bounds = spans(edges.child, n)
    endogenous = np.array([math.fsum(edges.share[a:b].tolist()) for a, b in _pairs(bounds)])
    principal = _principal(edges, n)
    principal[endogenous < least_endogenous_share] = NO_PARENT
    root, depth = _descend(principal)
    return Forest(endogenous, _generations(edges, bounds), principal, root, depth)


def _pairs(bounds: np.ndarray) -> list[tuple[int, int]]:
    return list(pairwise(bounds.tolist()))


def _generations(edges: Parents, bounds: np.ndarray) -> np.ndarray:
    generation = np.zeros(len(bounds) - 1)
    for row, (a, b) in enumerate(_pairs(bounds)):
        links = edges.share[a:b] * (1 + generation[edges.parent[a:b]])
        generation[row] = math.fsum(links.tolist())
    return generation


def _principal(edges: Parents, n: int) -> np.ndarray:
    order = np.lexsort((edges.parent, -edges.share, edges.child))
    child, first = np.unique(edges.child[order], return_index=True)
    principal = np.full(n, NO_PARENT)
    principal[child] = edges.parent[order][first]
    return principal


def _descend(principal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    root, depth = list(range(len(principal))), [0] * len(principal)
    for row, parent in enumerate(principal.tolist()):
        if parent != NO_PARENT:
            root[row], depth[row] = root[parent], depth[parent] + 1
    return np.array(root, dtype=np.int64), np.array(depth, dtype=np.int64)


def width(forest: Forest) -> int:
    """Return the largest number of liquidations at one depth of one cascade tree."""
    if not len(forest.root):
        return 0
    level = forest.root * (int(forest.depth.max()) + 1) + forest.depth
    return int(np.unique(level, return_counts=True)[1].max())
