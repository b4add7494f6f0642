"""What is written into the picture of a small cascade: who, and what ate whose margin."""

from __future__ import annotations

import numpy as np
import polars as pl

from stresslab.contagion import Contagion
from stresslab.contagion.columns import MICRO_USD, as_int
from stresslab.core.events import CAUSES

MOST = 12  # liquidations of a cascade that is told in words


def with_words(run: Contagion, frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Add ``words`` to the nodes and edges of a cascade of which every liquidation is a node.

    A node is told by its account, the only one of its group by the group, and a root by its largest
    cause too. An edge is told by the margin that it ate, net, in USD.
    """
    names = _names(run)
    told = [_node(run, int(node), names) for node in frames["nodes"]["node"]]
    pairs = frames["edges"].select("source", "target").rows()
    edges = [_edge(run, int(source), int(target)) for source, target in pairs]
    return {
        "nodes": frames["nodes"].with_columns(words=pl.Series(told, dtype=pl.String)),
        "edges": frames["edges"].with_columns(words=pl.Series(edges, dtype=pl.String)),
    }


def _names(run: Contagion) -> dict[int, str]:
    groups = run.tables["accounts"]["group"].tolist()
    ids = as_int(run.tables["accounts"]["account"]).tolist()
    return {
        number: group if groups.count(group) == 1 else str(number)
        for number, group in zip(ids, groups, strict=True)
    }


def _node(run: Contagion, row: int, names: dict[int, str]) -> str:
    name = names[int(run.liquidations["account"][row])]
    if run.forest.principal[row] >= 0:
        return name
    found = run.triggers
    mine = np.flatnonzero((found.liquidation == run.ids[row]) & (found.micro_usd > 0))
    if not mine.size:  # X was zero before, where that is a breach
        return name
    first = mine[int(found.micro_usd[mine].argmax())]
    return f"{name}\n{_usd(int(found.micro_usd[first]))} by {CAUSES[int(found.cause[first])]}"


def _edge(run: Contagion, source: int, target: int) -> str:
    edges = run.parents
    (place,) = np.flatnonzero((edges.parent == source) & (edges.child == target)).tolist()
    return (
        f"{_usd(int(edges.micro_usd[place]))} {_road(edges.adl_share[place], edges.share[place])}"
    )


def _road(by_adl: float, share: float) -> str:
    if 2 * by_adl <= share:
        return "by its orders"
    return "by deleveraging" if by_adl == share else "mostly by deleveraging"


def _usd(micro: int) -> str:
    return f"{micro / MICRO_USD:,.0f} USD"
