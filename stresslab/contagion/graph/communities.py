"""Communities of a contagion graph: nodes that fell each other more than others did."""

from __future__ import annotations

import networkx
from networkx.algorithms import community


def communities(graph: networkx.DiGraph, weight: str | None = None) -> dict[str, int]:
    """Return the community of every node, numbered from the largest; ties by first node.

    Directions are set aside, opposite edges add up, and joins are made while modularity grows.

    Parameters
    ----------
    weight : attribute of the edges, such as ``share``; every edge counts the same without it

    References
    ----------
    Clauset, Newman and Moore (2004), Finding community structure in very large networks, Physical
    Review E 70, 066111.
    """
    flat = networkx.Graph()
    flat.add_nodes_from(sorted(graph))
    for source, target, value in sorted(graph.edges(data=weight or "", default=1.0)):
        before = flat.get_edge_data(source, target, {}).get("weight", 0.0)
        flat.add_edge(source, target, weight=before + abs(float(value)))
    if not flat.number_of_edges():
        return {node: place for place, node in enumerate(flat)}
    found = community.greedy_modularity_communities(flat, weight="weight")
    ordered = sorted((sorted(part) for part in found), key=lambda part: (-len(part), part[0]))
    return {node: place for place, part in enumerate(ordered) for node in part}
