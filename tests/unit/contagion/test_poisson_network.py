"""Random networks hold the links that were drawn, in rows that scipy need not sort."""

from __future__ import annotations

import numpy as np

from stresslab.contagion.networks.thresholds import poisson_network


def test_a_network_is_the_links_drawn_without_loops() -> None:
    """Pair k of n (n - 1) joins row k // (n - 1) to the k % (n - 1)-th of the others."""
    n, mean = 40, 3.0
    network = poisson_network(n, mean, np.random.Generator(np.random.Philox(key=5)))
    rng = np.random.Generator(np.random.Philox(key=5))
    drawn = rng.binomial(n * (n - 1), mean / (n - 1))
    expected = np.zeros((n, n), np.int32)
    for link in rng.choice(n * (n - 1), drawn, replace=False, shuffle=False).tolist():
        row, place = divmod(link, n - 1)
        others = [node for node in range(n) if node != row]
        expected[row, others[place]] += 1
    assert 80 < drawn < 160
    assert (network.toarray() == expected).all()
    assert not network.diagonal().any()
    assert network.has_canonical_format
