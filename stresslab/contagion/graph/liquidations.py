"""Liquidation -> liquidation: who tipped whom over, and the cascade trees in it."""

from __future__ import annotations

import networkx

from stresslab.contagion.columns import usd
from stresslab.contagion.forest import NO_PARENT
from stresslab.contagion.graph.nodes import liquidation_attributes, liquidation_node
from stresslab.contagion.projection import Contagion


def liquidation_graph(run: Contagion) -> networkx.DiGraph:
    """Return the acyclic graph of liquidations, parent -> child.

    Nodes are described in :func:`liquidation_attributes`. Edges carry ``share``, the trigger share
    of the parent, of which ``adl_share`` by auto-deleveraging for its deficit and the rest by the
    prices it moved, and ``amount_usd``, the margin that the parent ate of the child's pool.
    """
    graph = _liquidations(run, "liquidations")
    edges, ids = run.parents, run.ids.tolist()
    columns = (edges.parent, edges.child, edges.share, edges.adl_share, edges.micro_usd)
    for parent, child, share, by_adl, micro in zip(*(c.tolist() for c in columns), strict=True):
        names = liquidation_node(ids[parent]), liquidation_node(ids[child])
        graph.add_edge(*names, share=share, adl_share=by_adl, amount_usd=usd(micro))
    return graph


def tree_graph(run: Contagion) -> networkx.DiGraph:
    """Return the cascade trees: every liquidation under its principal parent.

    Edges carry ``share``, the trigger share of the principal parent.
    """
    graph = _liquidations(run, "tree")
    edges, ids = run.parents, run.ids.tolist()
    share = {
        (parent, child): share
        for parent, child, share in zip(
            edges.parent.tolist(), edges.child.tolist(), edges.share.tolist(), strict=True
        )
    }
    for child, parent in enumerate(run.forest.principal.tolist()):
        if parent != NO_PARENT:
            names = liquidation_node(ids[parent]), liquidation_node(ids[child])
            graph.add_edge(*names, share=share[parent, child])
    return graph


def _liquidations(run: Contagion, projection: str) -> networkx.DiGraph:
    graph = networkx.DiGraph(projection=projection)
    for attributes in liquidation_attributes(run):
        graph.add_node(liquidation_node(attributes["liquidation"]), **attributes)
    return graph
