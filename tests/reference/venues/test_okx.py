"""Published examples of OKX's form, run through the engine on its pack."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.core.rational import exact
from stresslab.margin.tiers import maintenance_margin, margin_tables
from tests.reference.venues.engine import VECTORS, EngineAccount, Position, bracket, rules_of

MICRO = 1_000_000


def _with_fee(given):
    """Return a table in which the fee to close stands in the maintenance rate."""
    rate = exact(given["mmr"]) + exact(given["taker_fee"])
    return {"brackets": {"X": [bracket(rate)]}}


@pytest.mark.parametrize("name", ["gate-iso-fee-2", "gate-iso-fee-4"])
def test_an_isolated_position_with_its_closing_fee(name):
    vector = VECTORS[name]
    given = vector["inputs"]
    side = 1 if given["side"] == "long" else -1
    position = Position(side * given["qty"], given["entry"], tick="0.00001", lot="0.1")
    account = EngineAccount("okx", {"X": position}, given["margin"], margin=_with_fee(given))
    assert account.meets(vector)


def test_a_cross_position_from_the_margin_ratio():
    """The ratio is equity over maintenance and fee to close at the mark."""
    vector = VECTORS["blofin-api-cross-swap"]
    given = vector["inputs"]
    rate = exact(given["mmr"]) + exact(given["taker_fee"])
    equity = exact(given["margin_ratio"]) * exact(given["mark"]) * rate
    position = Position(given["qty"], given["mark"], tick="0.00001", lot="0.1")
    account = EngineAccount("okx", {"X": position}, equity, "cross", margin=_with_fee(given))
    equity_found, need = account.state()
    assert equity_found / need == pytest.approx(given["margin_ratio"], rel=1e-5)  # of the grid
    assert account.meets(vector)


@pytest.mark.parametrize(
    ("value", "counted"),
    [(1_000_000, 950_000), (2_000_000, 1_900_000), (3_000_000, 2_750_000),
     (5_000_000, 4_100_000), (8_000_000, 5_600_000), (20_000_000, 5_600_000)],
)  # fmt: skip
def test_collateral_is_discounted_by_the_published_slices(value, counted):
    """BETH, 2024-07-18: 95 % of the first 2 million USD, 85 % of the next 2, 50 % to 8, then 0."""
    spot = {"kind": "spot", "initial_price_usd": 100.0, "tick_size_usd": 0.01, "lot_size": 1.0}
    rules = rules_of("okx", [], assets={"BETH": spot})
    tables = margin_tables(rules.margin, ["BETH"], np.ones(1, np.int64), np.ones(1, np.int64))
    assert value * MICRO - maintenance_margin(tables, 0, value * MICRO) == counted * MICRO
