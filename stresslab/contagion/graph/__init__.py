"""Contagion graphs in networkx, all named in :data:`GRAPHS`, and the forms they are written in.

To add one, write one file in this folder and one line below.
"""

from collections.abc import Callable

import networkx

from stresslab.contagion.graph.assets import asset_graph
from stresslab.contagion.graph.bipartite import bipartite_graph
from stresslab.contagion.graph.edges import edge_columns
from stresslab.contagion.graph.forms import FORMS, write
from stresslab.contagion.graph.liquidations import liquidation_graph, tree_graph
from stresslab.contagion.projection import Contagion

#: Name of each graph and the function that builds it from one run.
GRAPHS: dict[str, Callable[[Contagion], networkx.DiGraph]] = {
    "bipartite": bipartite_graph,
    "liquidations": liquidation_graph,
    "tree": tree_graph,
    "assets": asset_graph,
}

__all__ = [
    "FORMS",
    "GRAPHS",
    "asset_graph",
    "bipartite_graph",
    "edge_columns",
    "liquidation_graph",
    "tree_graph",
    "write",
]
