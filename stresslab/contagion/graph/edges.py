"""Edges as columns, for graphs too large to be built."""

from __future__ import annotations

from typing import Any

import networkx
import numpy as np
from scipy import sparse

from stresslab.contagion.columns import MICRO_USD
from stresslab.contagion.projection import Contagion


def edge_columns(run: Contagion) -> dict[str, np.ndarray]:
    """Return the liquidation -> liquidation edges, sorted by child, then parent.

    ``source`` and ``target`` are liquidation ids, ``share`` the trigger share, ``adl_share`` the
    part of it by auto-deleveraging, ``amount_usd`` the margin eaten, ``is_principal`` whether the
    edge is part of a cascade tree.
    """
    edges = run.parents
    return {
        "source": run.ids[edges.parent],
        "target": run.ids[edges.child],
        "share": edges.share,
        "adl_share": edges.adl_share,
        "amount_usd": edges.micro_usd / MICRO_USD,
        "is_principal": run.forest.principal[edges.child] == edges.parent,
    }


def trigger_matrix(run: Contagion) -> sparse.csr_array:
    """Return W in rows of liquidations by id: W[child, parent] is the trigger share."""
    edges, n = run.parents, len(run.ids)
    return sparse.csr_array((edges.share, (edges.child, edges.parent)), shape=(n, n))


def graph_columns(graph: networkx.DiGraph) -> dict[str, list[Any]]:
    """Return the edges of any contagion graph as columns, sorted by source, then target.

    ``source``, ``target``, and every attribute that an edge has; None where another has it not.
    """
    edges = sorted(graph.edges(data=True), key=lambda edge: edge[:2])
    names = sorted({name for *_, attributes in edges for name in attributes})
    return {
        "source": [source for source, _, _ in edges],
        "target": [target for _, target, _ in edges],
        **{name: [attributes.get(name) for *_, attributes in edges] for name in names},
    }
