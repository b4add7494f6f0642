"""Contagion graphs in networkx, all named in :data:`GRAPHS`, and the forms they are written in.

To add one, write one file in this folder and one line below.
"""

from collections.abc import Callable

import networkx

from stresslab.contagion.graph.assets import asset_graph
from stresslab.contagion.graph.bipartite import bipartite_graph
from stresslab.contagion.graph.communities import communities
from stresslab.contagion.graph.edges import edge_columns, graph_columns
from stresslab.contagion.graph.exposures import exposure_graph
from stresslab.contagion.graph.forms import FORMS, write
from stresslab.contagion.graph.liquidations import liquidation_graph, tree_graph
from stresslab.contagion.graph.network import structure
from stresslab.contagion.graph.projections import account_graph, mode_graph, strategy_graph
from stresslab.contagion.payers import payer_graph
from stresslab.contagion.projection import Contagion

#: Name of each graph and the function that builds it from one run.
GRAPHS: dict[str, Callable[[Contagion], networkx.DiGraph]] = {
    "bipartite": bipartite_graph,
    "liquidations": liquidation_graph,
    "tree": tree_graph,
    "assets": asset_graph,
    "accounts": account_graph,
    "modes": mode_graph,
    "strategies": strategy_graph,
    "exposures": exposure_graph,
    "payers": payer_graph,
}

__all__ = [
    "FORMS",
    "GRAPHS",
    "account_graph",
    "asset_graph",
    "bipartite_graph",
    "communities",
    "edge_columns",
    "exposure_graph",
    "graph_columns",
    "liquidation_graph",
    "mode_graph",
    "payer_graph",
    "strategy_graph",
    "structure",
    "tree_graph",
    "write",
]
