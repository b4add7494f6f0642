"""15. Stricter initial margin when isolated, leverage caps by asset and bracket, open interest."""

from __future__ import annotations

import pytest

from tests.markets import (
    ORDER_BOOK,
    USD,
    Ask,
    accepted,
    market,
    model_of,
    people,
    scripted,
    tables_of,
)

FINE = {"kind": "perpetual", "initial_price_usd": 100.0, "tick_size_usd": 0.01, "lot_size": 1e-4}
ORDER = 100_000  # lots of 1 cent: 1,000 USD

BRACKETS = [
    {"floor_usd": 0.0, "maintenance_rate": 0.02, "max_leverage": 10.0},
    {"floor_usd": 1000.0, "maintenance_rate": 0.08, "max_leverage": 5.0},
]


def trader(wealth_usd, mode, **changes):
    """Return a model of one flat account; isolated asks 1.25 times what the bracket asks."""
    scenario = market(
        {"one": people((1.0, {}), mode=mode)},
        assets__BTC=FINE,
        margin__isolated__initial_margin_factor=1.25,
        **changes,
    )
    model = model_of(scenario)
    model.world.clearing.accounts.wallet[0] = round(wealth_usd * USD)
    return model


def is_accepted(wealth_usd, mode, lots=ORDER, **changes):
    return accepted(trader(wealth_usd, mode, **changes), 0, lots) == lots


@pytest.mark.parametrize("side", [1, -1])
def test_an_order_that_cross_accepts_is_refused_when_isolated(side):
    """1,000 USD at 10x: 100 USD in cross, 125 in isolated, to the micro-USD."""
    order = side * ORDER
    assert is_accepted(100.0, "cross", order) and not is_accepted(100.0, "isolated", order)
    assert not is_accepted(99.999999, "cross", order)
    assert is_accepted(125.0, "isolated", order)
    assert not is_accepted(124.999999, "isolated", order)


@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_the_venue_refuses_it_and_says_so(mode):
    scenario = market(
        {"one": people((110.0, {}), mode=mode), "other": people((1e6, {}))},
        market__book=ORDER_BOOK,
        margin__isolated__initial_margin_factor=1.25,
    )
    model = scripted(scenario, {1: [Ask(0, 10, 10_000)], 2: [Ask(1, -10, 10_000)]})
    tables = tables_of(model)
    assert tables["counts"]["orders"].tolist() == [2]
    assert tables["counts"]["refused"].tolist() == [int(mode == "isolated")]
    assert tables["counts"]["fills"].tolist() == [int(mode == "cross")]


@pytest.mark.parametrize("side", [1, -1])
def test_an_assets_own_cap_overrules_its_brackets(side):
    """4x instead of 10x: 250 USD for 1,000, and 312.50 when isolated."""
    cap = {"margin__max_leverage": {"BTC": 4.0}}
    order = side * ORDER
    assert is_accepted(250.0, "cross", order, **cap)
    assert not is_accepted(249.999999, "cross", order, **cap)
    assert is_accepted(312.5, "isolated", order, **cap)
    assert not is_accepted(312.499999, "isolated", order, **cap)


def test_a_cap_above_the_brackets_changes_nothing():
    assert is_accepted(100.0, "cross", margin__max_leverage={"BTC": 50.0})
    assert not is_accepted(99.999999, "cross", margin__max_leverage={"BTC": 50.0})


@pytest.mark.parametrize("side", [1, -1])
def test_one_lot_over_the_floor_of_a_bracket_has_its_leverage(side):
    """1,000 USD are 10x; 1,000.01 USD are 5x, all of them: initial margin is a step."""
    tiers = {"margin__brackets": {"BTC": BRACKETS}}
    assert is_accepted(100.0, "cross", side * ORDER, **tiers)
    over = side * (ORDER + 1)
    assert not is_accepted(200.001999, "cross", over, **tiers)
    assert is_accepted(200.002, "cross", over, **tiers)


@pytest.mark.parametrize("price", [10_000, 10_001])
def test_it_is_the_notional_at_the_mark_that_finds_the_bracket(price):
    model = trader(150.0, "cross", margin__brackets={"BTC": BRACKETS})
    model.world.board.ticks[:] = price
    assert accepted(model, 0, ORDER) == (ORDER if price == 10_000 else 0)
