"""The forms in which a contagion graph is written; the same graph gives the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import networkx

from stresslab.core.errors import ConfigError


def graphml(graph: networkx.DiGraph) -> str:
    """Return the graph as GraphML."""
    return "\n".join(networkx.generate_graphml(graph)) + "\n"


def gexf(graph: networkx.DiGraph) -> str:
    """Return the graph as GEXF, without the date that its writer adds."""
    text = "\n".join(networkx.generate_gexf(graph)) + "\n"
    return re.sub(r' lastmodifieddate="[^"]*"', "", text)


def node_link(graph: networkx.DiGraph) -> str:
    """Return the graph as node-link JSON."""
    data = networkx.node_link_data(graph, edges="edges")
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


#: Name of each form and the function that gives its text.
FORMS: dict[str, Callable[[networkx.DiGraph], str]] = {
    "graphml": graphml,
    "gexf": gexf,
    "json": node_link,
}


def write(graph: networkx.DiGraph, form: str) -> str:
    """Return the text of a graph in one of :data:`FORMS`."""
    if form not in FORMS:
        raise ConfigError(f"graph form: {form!r} is unknown, allowed are {', '.join(FORMS)}")
    return FORMS[form](graph)
