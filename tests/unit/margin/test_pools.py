"""Pools: who is in breach, to the micro-USD, and whose money another pool's loss can reach."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.margin.pools import breached_among
from stresslab.margin.sweep import is_short, pools_short_of_margin
from stresslab.margin.tiers import RATE_UNIT
from tests.markets import (
    BRACKETS,
    LOT,
    TICKS,
    USD,
    changed,
    drawn,
    fall,
    market,
    model_of,
    people,
    rows,
    run,
    state,
)

RICH = people((1e6, {"BTC": -10, "ETH": -10}))


def in_breach(model, level=RATE_UNIT):
    """Return (pool, row) of every pool that is short of margin."""
    c = model.world.clearing
    out = np.empty(c.accounts.cash.size, np.int64)
    found = pools_short_of_margin(c.accounts, c.tables, model.world.board.ticks, level, out)
    return [divmod(code, c.accounts.id.size) for code in found.tolist()]


@pytest.mark.parametrize(("mode", "pool"), [("cross", 0), ("isolated", 1)])
def test_a_pool_is_in_breach_one_micro_usd_below_maintenance_and_not_at_it(mode, pool):
    """1,000 USD of notional need 50 USD of maintenance margin."""
    one = people((100.0, {"BTC": 10}), mode=mode)
    model = model_of(market({"one": one, "short": people((1e6, {"BTC": -10}))}))
    cash = model.world.clearing.accounts.cash
    cash[pool, 0] -= 50 * USD
    assert state(model, 0, pool) == (50 * USD, 50 * USD, 10 * LOT)
    assert in_breach(model) == []
    cash[pool, 0] -= 1
    assert in_breach(model) == [(pool, 0)]


@pytest.mark.parametrize(("mode", "pool"), [("cross", 0), ("isolated", 1)])
def test_where_a_venue_says_so_a_pool_at_its_maintenance_margin_is_in_breach(mode, pool):
    """50 USD for 50 at Binance's ratio of 100 %; a wallet with nothing in it needs nothing."""
    people_ = {"one": people((100.0, {"BTC": 10}), mode=mode), "poor": people((1e-6, {})),
               "short": people((1e6, {"BTC": -10}))}  # fmt: skip
    model = model_of(market(people_, margin__breach_at_equality=True))
    cash = model.world.clearing.accounts.cash
    cash[0, 1] = 0
    cash[pool, 0] -= 50 * USD - 1
    assert in_breach(model) == []
    cash[pool, 0] -= 1
    assert state(model, 0, pool)[:2] == (50 * USD, 50 * USD)
    assert in_breach(model) == [(pool, 0)]
    c = model.world.clearing
    codes = np.array([pool * c.accounts.id.size, 1])  # and the wallet of the poor
    assert breached_among(c.accounts, c.tables, model.world.board.ticks, codes, codes.copy()) == 1


def test_a_wallet_that_owes_is_in_breach_without_any_position():
    model = model_of(market({"one": people((1.0, {}), (1.0, {}))}))
    model.world.clearing.accounts.wallet[1] = -1
    assert in_breach(model) == [(0, 1)]


def test_a_margin_call_comes_at_its_level_of_equity():
    """Level 0.8: called when maintenance exceeds 80 % of equity, 62.5 USD against 50."""
    one = people((62.5, {"BTC": 10}))
    model = model_of(market({"one": one, "short": people((1e6, {"BTC": -10}))}))
    level = 8 * RATE_UNIT // 10
    assert in_breach(model, level) == []
    model.world.clearing.accounts.wallet[0] -= 2
    assert in_breach(model, level) == [(0, 0)] and in_breach(model) == []
    tables = model.world.clearing.tables
    assert not is_short(tables, 1000, 800, level) and is_short(tables, 1000, 801, level)
    assert is_short(tables, -1, 0, level), "a debt is short at every level"


def test_the_float_sweep_finds_exactly_the_pools_that_integers_find():
    """Thousands of drawn pools, many within a few micro-USD of their maintenance margin."""
    crowd = drawn(
        "passive", 700, 1e6, leverage={"median": 5.0, "sigma": 0.5},
        holdings={"kind": "directional", "number_weights": [1, 1, 1]},
        margin_mode={"kind": "fixed_share", "cross_share": 0.5},
    )  # fmt: skip
    tiers = [*BRACKETS, {"floor_usd": 1e6, "maintenance_rate": 0.06, "max_leverage": 9.0}]
    scenario = market(
        {"crowd": crowd, "house": drawn("passive", 2, 1e9, is_counterparty=True)},
        assets=("BTC", "ETH", "SOL"),
        margin__brackets=dict.fromkeys(("BTC", "ETH", "SOL"), tiers),
    )
    model = model_of(scenario)
    c, marks = model.world.clearing, model.world.board.ticks
    rng = np.random.default_rng(3)
    codes = [(p, n) for p in range(4) for n in range(700)]
    for pool, n in codes:
        equity, maintenance, notional = state(model, n, pool)
        if notional and rng.random() < 0.7:
            c.accounts.cash[pool, n] += maintenance - equity + rng.integers(-2, 3)
    expected = [code for code in codes if state(model, code[1], code[0])[0] <
                state(model, code[1], code[0])[1]]  # fmt: skip
    assert 100 < len(expected) < 1000
    assert in_breach(model) == expected
    out = np.empty(c.accounts.cash.size, np.int64)
    everyone = np.arange(c.accounts.cash.size)
    found = breached_among(c.accounts, c.tables, marks, everyone, out)
    width = c.accounts.id.size
    assert [divmod(code, width) for code in out[:found].tolist()] == expected


