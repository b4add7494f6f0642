"""Every contagion graph can be built, written in every form, and read back as it was."""

from __future__ import annotations

import io
import json

import networkx
import numpy as np
import pytest

from stresslab.contagion import Contagion, Tables
from stresslab.contagion.graph import FORMS, GRAPHS, edge_columns, graph_columns, write
from stresslab.contagion.graph.attributes import ATTRIBUTES
from stresslab.contagion.graph.edges import trigger_matrix
from stresslab.core.errors import ConfigError
from tests.unit.contagion.cases import USD, hand_cascade, liquidation, one_liquidation, tables

READERS = {
    "graphml": lambda text: networkx.read_graphml(io.BytesIO(text.encode())),
    "gexf": lambda text: networkx.read_gexf(io.BytesIO(text.encode())),
    "json": lambda text: networkx.node_link_graph(json.loads(text), edges="edges"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", GRAPHS)
def test_what_is_written_is_read_back(name: str, form: str) -> None:
    graph = GRAPHS[name](Contagion(hand_cascade()))
    assert graph.number_of_edges() > 0
    again = READERS[form](write(graph, form))
    assert set(again.nodes) == set(graph.nodes)
    assert set(again.edges) == set(graph.edges)
    for node, attributes in graph.nodes(data=True):
        assert attributes.items() <= again.nodes[node].items()
    for source, target, attributes in graph.edges(data=True):
        assert attributes.items() <= again.edges[source, target].items()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", GRAPHS)
def test_the_same_graph_gives_the_same_text(name: str, form: str) -> None:
    texts = {write(GRAPHS[name](Contagion(hand_cascade())), form) for _ in range(2)}
    assert len(texts) == 1
    assert "lastmodifieddate" not in texts.pop()


@pytest.mark.parametrize("name", GRAPHS)
def test_every_attribute_is_documented(name: str) -> None:
    known = set()
    for row in ATTRIBUTES[name]:
        known.add((row.of, "share_index" if row.name == "share_*" else row.name, row.type))
    found = {
        (of.get("kind", "edge"), key, type(value).__name__)
        for graph in (GRAPHS[name](Contagion(log)) for log in (hand_cascade(), deleveraged()))
        for of in [data for *_, data in (*graph.nodes(data=True), *graph.edges(data=True))]
        for key, value in of.items()
    }
    if name == "payers":  # no loss is kept back in the hand cascade
        known = {row for row in known if row[0] != "everybody"}
    assert found == known


@pytest.mark.parametrize("name", GRAPHS)
def test_edges_as_columns_are_the_edges(name: str) -> None:
    graph = GRAPHS[name](Contagion(hand_cascade()))
    columns = graph_columns(graph)
    pairs = list(zip(columns["source"], columns["target"], strict=True))
    assert pairs == sorted(graph.edges) and len(pairs) > 0
    for place, pair in enumerate(pairs):
        for key, value in graph.edges[pair].items():
            assert columns[key][place] == value


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("log", [tables, one_liquidation], ids=["empty", "one"])
def test_small_logs_give_small_graphs(name: str, log) -> None:
    graph = GRAPHS[name](Contagion(log()))
    assert graph.number_of_nodes() <= 3
    for form in FORMS:
        assert write(graph, form)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ConfigError, match="'dot' is unknown, allowed are graphml, gexf, json"):
        write(networkx.DiGraph(), "dot")


def test_the_bipartite_graph_tells_the_story() -> None:
    graph = GRAPHS["bipartite"](Contagion(hand_cascade()))
    assert sorted(graph.edges(data=True), key=lambda edge: edge[:2]) == [
        ("liquidation:0", "move:1:A", {"share": 1.0}),
        ("liquidation:1", "move:2:B", {"share": 1.0}),
        ("liquidation:1", "move:3:A", {"share": 0.5}),
        ("move:0:A", "liquidation:0", {"amount_usd": 900.0}),
        ("move:1:A", "liquidation:1", {"amount_usd": 450.0}),
        ("move:2:B", "liquidation:2", {"amount_usd": 216.0}),
        ("move:3:A", "liquidation:3", {"amount_usd": 180.0}),
    ]
    assert graph.nodes["move:3:A"] == {
        "kind": "move",
        "stage": 3,
        "step": 2,
        "round": 0,
        "asset": "A",
        "from_ticks": 80,
        "to_ticks": 70,
        "share_index": 0.5,
    }


def test_deleveraging_is_a_node_between_liquidations() -> None:
    run = Contagion(deleveraged())
    graph = GRAPHS["bipartite"](run)
    assert graph.nodes["adl:0"] == {"kind": "adl", "liquidation": 0}
    assert list(graph.in_edges("adl:0", data=True)) == [
        ("liquidation:0", "adl:0", {"share": 1.0})
    ]  # fmt: skip
    assert list(graph.out_edges("adl:0", data=True)) == [
        ("adl:0", "liquidation:1", {"amount_usd": 6.0})
    ]  # fmt: skip
    edge = GRAPHS["liquidations"](run).edges["liquidation:0", "liquidation:1"]
    assert edge == {"share": 0.8, "adl_share": 0.6, "amount_usd": 8.0}
    assert edge_columns(run)["adl_share"].tolist() == [0.6]


def deleveraged() -> Tables:
    """Return a log in which liquidation 0 takes lots of pool 1 away and moves the price a little.

    Of the 10 USD that pool 1 lost 6 went by ADL, 2 by 0's sales and 2 by fees.
    """
    log = one_liquidation()
    second = tables(
        liquidations=[liquidation(1, account=1)],
        price_moves=[{"stage": 1, "asset": 0}],
        price_causes=[{"stage": 1, "cause": "liquidation", "liquidation": 0, "share": 1.0}],
        breach_amounts=[
            {"liquidation": 1, "cause": "adl", "asset": -1, "source_liquidation": 0,
             "amount_micro_usd": 6 * USD},
            {"liquidation": 1, "cause": "price", "stage": 1, "amount_micro_usd": 2 * USD},
            {"liquidation": 1, "cause": "fees", "asset": -1, "amount_micro_usd": 2 * USD},
        ],
    )  # fmt: skip
    return {
        name: {c: np.concatenate([v, second[name][c]]) for c, v in columns.items()}
        for name, columns in log.items()
    }


def test_the_liquidation_graph_is_its_columns_and_its_sparse_matrix() -> None:
    run = Contagion(hand_cascade())
    graph, columns = GRAPHS["liquidations"](run), edge_columns(run)
    edges = [
        (f"liquidation:{source}", f"liquidation:{target}", share)
        for source, target, share in zip(
            *(columns[name].tolist() for name in ("source", "target", "share")), strict=True
        )
    ]
    assert sorted(edges) == sorted(graph.edges(data="share"))
    assert columns["is_principal"].all()
    assert trigger_matrix(run).toarray().tolist() == [
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0.5, 0, 0],
    ]
    assert networkx.is_directed_acyclic_graph(graph)


