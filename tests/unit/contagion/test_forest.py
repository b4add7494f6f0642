"""Descent: parents, generations, principal parents, trees."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.contagion.forest import Parents, grow, width


def parents(*edges: tuple[int, int, float]) -> Parents:
    child, parent, share = (np.array(column) for column in zip(*edges, strict=True))
    return Parents(child, parent, share, np.ones(len(edges), np.int64))


def test_ties_go_to_the_smaller_id() -> None:
    forest = grow(parents((2, 0, 0.4), (2, 1, 0.4), (3, 0, 0.2), (3, 2, 0.3)), 4)
    assert forest.principal.tolist() == [-1, -1, 0, 2]
    assert forest.root.tolist() == [0, 1, 0, 0]
    assert forest.depth.tolist() == [0, 0, 1, 2]


def test_generation_is_the_expected_number_of_links() -> None:
    """Child 2 has half of a root and half of a first child: (1 + 0)/2 + (1 + 1)/2."""
    forest = grow(parents((1, 0, 1.0), (2, 0, 0.5), (2, 1, 0.5), (3, 2, 0.5)), 4)
    assert forest.generation.tolist() == [0.0, 1.0, 1.5, 1.25]
    assert forest.endogenous_share.tolist() == [0.0, 1.0, 1.0, 0.5]


def test_width_counts_one_depth_of_one_tree() -> None:
    forest = grow(parents((2, 0, 1.0), (3, 0, 1.0), (4, 1, 1.0), (5, 0, 1.0)), 6)
    assert width(forest) == 3


@pytest.mark.parametrize("n", [0, 1, 3])
def test_without_parents_everybody_is_a_root(n: int) -> None:
    none = Parents(*(np.empty(0, np.int64) for _ in range(4)))
    forest = grow(none, n)
    assert forest.root.tolist() == list(range(n))
    assert not forest.depth.any()
    assert not forest.generation.any()
    assert width(forest) == min(n, 1)
