"""Asset -> asset: whose price moves sold whose positions."""

from __future__ import annotations

import networkx
import numpy as np

from stresslab.contagion.matrix import asset_matrix
from stresslab.contagion.projection import Contagion


def asset_graph(run: Contagion) -> networkx.DiGraph:
    """Return the graph of assets; an edge a -> b says that a's price moves sold positions in b.

    Nodes carry ``kind`` "asset" and ``is_shocked``; the node ``none`` stands for causes that are no
    price move. Edges carry ``notional_usd``, of which ``endogenous_usd`` by price moves made by
    liquidations, and ``isolated_usd`` and ``cross_usd`` by mode of the pool that was sold.
    """
    graph = networkx.DiGraph(projection="assets")
    names = [*run.asset_names, "none"]
    for name, is_shocked in zip(names, [*run.is_shocked.tolist(), False], strict=True):
        graph.add_node(name, kind="asset", is_shocked=is_shocked)
    matrices = {
        "notional_usd": asset_matrix(run),
        "endogenous_usd": asset_matrix(run, "endogenous"),
        "isolated_usd": asset_matrix(run, mode="isolated"),
        "cross_usd": asset_matrix(run, mode="cross"),
    }
    for cause, asset in np.argwhere(matrices["notional_usd"] > 0).tolist():
        values = {name: float(matrix[cause, asset]) for name, matrix in matrices.items()}
        graph.add_edge(names[cause], names[asset], **values)
    return graph