def test_the_asset_graph_tells_modes_apart() -> None:
    graph = GRAPHS["assets"](Contagion(hand_cascade()))
    assert graph.edges["A", "B"] == {
        "notional_usd": 4_000.0,
        "endogenous_usd": 4_000.0,
        "isolated_usd": 0.0,
        "cross_usd": 4_000.0,
    }
    assert graph.nodes["A"]["is_shocked"]
    assert not graph.nodes["B"]["is_shocked"]


def test_depth_of_the_exposures_is_that_of_the_first_step() -> None:
    log = hand_cascade()
    depth = log["path"]["bid_depth_lots"]
    depth[:] = np.where(log["path"]["step"] == log["path"]["step"].min(), 7, 3)
    graph = GRAPHS["exposures"](Contagion(log))
    first = log["path"]["mark_ticks"][:2].tolist()
    assert [graph.nodes[name]["depth_usd"] for name in "AB"] == [7.0 * mark for mark in first]


def test_projections_share_out_what_was_forced() -> None:
    """Account 1 fells 2 whole; 2 fells 3 whole and half of 4, of 2760 and 1400 USD."""
    run = Contagion(hand_cascade())
    accounts, modes = GRAPHS["accounts"](run), GRAPHS["modes"](run)
    edges = {(a, b): d["notional_usd"] for a, b, d in accounts.edges(data=True)}
    assert edges == {
        ("account:1", "account:2"): 5_600.0,
        ("account:2", "account:3"): 2_760.0,
        ("account:2", "account:4"): 700.0,
    }
    assert modes.edges["cross", "isolated"] == {"liquidations": 1.5, "notional_usd": 3_460.0}
    assert modes.nodes["isolated"]["exogenous"] == 1.5
    for name in ("accounts", "modes", "strategies"):
        graph = GRAPHS[name](run)
        assert sum(d["notional_usd"] for *_, d in graph.edges(data=True)) == 9_060.0
        assert sum(d["liquidations"] for _, d in graph.nodes(data=True)) == 4


def test_exposures_are_the_first_positions() -> None:
    graph = GRAPHS["exposures"](Contagion(hand_cascade()))
    assert graph.edges["account:2", "B"]["position_usd"] == 4_000.0
    assert graph.nodes["account:2"]["leverage"] == 9_000 / 1_600
    assert graph.nodes["A"]["depth_usd"] == 200 * 100.0
