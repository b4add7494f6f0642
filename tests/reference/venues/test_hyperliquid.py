"""Prices that Hyperliquid reported, run through the engine on its pack."""

from __future__ import annotations

import pytest

from stresslab.calculator import check_margin
from tests.reference.venues.engine import VECTORS, EngineAccount, Position, bracket

GRIDS = {
    "hl-eth-5": ("ETH", "0.01", "0.0001"),
    "hl-sol-9": ("SOL", "0.0001", "0.01"),
    "hl-btc-12": ("BTC", "0.1", "0.00001"),
    "hl-sol-22": ("SOL", "0.0001", "0.01"),
    "hl-doge-27": ("DOGE", "0.000001", "1"),
}


@pytest.mark.parametrize("name", sorted(GRIDS))
def test_a_reported_isolated_position_is_liquidated_at_its_price(name):
    """Maintenance is half of initial margin at the leverage of the sample's time."""
    vector = VECTORS[name]
    given = vector["inputs"]
    asset, tick, lot = GRIDS[name]
    side = 1 if given["side"] == "long" else -1
    position = Position(side * given["size"], given["price"], tick, lot)
    most = float(given["max_leverage"])
    own = {"margin": {"brackets": {asset: [bracket(1 / (2 * most), most)]}}}
    account = EngineAccount("hyperliquid", {asset: position}, given["margin"], **own)
    assert account.meets(vector)


@pytest.mark.parametrize("name", ["hl-sol-9", "hl-sol-22"])
def test_the_pack_as_it_stands_gives_and_displays_the_price_of_sol(name):
    vector = VECTORS[name]
    given = vector["inputs"]
    side = 1 if given["side"] == "long" else -1
    found = check_margin(
        "hyperliquid", given["side"], str(given["size"]), str(given["price"]), 1, asset="SOL",
        wallet=given["margin"], tick="0.0001", with_steps=False,
    )  # fmt: skip
    expected = vector["expected"]["liq_price"]
    assert abs(found.liquidation_price / expected - 1) < 1e-4
    assert (found.displayed_liquidation_price - found.liquidation_price) * side > 0
    assert abs(found.displayed_liquidation_price - found.liquidation_price) < 2.5 * found.tick
