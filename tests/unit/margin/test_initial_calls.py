"""Pools that could not open now what they hold: to the micro-USD, in both modes, spot apart."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.margin.initial_calls import pools_below_initial_margin
from tests.markets import TICKS, USD, market, model_of, people


def below(model):
    c = model.world.clearing
    return pools_below_initial_margin(c.accounts, c.tables, model.world.board.ticks).tolist()


def venue(positions, mode="cross", **changes):
    """Return a model of one account with 1,000 USD; isolated asks 1.25 times what cross does."""
    other = {name: -lots for name, lots in positions.items() if name != "USDX"}
    scenario = market(
        {"one": people((1000.0, positions), mode=mode), "other": people((1e6, other))},
        assets=("BTC", "ETH", "USDX"),
        margin__isolated__initial_margin_factor=1.25,
        **changes,
    )
    scenario["assets"]["USDX"]["kind"] = "spot"
    del scenario["margin"]["brackets"]["USDX"]
    return model_of(scenario)


@pytest.mark.parametrize("lots", [10, -10])
def test_a_cross_pool_needs_what_all_its_legs_need(lots):
    """10x on 1,000 and on 2,000 USD: 300 of its 1,000."""
    model = venue({"BTC": lots, "ETH": 2 * lots})
    wallet = model.world.clearing.accounts.wallet
    wallet[0] -= 700 * USD
    assert below(model) == []
    wallet[0] -= 1
    assert below(model) == [0]


@pytest.mark.parametrize("lots", [10, -10])
def test_a_silo_needs_what_isolated_asks_and_has_no_other_money(lots):
    """1,000 USD isolated at 10x and 1.25: 125, whatever the wallet has."""
    model = venue({"ETH": lots}, mode="isolated")
    silo = model.world.clearing.accounts.silo
    silo[1, 0] -= 1000 * USD - 125 * USD
    assert below(model) == []
    silo[1, 0] -= 1
    model.world.clearing.accounts.wallet[0] = -1
    assert below(model) == [2 * 2]  # pool 2 of row 0, among two accounts; the wallet holds nothing


def test_a_price_counts_for_both_sides_of_the_comparison():
    """10 lots with 111 USD of equity, at 101 USD a lot: 101 are needed of 121 - 20."""
    model = venue({"BTC": 10})
    model.world.clearing.accounts.wallet[0] -= 909 * USD
    model.world.board.ticks[0] = TICKS + 100
    assert below(model) == []
    model.world.clearing.accounts.wallet[0] -= 1
    assert below(model) == [0]


@pytest.mark.parametrize(("haircut", "backs"), [(None, 0), (0.2, 80)])
def test_spot_backs_what_its_haircut_leaves(haircut, backs):
    """A lot of spot for 100 of the 1,000 USD; 10 lots of a perpetual need 100."""
    collateral = {} if haircut is None else {"USDX": {"haircut": haircut}}
    model = venue({"BTC": 10, "USDX": 1}, margin__collateral=collateral)
    wallet = model.world.clearing.accounts.wallet
    wallet[0] -= (900 - 100 + backs) * USD
    assert below(model) == []
    wallet[0] -= 1
    assert below(model) == [0]


def test_who_holds_spot_only_is_never_called():
    model = venue({"USDX": 1})
    accounts = model.world.clearing.accounts
    accounts.wallet[0] -= 5000 * USD
    assert np.count_nonzero(accounts.position) == 1
    assert below(model) == []
