"""Published examples of BitMEX, run through the parts that its pack names."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.liquidation.division import Contributors
from stresslab.margin.tiers import initial_margins, margin_tables
from tests.reference.venues.engine import VECTORS, EngineAccount, Position, rules_of

MICRO = 1_000_000


def test_the_queue_of_the_example_fills_from_its_highest_rank():
    """Twenty contracts go to accounts 2 and 5, ranked 6 and 5; profit is set to the rank."""
    vector = VECTORS["bitmex-adl-queue"]
    given = vector["inputs"]
    names, lots, rank = (
        np.array(column, np.int64) for column in zip(*given["accounts"], strict=True)
    )
    value = np.full(names.size, 1000 * MICRO)
    crowd = Contributors(
        side=np.ones(names.size, np.int64), lots=lots, value=value, cost=value,
        profit=rank * MICRO, equity=value, maintenance=value // 20, notional=value, wallet=value,
        most=lots, bearable=lots,
    )  # fmt: skip
    policy = rules_of("bitmex", ["BTC"]).liquidation.position_adl
    place, asked = policy.divide(given["liquidated_size"], crowd)
    fills, left = {}, given["liquidated_size"]
    for row, most in zip(place.tolist(), asked.tolist(), strict=True):
        taken = min(left, most)
        if taken:
            fills[str(names[row])] = taken
        left -= taken
    assert left == 0
    assert fills == vector["expected"]["fills"]


@pytest.mark.parametrize("side", [1, -1])
def test_the_base_risk_limit_asks_1_percent_and_keeps_half_of_it(side):
    """At 100 x a position is in breach half way to its bankruptcy price, give or take the mark."""
    account = EngineAccount("bitmex", {"BTC": Position(side, 50_000, "0.5")}, 500)
    assert account.state() == (500 * MICRO, 250 * MICRO)
    asked = initial_margins(account.tables, 0, np.array([50_000 * MICRO]), 1)
    assert asked.tolist() == [500 * MICRO]
    met = (50_000 * side - 500) / (side - 0.005)
    assert 0 < (met - account.breach_price()) * side <= 0.5
    assert account.state_at(50_000 - 500 * side)[0] == 0


def test_every_step_of_the_risk_limit_adds_half_a_percent():
    rules = rules_of("bitmex", ["BTC", "ETH", "X"])
    names = ["BTC", "ETH", "X"]
    tables = margin_tables(rules.margin, names, np.zeros(3, np.int64), np.ones(3, np.int64))
    assert set(np.diff(tables.rate, axis=1).ravel().tolist()) == {5_000_000}
    assert rules.margin.cross.closure.rest == rules.margin.isolated.closure.rest == "takeover"