HEDGED = {"BTC": -10, "ETH": 10}


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_profit_in_one_position_saves_another_under_cross_and_not_under_isolated(mode):
    """Short BTC and long ETH at 10x in all; both fall by 20 %."""
    scenario = market(
        {
            "hedger": people((200.0, HEDGED), mode=mode),
            "other": people((1e6, {"BTC": 10, "ETH": -10})),
        },
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.2, "BTC", "ETH")},
    )
    tables = run(scenario)
    found = rows(tables, "liquidations", "account", "mode", "asset")
    assert found == ([(0, "isolated", 1)] if mode == "isolated" else [])
    held = [row[1:] for row in rows(tables, "positions", "account", "asset", "final_lots")
            if row[0] == 0]  # fmt: skip
    assert held == ([(0, -10), (1, 0)] if mode == "isolated" else [(0, -10), (1, 10)])


def test_an_isolated_loss_stops_at_its_margin():
    """Given silos of 100 USD, a fall by 90 % loses that and nothing else, to the micro-USD."""
    scenario = market(
        {
            "one": {**people((500.0, {"BTC": 10, "ETH": 10}), mode="isolated")},
            "rich": RICH,
            "alone": people((77.0, {}), mode="isolated"),
        },
        assets=("BTC", "ETH"),
        margin__allotment="initial_margin",
        market__shocks={"s": fall(0.9)},
        liquidation__insurance_fund_usd=10_000.0,
    )
    model = model_of(scenario)
    model.run()
    cash = model.world.clearing.accounts.cash
    assert cash[:, 0].tolist() == [300 * USD, 0, 100 * USD - 10 * LOT]
    assert cash[:, 2].tolist() == [77 * USD, 0, 0]
    assert model.log.columns("waterfall")["deficit_micro_usd"].tolist() == [800 * USD]
    assert state(model, 0, 2)[0] == 100 * USD, "the silo of ETH stands as it did"
    winner = 1_000_000 * USD + 900 * USD
    assert state(model, 1)[0] == winner, "the fund paid, not the winner"


def test_a_cross_loss_takes_the_whole_wallet():
    scenario = market(
        {"one": people((500.0, {"BTC": 10, "ETH": 10})), "rich": RICH},
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.9)},
        liquidation__insurance_fund_usd=10_000.0,
    )
    model = model_of(scenario)
    model.run()
    assert state(model, 0) == (0, 0, 0)
    assert model.log.columns("waterfall")["deficit_micro_usd"].tolist() == [400 * USD]


def test_the_same_people_lose_the_same_total_in_both_modes_when_nobody_is_liquidated():
    """The partition by itself moves no money."""
    base = market(
        {"one": people((2000.0, {"BTC": 10, "ETH": 10}), mode="isolated"), "rich": RICH},
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.1)},
    )
    pooled = changed(base, traders__one__margin_mode={"kind": "fixed_share", "cross_share": 1.0})
    ends = [rows(run(s), "accounts", "final_equity_micro_usd") for s in (base, pooled)]
    assert ends[0] == ends[1] == [(1900 * USD,), (1_000_100 * USD,)]


def test_the_mark_and_not_the_index_decides():
    """The index falls by half; a mark that stays where it is liquidates nobody."""
    scenario = market(
        {"one": people((100.0, {"BTC": 10})), "short": people((1e6, {"BTC": -10}))},
        market__shocks={"s": fall(0.5)},
        market__book={"kind": "limit_order_book"},
        market__mark={"rule": "mid"},
    )
    assert len(run(scenario)["liquidations"]["account"]) == 0
    by_index = run(changed(scenario, market__mark={"rule": "index"}))
    assert by_index["path"]["mark_ticks"].tolist() == [TICKS, 5000, 5000, 5000]
    assert by_index["liquidations"]["account"].tolist() == [0]


def test_a_silo_without_a_position_needs_nothing():
    model = model_of(market({"one": people((100.0, {}))}))
    model.world.clearing.accounts.cash[1, 0] = 7
    assert state(model, 0, 1) == (7, 0, 0)


def test_beside_scenarios_a_short_silo_is_found_by_its_own_money():
    """Ten lots each, isolated: BTC's silo is short, ETH's is rich."""
    held = {"BTC": 10, "ETH": 10}
    scenario = market(
        {"one": people((400.0, held), mode="isolated"), "rich": RICH}, assets=("BTC", "ETH"),
        margin__portfolio={"classes": {"majors": ["BTC", "ETH"]}},
        margin__cross__closure={"kind": "least_common_share"},
    )  # fmt: skip
    model = model_of(scenario)
    model.world.clearing.accounts.cash[1:, 0] += np.array([-180, 1000]) * USD
    assert in_breach(model) == [(1, 0)]
