"""The contagion graph: liquidation -> price move (asset, stage) or ADL -> liquidation."""

from __future__ import annotations

from typing import Any

import networkx
import numpy as np

from stresslab.contagion.attribution import ADL, NONE
from stresslab.contagion.columns import as_int, usd
from stresslab.contagion.graph.nodes import (
    adl_node,
    liquidation_attributes,
    liquidation_node,
    move_node,
)
from stresslab.contagion.projection import Contagion


def bipartite_graph(run: Contagion) -> networkx.DiGraph:
    """Return the bipartite graph of liquidations and the price moves that ate their margin.

    Nodes: liquidations (see :func:`liquidation_attributes`) and price moves with ``kind`` "move",
    ``stage``, ``step``, ``round``, ``asset``, ``from_ticks``, ``to_ticks`` and, for every other
    cause that had a part in the move, ``share_<cause>``.
    Edges: liquidation -> move with ``share``, its signed part of the move; move -> liquidation with
    ``amount_usd``, the margin that the move ate of the pool (negative: gave back).
    Moves that no liquidation felt are left out. What auto-deleveraging for a liquidation ate of
    other pools goes through a node of its own, with ``kind`` "adl" and ``liquidation``, an edge of
    ``share`` 1 into it and edges with ``amount_usd`` out of it.
    """
    graph = networkx.DiGraph(projection="bipartite")
    for attributes in liquidation_attributes(run):
        graph.add_node(liquidation_node(attributes["liquidation"]), **attributes)
    felt = _felt(run)
    for move, attributes in _moves(run, felt).items():
        graph.add_node(move_node(move[0], attributes["asset"]), **attributes)
    _add_causes(run, graph, felt)
    _add_effects(run, graph)
    _add_deleveraging(run, graph)
    return graph


def _felt(run: Contagion) -> set[tuple[int, int]]:
    rows = run.tables["breach_amounts"]
    is_price = np.asarray(rows["cause"] == "price", dtype=bool)
    return set(zip(rows["stage"][is_price].tolist(), rows["asset"][is_price].tolist(), strict=True))


def _moves(run: Contagion, felt: set[tuple[int, int]]) -> dict[tuple[int, int], dict[str, Any]]:
    rows, moves = run.tables["price_moves"], {}
    order = np.lexsort((as_int(rows["asset"]), as_int(rows["stage"])))
    for row in order.tolist():
        move = int(rows["stage"][row]), int(rows["asset"][row])
        if move in felt:
            moves[move] = {
                "kind": "move",
                "stage": move[0],
                "step": int(rows["step"][row]),
                "round": int(rows["round"][row]),
                "asset": run.asset_names[move[1]],
                "from_ticks": int(rows["from_ticks"][row]),
                "to_ticks": int(rows["to_ticks"][row]),
            }
    return moves


def _add_causes(run: Contagion, graph: networkx.DiGraph, felt: set[tuple[int, int]]) -> None:
    rows = run.tables["price_causes"]
    columns = ("liquidation", "asset", "stage")
    order = np.lexsort(tuple(as_int(rows[name]) for name in columns))
    for row in order.tolist():
        stage, asset = int(rows["stage"][row]), int(rows["asset"][row])
        if (stage, asset) not in felt:
            continue
        move, share = move_node(stage, run.asset_names[asset]), float(rows["share"][row])
        if rows["cause"][row] == "liquidation":
            _add(graph, liquidation_node(int(rows["liquidation"][row])), move, "share", share)
        else:
            key = f"share_{rows['cause'][row]}"
            graph.nodes[move][key] = graph.nodes[move].get(key, 0.0) + share


def _add_effects(run: Contagion, graph: networkx.DiGraph) -> None:
    rows = run.tables["breach_amounts"]
    is_price = np.asarray(rows["cause"] == "price", dtype=bool)
    columns = ("asset", "stage", "liquidation")
    order = np.lexsort(tuple(as_int(rows[name]) for name in columns))
    for row in order[is_price[order]].tolist():
        move = move_node(int(rows["stage"][row]), run.asset_names[int(rows["asset"][row])])
        liquidation = liquidation_node(int(rows["liquidation"][row]))
        _add(graph, move, liquidation, "amount_usd", usd(rows["amount_micro_usd"][row]))


def _add_deleveraging(run: Contagion, graph: networkx.DiGraph) -> None:
    amounts = run.amounts
    rows = np.flatnonzero((amounts.cause == ADL) & (amounts.source != NONE))
    columns = (amounts.source, amounts.liquidation, amounts.micro_usd)
    for source, target, micro in zip(*(c[rows].tolist() for c in columns), strict=True):
        node = adl_node(source)
        if node not in graph:
            graph.add_node(node, kind="adl", liquidation=source)
            graph.add_edge(liquidation_node(source), node, share=1.0)
        graph.add_edge(node, liquidation_node(target), amount_usd=usd(micro))


def _add(graph: networkx.DiGraph, source: str, target: str, name: str, value: float) -> None:
    before = graph.get_edge_data(source, target, {}).get(name, 0.0)
    graph.add_edge(source, target, **{name: before + value})
