"""Descent: parents, generations, principal parents, trees."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.contagion.attribution import ADL, LIQUIDATION, Triggers
from stresslab.contagion.forest import Parents, grow, width
from stresslab.contagion.forest import parents as parents_of
from stresslab.core.events import CAUSE_ID


def parents(*edges: tuple[int, int, float]) -> Parents:
    child, parent, share = (np.array(column) for column in zip(*edges, strict=True))
    n = len(edges)
    return Parents(child, parent, share, np.ones(n, np.int64), np.zeros(n))


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
    none = Parents(*(np.empty(0, np.int64) for _ in Parents._fields))
    forest = grow(none, n)
    assert forest.root.tolist() == list(range(n))
    assert not forest.depth.any()
    assert not forest.generation.any()
    assert width(forest) == min(n, 1)


def test_who_moves_prices_and_takes_lots_away_is_one_parent() -> None:
    """Liquidation 9: an eighth by the fees, half by 4 (3/8 of it ADL), 3/8 by the prices of 6."""
    rows = [(CAUSE_ID["fees"], -1, 1), (ADL, 4, 3), (LIQUIDATION, 4, 1), (LIQUIDATION, 6, 3)]
    cause, source, eighths = (np.array(column) for column in zip(*sorted(rows), strict=True))
    found = Triggers(np.full(4, 9), cause, source, eighths * 100, eighths / 8)
    edges = parents_of(found, np.array([4, 6, 9]))
    assert [column.tolist() for column in edges] == [
        [2, 2], [0, 1], [0.5, 0.375], [400, 300], [0.375, 0.0],
    ]  # fmt: skip
