"""Projections of who made whom fall onto accounts, margin modes and strategies."""

from __future__ import annotations

from typing import Any

import networkx
import numpy as np

from stresslab.contagion.columns import MICRO_USD, as_int, rows_of, usd
from stresslab.contagion.projection import Contagion


def account_graph(run: Contagion) -> networkx.DiGraph:
    """Return accounts that were liquidated; an edge a -> b says that a's liquidations felled b's.

    Nodes and edges are those of :func:`_projected`; nodes are named ``account:ID``.
    """
    names = [f"account:{number}" for number in as_int(run.liquidations["account"]).tolist()]
    return _projected(run, "accounts", "account", names)


def mode_graph(run: Contagion) -> networkx.DiGraph:
    """Return margin modes; an edge a -> b says that liquidations of pools in a felled pools in b.

    Nodes and edges are those of :func:`_projected`.
    """
    return _projected(run, "modes", "mode", [str(mode) for mode in run.liquidations["mode"]])


def strategy_graph(run: Contagion) -> networkx.DiGraph:
    """Return strategies; an edge a -> b says that liquidations of a's traders felled b's.

    Nodes and edges are those of :func:`_projected`.
    """
    return _projected(run, "strategies", "strategy", strategies(run))


def strategies(run: Contagion) -> list[str]:
    """Return the strategy of the account of each liquidation, empty where it is not known."""
    accounts = run.tables["accounts"]
    order = np.argsort(as_int(accounts["account"]))
    row = rows_of(as_int(run.liquidations["account"]), as_int(accounts["account"])[order])
    names = [*(str(name) for name in accounts["strategy"][order]), ""]
    return [names[place] for place in row.tolist()]


def _projected(run: Contagion, projection: str, kind: str, names: list[str]) -> networkx.DiGraph:
    """Return one node per name with its liquidations, and what fell by whose trigger shares.

    Nodes carry ``kind``, ``liquidations``, ``forced_notional_usd``, ``forced_loss_usd`` and
    ``exogenous``, the liquidations' shares that no liquidation has. Edges carry ``liquidations``,
    the trigger shares summed, and ``notional_usd``, forced notional by trigger share; an edge from
    a node to itself is one within it.
    """
    graph = networkx.DiGraph(projection=projection)
    unique, place = np.unique(np.array(names, dtype=object), return_inverse=True)
    n = len(unique)
    for row, name in enumerate(unique.tolist()):
        is_mine = place == row
        graph.add_node(name, **_node(run, kind, is_mine))
    edges = run.parents
    pair = place[edges.parent] * n + place[edges.child]
    known, group = np.unique(pair, return_inverse=True)
    shares = np.bincount(group, edges.share, len(known))
    forced = edges.share * run.forced_notional[edges.child]
    notional = np.bincount(group, forced, len(known)) / MICRO_USD
    columns = (known.tolist(), shares.tolist(), notional.tolist())
    for number, share, money in zip(*columns, strict=True):
        cause, effect = divmod(number, n)
        graph.add_edge(unique[cause], unique[effect], liquidations=share, notional_usd=money)
    return graph


def _node(run: Contagion, kind: str, is_mine: np.ndarray) -> dict[str, Any]:
    return {
        "kind": kind,
        "liquidations": int(is_mine.sum()),
        "forced_notional_usd": usd(run.forced_notional[is_mine].sum()),
        "forced_loss_usd": usd(run.forced_loss[is_mine].sum()),
        "exogenous": float((1.0 - run.forest.endogenous_share[is_mine]).sum()),
    }
