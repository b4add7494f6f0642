"""Cascades as sparse matrices give the numbers that networkx gives, and closed forms."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from stresslab.contagion import Contagion
from stresslab.contagion.graph import GRAPHS, communities, structure
from stresslab.contagion.graph.network import core_numbers, descendants, structure_of
from tests.unit.contagion.cases import hand_cascade, one_liquidation, tables
from tests.unit.contagion.random_log import random_log


def chain(shares: list[float]) -> sparse.csr_array:
    n = len(shares) + 1
    return sparse.csr_array((shares, (range(1, n), range(n - 1))), shape=(n, n))


def test_descendants_of_a_chain_are_a_geometric_sum() -> None:
    assert descendants(chain([0.5, 0.5])).tolist() == [1.75, 1.5, 1.0]


def test_descendants_of_the_hand_cascade() -> None:
    """0 fells 1 whole; 1 fells 2 whole and half of 3."""
    assert descendants_of(hand_cascade()) == [3.5, 2.5, 1.0, 1.0]


def descendants_of(log) -> list[float]:
    return structure(Contagion(log)).descendants.tolist()


@pytest.mark.parametrize(("log", "n"), [(tables, 0), (one_liquidation, 1)], ids=["empty", "one"])
def test_small_graphs(log, n: int) -> None:
    found = structure(Contagion(log()))
    assert {len(column) for column in found} == {n}
    assert found.descendants.tolist() == [1.0] * n
    assert found.core.tolist() == found.cascade.tolist() == [0] * n


@given(st.integers(0, 19))
def test_the_same_numbers_as_networkx(seed: int) -> None:
    run = Contagion(random_log(seed))
    graph, found = GRAPHS["liquidations"](run), structure(run)
    nodes = list(graph)
    assert graph.number_of_edges() > 20
    cores = networkx.core_number(graph.to_undirected())
    assert found.core.tolist() == [cores[node] for node in nodes]
    assert found.children.tolist() == [graph.out_degree(node) for node in nodes]
    assert found.parents.tolist() == [graph.in_degree(node) for node in nodes]
    given_away = [graph.out_degree(node, weight="share") for node in nodes]
    assert found.share_given == pytest.approx(given_away)
    katz = networkx.katz_centrality_numpy(
        graph.reverse(), 1.0, 1.0, weight="share", normalized=False
    )
    assert found.descendants == pytest.approx([katz[node] for node in nodes])
    assert partition(nodes, found.cascade.tolist()) == {
        frozenset(part) for part in networkx.weakly_connected_components(graph)
    }
    first = [found.cascade.tolist().index(label) for label in range(int(found.cascade.max()) + 1)]
    assert first == sorted(first)


def partition(nodes: list[str], labels: list[int]) -> set[frozenset[str]]:
    return {
        frozenset(node for node, mine in zip(nodes, labels, strict=True) if mine == label)
        for label in set(labels)
    }


def test_cores_of_a_clique_with_a_tail() -> None:
    """Four that all know each other are a 3-core; the tail is a 1-core."""
    links = np.zeros((6, 6))
    links[:4, :4] = np.tri(4, k=-1)
    links[4, 3] = links[5, 4] = 1
    assert core_numbers(sparse.csr_array(links)).tolist() == [3, 3, 3, 3, 1, 1]


@given(st.integers(2, 30), st.integers(0, 2**31))
def test_descendants_add_up_to_generations(n: int, seed: int) -> None:
    """Both count weighted paths: the sum of descendants is the sum of 1 + generation."""
    rng = np.random.default_rng(seed)
    shares = np.tril(rng.random((n, n)) * (rng.random((n, n)) < 0.3), -1)
    found = structure_of(sparse.csr_array(shares))
    ends = np.linalg.solve(np.eye(n) - shares, np.ones(n))
    assert found.descendants.sum() == pytest.approx(ends.sum())


def test_two_cliques_on_a_bridge_are_two_communities() -> None:
    graph = networkx.DiGraph([*((f"a{i}", f"a{j}") for i in range(4) for j in range(i)),
                              *((f"b{i}", f"b{j}") for i in range(5) for j in range(i)),
                              ("a0", "b0")])  # fmt: skip
    found = communities(graph)
    assert {node for node, place in found.items() if place == 0} == {f"b{i}" for i in range(5)}
    assert {node for node, place in found.items() if place == 1} == {f"a{i}" for i in range(4)}
    renamed = networkx.relabel_nodes(graph, {node: node.upper() for node in graph})
    assert {node.upper(): place for node, place in found.items()} == communities(renamed)
    assert communities(networkx.DiGraph()) == {}
    assert communities(GRAPHS["tree"](Contagion(one_liquidation()))) == {"liquidation:0": 0}


@given(st.integers(0, 12), st.integers(0, 999))
def test_communities_share_out_the_nodes_and_join_no_strangers(n: int, seed: int) -> None:
    """Every node once, the largest first; two parts without a link are never one community."""
    graph = networkx.gnp_random_graph(n, 0.3, seed=seed, directed=True)
    apart = networkx.disjoint_union(graph, graph)
    found = communities(apart)
    assert sorted(found) == list(range(2 * n))
    left, right = ({found[node] for node in part} for part in (range(n), range(n, 2 * n)))
    assert not left & right
    sizes = [list(found.values()).count(place) for place in range(len(left | right))]
    assert sizes == sorted(sizes, reverse=True)
