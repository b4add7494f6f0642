"""Edges as columns, for graphs too large to be built."""

from __future__ import annotations

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
