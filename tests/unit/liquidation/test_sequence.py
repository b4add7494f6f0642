"""Traders reach the books in an order drawn by id and step; each one's own orders stay together."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.random import Streams, uniform
from stresslab.liquidation.sequence import sequence_by_trader
from tests.markets import Ask, orders_of


@pytest.mark.parametrize("step", [1, 2, 30])
@pytest.mark.parametrize("senders", [[4], [0, 1], [3, 3, 5], [0, 0, 0, 1, 2, 2, 4, 5, 5], []])
def test_traders_are_ranked_by_their_draw_of_the_step(step, senders):
    """Ids are not rows: the draw is that of the id, number 0 of the step."""
    ids, key = np.array([50, 10, 60, 20, 40, 30]), Streams(5, 1)["turn"]
    batch = orders_of([Ask(row, 1) for row in senders])
    found = sequence_by_trader(ids, batch, key, step).tolist()
    luck = {row: uniform(key, ids[row], step, 0) for row in senders}
    expected = sorted(range(len(senders)), key=lambda place: (luck[senders[place]], place))
    assert found == expected


def test_the_order_changes_from_step_to_step():
    ids, key = np.arange(6), Streams(5, 1)["turn"]
    batch = orders_of([Ask(row, 1) for row in range(6)])
    assert len({tuple(sequence_by_trader(ids, batch, key, step)) for step in range(9)}) > 5
