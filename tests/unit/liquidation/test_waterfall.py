"""Who pays when collateral is gone: fund, winners in their queue, then everybody, to the unit."""

from __future__ import annotations

import numpy as np
import pytest

from stresslab.liquidation.adl.profit_times_leverage import profit_times_leverage
from tests.markets import (
    ORDER_BOOK,
    USD,
    Ask,
    buy_at_market,
    changed,
    fall,
    market,
    model_of,
    people,
    rows,
    run,
    scripted,
    state,
    tables_of,
)

PAYERS = ("deficit_micro_usd", "fund_micro_usd", "adl_micro_usd", "socialised_micro_usd")


def crash(fund_usd: float = 0.0, size: float = 0.3, lots: int = 30, **changes):
    """Return a market in which one long of 10x falls to three shorts of 10x, 5x and 1x.

    At -30 % the long of 30 lots has lost 900 of its 300 USD; each short of 10 has won 300.
    """
    return market(
        {
            "long": people((10.0 * lots, {"BTC": lots})),
            "shorts": people(*[(w, {"BTC": -lots // 3}) for w in (1000.0, 100.0, 200.0)]),
        },
        market__shocks={"s": fall(size)},
        liquidation__insurance_fund_usd=fund_usd,
        **changes,
    )


def paid(tables):
    """Return (deficit, fund, adl, socialised) of every settlement, USD."""
    return [tuple(x / USD for x in row) for row in rows(tables, "waterfall", *PAYERS)]


def test_the_fund_pays_first_and_winners_keep_their_profit():
    tables = run(crash(1000.0))
    assert paid(tables) == [(600, 600, 0, 0)]
    assert tables["totals"]["insurance_fund_micro_usd"].tolist() == [1000 * USD] + [400 * USD] * 3
    assert tables["accounts"]["final_equity_micro_usd"].tolist() == [
        0, 1300 * USD, 400 * USD, 500 * USD,
    ]  # fmt: skip
    assert tables["liquidations"]["outcome"].tolist() == ["bankrupt"]


def test_what_the_fund_cannot_pay_is_taken_from_winners_by_profit_times_leverage():
    """Equal profits: the queue is 400, 500, 1,300 USD of equity, that is rows 2, 3, 1."""
    tables = run(crash(50.0))
    assert paid(tables) == [(600, 50, 550, 0)]
    taken = rows(tables, "adl", "account", "lots", "loss_micro_usd")
    assert taken == [(1_000_001, 0, 300 * USD), (1_000_002, 0, 250 * USD)]
    assert tables["totals"]["insurance_fund_micro_usd"].tolist() == [50 * USD, 0, 0, 0]


def test_the_queue_ranks_profit_before_leverage_when_profit_differs():
    """Scores are profit / cost times notional / equity; losers divide instead."""
    profit = np.array([50, 10, -10, -10])
    cost = np.array([100, 100, 100, 100])
    equity = np.array([100, 15, 50, 10])
    notional = np.array([100, 100, 100, 100])
    score = profit_times_leverage(profit, cost, equity, notional)
    assert score.tolist() == pytest.approx([0.5, 0.1 * 100 / 15, -0.05, -0.01])


def test_ties_in_the_queue_go_by_account_id():
    scenario = crash(0.0)
    scenario["traders"]["shorts"] = people(*[(100.0, {"BTC": -10})] * 3)
    taken = rows(run(scenario), "adl", "account")
    assert taken == [(1_000_000,), (1_000_001,)]


def test_without_adl_everybody_with_equity_pays_in_proportion():
    scenario = crash(0.0, liquidation__adl=False)
    scenario["traders"]["idle"] = people((800.0, {}))
    tables = run(scenario)
    assert paid(tables) == [(600, 0, 0, 600)]
    assert len(tables["adl"]["account"]) == 0
    shares = rows(tables, "socialised", "account", "loss_micro_usd")
    # equities 1,300, 400, 500 and 800: a fifth of 3,000 USD each
    assert shares == [
        (1_000_000, 260 * USD), (1_000_001, 80 * USD), (1_000_002, 100 * USD),
        (2_000_000, 160 * USD),
    ]  # fmt: skip


@pytest.mark.parametrize(("changes", "by_adl", "socialised"), [
    ({}, 1, 0),
    ({"liquidation__adl": False}, 0, 1),
    ({"liquidation__adl": False, "liquidation__socialised_loss": {"kind": "on_withdrawal"}}, 0, 1),
])  # fmt: skip
def test_the_last_micro_usd_is_paid_by_whoever_comes_next(changes, by_adl, socialised):
    tables = run(crash(599.999999, **changes))
    found = rows(tables, "waterfall", *PAYERS)
    assert found == [(600 * USD, 600 * USD - 1, by_adl, socialised)]
    equity = tables["accounts"]["final_equity_micro_usd"].tolist()
    assert equity[0] == 0 and sum(equity[1:]) == 2200 * USD - 1
    assert tables["liquidations"]["outcome"].tolist() == ["bankrupt"]


def test_a_deficit_that_winners_cannot_bear_is_socialised():
    """Profits are 300 each and there is one winner; the idle account pays its share of the rest."""
    scenario = crash(0.0, size=0.5)
    scenario["traders"]["shorts"] = people((1e5, {"BTC": -10}))
    scenario["traders"]["idle"] = people((1e5, {}), (1.0, {"BTC": -20}))
    scenario["traders"]["idle"]["accounts"][1]["wealth_usd"] = 1e5
    model = scripted(scenario, {1: [buy_at_market(3, 20)]})
    tables = tables_of(model)
    ((deficit, fund, adl, socialised),) = paid(tables)
    assert (deficit, fund, adl) == (1200, 0, 500)
    assert socialised == 700
    total = sum(x for (x,) in rows(tables, "socialised", "loss_micro_usd"))
    assert total == 700 * USD


def test_adl_without_any_winner_falls_through_to_socialisation():
    """Given the only short has closed against external, when the long goes bankrupt, all pay."""
    scenario = crash(0.0, lots=30)
    scenario["traders"]["shorts"] = people((1000.0, {"BTC": -30}))
    tables = tables_of(scripted(scenario, {1: [buy_at_market(1, 30)]}))
    assert paid(tables) == [(600, 0, 0, 600)]
    assert len(tables["adl"]["account"]) == 0
    assert tables["totals"]["rounds"].tolist() == [0, 1, 0, 0], "rounds end"


def test_a_loss_that_nobody_can_pay_stays_open_and_no_money_appears():
    """The only other account has 1 USD to pay 600: what is settled is what was paid."""
    scenario = crash(0.0, lots=30)
    scenario["traders"]["shorts"] = people((1.0, {"BTC": -30}))
    scenario["margin"]["brackets"]["BTC"] = [
        {"floor_usd": 0.0, "maintenance_rate": 0.0001, "max_leverage": 1000.0}
    ]
    tables = tables_of(scripted(scenario, {1: [buy_at_market(1, 30)]}))
    steps = rows(tables, "waterfall", "step", *PAYERS)
    deficit, fund, adl, socialised = (x / USD for x in steps[0][1:])
    assert (fund, adl) == (0, 0) and 0.99 < socialised <= 1 and deficit == socialised
    assert all(row[1] == sum(row[2:]) for row in steps)
    assert tables["liquidations"]["outcome"].tolist() == ["open"]
    first, _ = tables["accounts"]["final_equity_micro_usd"].tolist()
    assert -600 * USD < first <= -599 * USD, "it is still owed"


# -- lots that the market did not take -------------------------------------------------------------


def stuck(fund_usd: float = 0.0, **changes):
    """Return the same crash with an empty order book: forced orders find nobody."""
    return crash(fund_usd, market__book=ORDER_BOOK, liquidation__feedback="market", **changes)


def test_open_lots_are_handed_to_winners_at_the_bankruptcy_price():
    """600 USD over 30 lots: 20 USD a lot below the mark of 70, along the queue, all of it."""
    model = model_of(stuck())
    tables = tables_of(model)
    assert paid(tables) == [(600, 0, 600, 0)]
    assert rows(tables, "adl", "account", "lots", "loss_micro_usd") == [
        (1_000_001, 10, 200 * USD), (1_000_002, 10, 200 * USD), (1_000_000, 10, 200 * USD),
    ]  # fmt: skip
    assert model.world.clearing.accounts.position[0].tolist() == [0, 0, 0, 0]
    assert state(model, 0) == (0, 0, 0)
    assert [state(model, row)[0] / USD for row in (1, 2, 3)] == [1100, 200, 300]
    assert tables["liquidations"]["outcome"].tolist() == ["bankrupt"]


def test_the_fund_improves_the_price_at_which_winners_take_over():
    tables = run(stuck(300.0))
    assert paid(tables) == [(600, 300, 300, 0)]
    assert [loss for (loss,) in rows(tables, "adl", "loss_micro_usd")] == [100 * USD] * 3


def test_a_winner_whose_equity_cannot_bear_its_share_is_passed_over():
    """The second short has a hedge in ETH that fell with it: 170 USD are left against 200."""
    scenario = stuck()
    scenario["assets"]["ETH"] = scenario["assets"]["BTC"]
    scenario["margin"]["brackets"]["ETH"] = scenario["margin"]["brackets"]["BTC"]
    scenario["market"]["shocks"]["s"]["assets"] = ["BTC", "ETH"]
    held = [{"BTC": -10}, {"BTC": -10, "ETH": 10}, {"BTC": -10}]
    scenario["traders"]["shorts"] = people(*zip((1000.0, 170.0, 200.0), held, strict=True))
    scenario["traders"]["rich"] = people((1e6, {"ETH": -10}))
    tables = run(scenario)
    asked = {account for (account,) in rows(tables, "adl", "account")}
    assert asked == {1_000_000, 1_000_002}
    ((deficit, fund, adl, socialised),) = paid(tables)
    assert (deficit, fund) == (600, 0) and adl == 400 and socialised == 200


def test_every_settlement_of_a_crowded_crash_adds_up():
    """Many cross accounts, two assets, a small fund: each row and each detail table agree."""
    longs = [(60.0 + 7 * k, {"BTC": 6 + k, "ETH": 9 - k}) for k in range(9)]
    loose = [{"floor_usd": 0.0, "maintenance_rate": 0.01, "max_leverage": 50.0}]
    total = {name: -sum(lots[name] for _, lots in longs) for name in ("BTC", "ETH")}
    scenario = market(
        {
            "longs": people(*longs),
            "silos": people(*longs, mode="isolated"),
            "shorts": people((500.0, total), (3000.0, total), mode="cross"),
        },
        assets=("BTC", "ETH"),
        margin__allotment="initial_margin",
        margin__brackets={"BTC": loose, "ETH": loose},
        market__shocks={"s": fall(0.2), "t": fall(0.35, "ETH", at=3.0)},
        liquidation__insurance_fund_usd=500.0,
        liquidation__feedback="market",
        market__book={"kind": "impact", "law": {"kind": "linear", "depth_usd": 2000.0}},
        market__mark={"rule": "mid"},
    )
    for tables in (run(scenario), run(changed(scenario, liquidation__feedback="no_feedback"))):
        found = rows(tables, "waterfall", *PAYERS)
        assert len(found) > 10
        assert all(d == f + a + s for d, f, a, s in found)
        parts = [sum(row[k] for row in found) for k in range(4)]
        assert parts[1] > 0 and parts[2] > 0
        assert parts[2] == tables["adl"]["loss_micro_usd"].sum()
        assert parts[3] == tables["socialised"]["loss_micro_usd"].sum()
        fund = tables["totals"]["insurance_fund_micro_usd"]
        assert fund.min() >= 0
        assert fund[-1] == 500 * USD - parts[1] + tables["forced_orders"]["penalty_micro_usd"].sum()


def test_a_position_closed_by_its_owner_below_bankruptcy_is_settled_too():
    """10 lots with 100 USD behind them are sold for 80 USD each: the fund pays, not the wallet."""
    long = {**people((500.0, {"BTC": 10}), mode="isolated"), "free_wallet": 0.8}
    scenario = market(
        {"long": long, "short": people((1e6, {"BTC": -10}))},
        market__book=ORDER_BOOK,
        liquidation__insurance_fund_usd=1000.0,
    )
    model = scripted(scenario, {1: [Ask(1, 10, 8000)], 2: [buy_at_market(0, -10)]})
    tables = tables_of(model)
    assert paid(tables) == [(100, 100, 0, 0)]
    assert rows(tables, "waterfall", "step", "account") == [(2, 0)]
    assert len(tables["forced_orders"]["order"]) == 0
    assert model.world.clearing.accounts.cash[:, 0].tolist() == [400 * USD, 0]
    assert model.world.clearing.accounts.mode[0, 0] == 0, "free to choose again"
