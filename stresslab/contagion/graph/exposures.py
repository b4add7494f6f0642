"""Who held what before the first step: accounts and assets, the road that prices take."""

from __future__ import annotations

import networkx
import numpy as np

from stresslab.contagion.columns import as_int, usd
from stresslab.contagion.projection import Contagion


def exposure_graph(run: Contagion) -> networkx.DiGraph:
    """Return the exposures of accounts to assets before the first step.

    Account nodes carry ``kind`` "account", ``account``, ``strategy``, ``wealth_usd``,
    ``notional_usd`` and ``leverage`` (0 without wealth); asset nodes ``kind`` "asset",
    ``open_interest_usd``, ``depth_usd`` (bids within 1 % of the mark in the first step) and
    ``is_shocked``. Edges account -> asset carry ``notional_usd``, ``position_usd`` (signed) and
    ``mode``. Accounts that hold nothing are left out.
    """
    graph = networkx.DiGraph(projection="exposures")
    _add_assets(run, graph)
    rows = run.tables["positions"]
    is_held = as_int(rows["initial_lots"]) != 0
    held = {name: column[is_held] for name, column in rows.items()}
    _add_accounts(run, graph, held)
    order = np.lexsort((as_int(held["asset"]), as_int(held["account"])))
    for row in order.tolist():
        notional = usd(held["initial_notional_micro_usd"][row])
        graph.add_edge(
            f"account:{int(held['account'][row])}",
            run.asset_names[int(held["asset"][row])],
            notional_usd=notional,
            position_usd=notional if held["initial_lots"][row] > 0 else -notional,
            mode=str(held["mode"][row]),
        )
    return graph


def _add_assets(run: Contagion, graph: networkx.DiGraph) -> None:
    depth = depths_micro_usd(run)
    for asset, name in enumerate(run.asset_names):
        graph.add_node(
            name,
            kind="asset",
            open_interest_usd=usd(run.initial_open_interest[asset]),
            depth_usd=usd(depth[asset]),
            is_shocked=bool(run.is_shocked[asset]),
        )


def _add_accounts(run: Contagion, graph: networkx.DiGraph, held: dict[str, np.ndarray]) -> None:
    ids, place = np.unique(as_int(held["account"]), return_inverse=True)
    notional = np.zeros(len(ids), np.int64)
    np.add.at(notional, place, as_int(held["initial_notional_micro_usd"]))
    accounts = run.tables["accounts"]
    known = dict(zip(as_int(accounts["account"]).tolist(), range(len(accounts["account"])),
                     strict=True))  # fmt: skip
    for number, total in zip(ids.tolist(), notional.tolist(), strict=True):
        row = known[number]
        wealth = int(accounts["wealth_micro_usd"][row])
        graph.add_node(
            f"account:{number}",
            kind="account",
            account=number,
            strategy=str(accounts["strategy"][row]),
            wealth_usd=usd(wealth),
            notional_usd=usd(total),
            leverage=total / wealth if wealth > 0 else 0.0,
        )


def depths_micro_usd(run: Contagion) -> np.ndarray:
    """Return the bids within 1 % of the mark in the first step, (n_assets,); 0 without a path."""
    paths = run.paths
    if not len(paths.step):
        return np.zeros(run.n_assets, np.int64)
    depth: np.ndarray = paths.bid_depth[0] * paths.mark_price[0] * run.unit_values
    return depth
