"""How far a large cascade goes in a network of given size, against all networks of a small one."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import pytest

from stresslab.contagion.networks import (
    final_size,
    giant_component,
    poisson_network,
    threshold_cascade,
)
from stresslab.validation.experiment import seed_of


def test_the_final_size_is_that_of_all_networks_of_four_nodes() -> None:
    """Each of the 4,096 networks by its chance; of nodes reached from the first, three or more."""
    n, mean_degree = 4, 1.2
    link = mean_degree / (n - 1)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    chance = dict.fromkeys(range(1, n + 1), 0.0)
    for drawn in product((0, 1), repeat=len(pairs)):
        network = nx.DiGraph(
            [pair for pair, is_there in zip(pairs, drawn, strict=True) if is_there]
        )
        network.add_node(0)
        reached = 1 + len(nx.descendants(network, 0))
        chance[reached] += link ** sum(drawn) * (1 - link) ** (len(pairs) - sum(drawn))
    assert sum(chance.values()) == pytest.approx(1.0)
    large = chance[3] + chance[4]
    mean = (0.75 * chance[3] + chance[4]) / large
    spread = 0.25 * (chance[3] * chance[4]) ** 0.5 / large
    assert final_size(n, mean_degree, beyond=0.3) == pytest.approx((mean, spread), abs=1e-12)


@pytest.mark.parametrize("mean_degree", [2.0, 4.0])
def test_it_goes_to_the_giant_component_like_one_over_the_size(mean_degree: float) -> None:
    giant = giant_component(mean_degree)
    off = [final_size(n, mean_degree, 0.05).mean - giant for n in (400, 800)]
    assert abs(off[0]) > 1e-4
    assert off[1] == pytest.approx(off[0] / 2, rel=0.1)


def test_cascades_that_a_touch_passes_on_reach_it() -> None:
    rng = np.random.Generator(np.random.Philox(key=seed_of("final size")))
    reach, sizes = final_size(100, 2.0, 0.2), []
    for _ in range(400):
        first = np.arange(100) == rng.integers(100)
        sizes.append(threshold_cascade(poisson_network(100, 2.0, rng), first, 1e-9).mean())
    large = [size for size in sizes if size - 0.01 > 0.2]
    assert len(large) > 250
    assert np.mean(large) == pytest.approx(reach.mean, abs=4 * reach.spread / len(large) ** 0.5)
    assert np.std(large) == pytest.approx(reach.spread, rel=0.2)
