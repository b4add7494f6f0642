"""1. One account, one cross pool, a silo for each isolated position: silos never lend or borrow."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest

from tests.markets import USD, fall, market, model_of, people, rows, run, state, tables_of

BOTH = ("BTC", "ETH")
TIER = [{"floor_usd": 0.0, "maintenance_rate": 0.04, "max_leverage": 20.0}]
RICH = people((1e6, {"BTC": 10, "ETH": -10}))  # on the other side of every position


def hedged(mode, *shocks):
    """Run an account with 110 USD, short 10 BTC and long 10 ETH, through falls."""
    scenario = market(
        {"one": people((110.0, {"BTC": -10, "ETH": 10}), mode=mode), "rich": RICH},
        assets=BOTH,
        market__shocks={str(place): shock for place, shock in enumerate(shocks)},
        margin__isolated__initial_margin_factor=1.0,
        margin__brackets=dict.fromkeys(BOTH, TIER),
        liquidation__insurance_fund_usd=1000.0,
    )
    return run(scenario)


def final_equity(tables, account=0):
    return dict(rows(tables, "accounts", "account", "final_equity_micro_usd"))[account]


def test_a_profit_in_one_market_saves_the_other_under_cross():
    """Both fall by 5 %: what ETH loses, 50 USD, BTC gains, and requirement falls."""
    tables = hedged("cross", fall(0.05, "BTC", "ETH"))
    assert tables["path"]["mark_ticks"][-2:].tolist() == [9500, 9500]
    assert tables["liquidations"]["account"].size == 0
    assert final_equity(tables) == 110 * USD


def test_without_that_profit_the_same_loss_liquidates_the_cross_pool():
    """ETH alone falls by 5 %: 60 USD against 0.04 · (1000 + 950) = 78."""
    tables = hedged("cross", fall(0.05, "ETH"))
    assert rows(tables, "liquidations", "mode", "equity_micro_usd", "maintenance_micro_usd") == [
        ("cross", 60 * USD, 78 * USD)
    ]


def test_the_same_profit_does_not_save_the_silo():
    """55 USD stand behind each: the silo of ETH has 5 left of 38, that of BTC gained 50."""
    tables = hedged("isolated", fall(0.05, "BTC", "ETH"))
    found = rows(tables, "liquidations", "asset", "equity_micro_usd", "maintenance_micro_usd")
    assert found == [(1, 5 * USD, 38 * USD)]
    assert final_equity(tables) == 110 * USD  # closed at the mark; nothing was lost to anybody


@pytest.mark.parametrize("lots", [10, -10])
def test_an_isolated_loss_never_exceeds_its_margin(lots):
    """A gap of 30 % against 100 USD of margin, with 9,900 in the wallet beside it."""
    scenario = market(
        {
            "one": people((1e4, {"BTC": lots}), mode="isolated"),
            "other": people((1e6, {"BTC": -lots})),
        },
        margin__allotment="initial_margin",
        liquidation__insurance_fund_usd=1000.0,
    )
    model = model_of(scenario)
    model.world.index[2:] = 10_000 - 300 * lots
    tables = tables_of(model)
    ((deficit, fund),) = rows(tables, "waterfall", "deficit_micro_usd", "fund_micro_usd")
    assert deficit == fund == 200 * USD
    assert final_equity(tables) == 9_900 * USD


@pytest.mark.parametrize("lots", [10, -10])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_a_pool_breaches_at_the_first_tick_beyond_its_liquidation_price(mode, lots):
    """With 100 USD behind 10 lots: 100 + 10 (p - 100) s < 0.05 · 10 p, in whole ticks."""
    side = 1 if lots > 0 else -1
    price = Fraction(100 - 1000 * side) / (10 * (Fraction(1, 20) - side)) * 100  # in ticks
    first = ceil(price) - 1 if side > 0 else floor(price) + 1
    other = people((1e6, {"BTC": -lots}))
    scenario = market({"one": people((100.0, {"BTC": lots}), mode=mode), "other": other})
    for ticks, n_breaches in ((first + side, 0), (first, 1)):
        model = model_of(scenario)
        model.world.index[2:] = ticks
        assert tables_of(model)["liquidations"]["account"].size == n_breaches


def test_one_account_has_both_and_neither_pays_for_the_other():
    """BTC isolated, ETH cross: each falls below its own pool's maintenance and closes alone."""
    one, rich = people((220.0, {"BTC": 10, "ETH": 10})), people((1e6, {"BTC": -10, "ETH": -10}))
    for name, mode in (("BTC", "isolated"), ("ETH", "cross")):
        scenario = market(
            {"one": one, "rich": rich}, assets=BOTH, market__shocks={"s": fall(0.25, name)}
        )
        model = model_of(scenario)
        c = model.world.clearing
        isolate(c, 0, 0, margin=100 * USD)
        before = {pool: state(model, 0, pool)[0] for pool in (0, 1)}
        assert before == {0: 120 * USD, 1: 100 * USD}
        tables = tables_of(model)
        assert rows(tables, "liquidations", "mode", "account") == [(mode, 0)]
        other = 0 if mode == "isolated" else 1
        cash = int(c.accounts.cash[0, 0] + c.accounts.cash[1, 0])
        assert state(model, 0, other)[0] == before[other]
        assert cash + 1000 * USD == before[other]  # the loser has given all, the other nothing


def isolate(clearing, n, asset, margin):
    """Make a cross position an isolated one, with margin from the wallet, before the first step."""
    a, cost = clearing.accounts, clearing.accounts.entry_cost[asset, n]
    a.mode[asset, n] = a.chosen_mode[asset, n] = 1
    a.cash[0, n] += cost - margin
    a.cash[1 + asset, n] += margin - cost
