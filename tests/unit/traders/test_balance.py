"""Longs equal shorts to the lot: who is scaled, who is not, who takes the other side."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.errors import ConfigError
from stresslab.traders.balance import COUNTERPARTY, FIXED, SHRINKS, balance


def _balanced(position: list[int], role: list[int], capacity: list[int] | None = None) -> list[int]:
    room = np.array(capacity or [0] * len(position))
    return balance("BTC", np.array(position), np.array(role), room).tolist()


def test_the_larger_side_is_scaled_down_by_largest_remainder() -> None:
    # 7 longs must become 5: 4 * 5/7 = 2.857, 3 * 5/7 = 2.143.
    assert _balanced([4, 3, -5], [SHRINKS] * 3) == [3, 2, -5]


def test_shorts_are_scaled_down_too() -> None:
    assert _balanced([5, -4, -3], [SHRINKS] * 3) == [5, -3, -2]


def test_fixed_positions_keep_every_lot() -> None:
    assert _balanced([10, 20, -15], [FIXED, SHRINKS, FIXED]) == [10, 5, -15]


def test_counterparties_take_the_other_side_by_capacity() -> None:
    roles = [SHRINKS, COUNTERPARTY, COUNTERPARTY]
    assert _balanced([30, 0, 0], roles, [0, 100, 50]) == [30, -20, -10]


def test_counterparties_take_no_more_than_they_can() -> None:
    assert _balanced([30, 0], [SHRINKS, COUNTERPARTY], [0, 12]) == [12, -12]


def test_a_balanced_book_is_left_alone() -> None:
    assert _balanced([7, -7], [SHRINKS, SHRINKS]) == [7, -7]


def test_nobody_on_the_other_side_is_refused() -> None:
    with pytest.raises(ConfigError, match="7 lots of BTC are long"):
        _balanced([4, 3], [SHRINKS, SHRINKS])


def test_fixed_positions_that_nobody_meets_are_refused() -> None:
    with pytest.raises(ConfigError, match="lots of BTC are short"):
        _balanced([4, -9], [SHRINKS, FIXED])
