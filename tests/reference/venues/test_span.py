"""The SPAN-like pack: no venue publishes examples of it, so its own arithmetic is held to."""

from __future__ import annotations

import pytest

from stresslab.margin.portfolio.book import INITIAL, NO_ASSET, book_requirement
from tests.reference.venues.engine import EngineAccount, Position

MICRO = 1_000_000


@pytest.mark.parametrize("side", [1, -1])
def test_a_pool_is_in_breach_below_the_scan_range(side):
    account = EngineAccount("span", {"X": Position(side * 10, 100)}, 100)
    assert account.state() == (100_000_000, 90_000_000)
    met = (100 * side - 10) / (side - 0.09)
    assert 0 < (met - account.breach_price()) * side <= 0.0001


@pytest.mark.parametrize("side", [1, -1])
def test_longs_and_shorts_offset_each_other_by_the_spread_credit(side):
    """1,000 USD against 600: 9 % of 1,000 - 0.7 x 600."""
    positions = {"X": Position(side * 10, 100), "Y": Position(-side * 6, 100)}
    account = EngineAccount("span", positions, 100, "cross")
    need = (1000 - 420) * 9 * MICRO // 100
    assert account.state() == (100 * MICRO, need)
    a = account.accounts
    asked = book_requirement(
        account.tables, account.marks, a.position, a.mode, 0, INITIAL, NO_ASSET, 0
    )
    assert asked == need * 11 // 10


@pytest.mark.parametrize("side", [1, -1])
def test_a_lone_position_meets_the_scan_range(side):
    """An extreme move, 27 % at 32 %, is 8.64 %: less than the scan range of 9 %."""
    account = EngineAccount("span", {"X": Position(side * 10, 100)}, 100, "cross")
    met = (100 * side - 10) / (side - 0.09)
    assert account.state()[1] == 90 * MICRO
    assert 0 < (met - account.breach_price()) * side <= 0.0001
