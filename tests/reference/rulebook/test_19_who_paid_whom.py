"""19. Auto-deleveraging: who paid for which liquidation, and what it ate of a hedge's margin.

Lots are worth 100 USD at first.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    buy_at_market,
    changed,
    market,
    model_of,
    people,
    rows,
    scripted,
    tables_of,
)
from tests.reference.adl_markets import every_policy


def crowded(**changes):
    """Return 9 cross and 9 isolated longs in two markets and two shorts, prices a third lower."""
    longs = [(60.0 + 7 * k, {"BTC": 6 + k, "ETH": 9 - k}) for k in range(9)]
    loose = [{"floor_usd": 0.0, "maintenance_rate": 0.01, "max_leverage": 50.0}]
    total = {name: -sum(lots[name] for _, lots in longs) for name in ("BTC", "ETH")}
    return market(
        {
            "longs": people(*longs),
            "silos": people(*longs, mode="isolated"),
            "shorts": people((500.0, total), (3000.0, total)),
        },
        assets=("BTC", "ETH"),
        margin__allotment="initial_margin",
        margin__brackets={"BTC": loose, "ETH": loose},
        liquidation__insurance_fund_usd=500.0,
        **changes,
    )


@every_policy
@pytest.mark.parametrize("book", ["empty", "external"])
def test_flows_balance_account_by_account_and_liquidation_by_liquidation(policy, book):
    """Everybody ends with wealth and price moves, less what it paid, plus what was paid for it."""
    kinds = {"position_adl": {"kind": policy}, "profit_haircut": {"kind": policy}}
    extra = {"feedback": "market"} if book == "empty" else {"feedback": "no_feedback"}
    scenario = changed(
        crowded(), liquidation={"insurance_fund_usd": 500.0, "adl_severity": 0.9, **kinds, **extra}
    )
    if book == "empty":
        scenario["market"]["book"] = ORDER_BOOK
    model = model_of(scenario)
    model.world.index[2:] = [6700, 7100]
    tables = tables_of(model)
    expected = dict(rows(tables, "accounts", "account", "wealth_micro_usd"))
    lost = np.array([33, 29]) * USD
    for account, place, lots in rows(tables, "positions", "account", "asset", "initial_lots"):
        expected[account] -= lots * int(lost[place])
    flows = {}
    for account, number, deficit, fund in rows(
        tables, "waterfall", "account", "liquidation", "deficit_micro_usd", "fund_micro_usd"
    ):
        expected[account] += deficit
        flows[number] = flows.get(number, 0) + deficit - fund
    assert len(flows) > 10 and sum(flows.values()) > 0
    for table in ("adl", "socialised"):
        for account, number, loss in rows(
            tables, table, "account", "liquidation", "loss_micro_usd"
        ):
            expected[account] -= loss
            flows[number] -= loss
    assert not any(flows.values()), "each deficit is paid by those named, to the unit"
    assert len(tables["adl"]["account"]) > 10 and len(tables["socialised"]["account"]) > 10
    assert expected == dict(rows(tables, "accounts", "account", "final_equity_micro_usd"))


def test_two_instruments_take_policies_of_their_own():
    """Given a queue for lots and pro rata for cash, the one asks few, the other everybody."""
    kinds = {
        "position_adl": {"kind": "profit_times_leverage"},
        "profit_haircut": {"kind": "by_profit"},
    }
    cash = changed(
        crowded(), liquidation={"feedback": "no_feedback", "insurance_fund_usd": 0.0, **kinds}
    )
    model = model_of(cash)
    model.world.index[2:] = 9700
    tables = tables_of(model)
    first = tables["adl"]["liquidation"] == tables["adl"]["liquidation"][0]
    assert np.count_nonzero(first) == 2 and not tables["adl"]["lots"].any()
    losses = tables["adl"]["loss_micro_usd"][first]
    assert abs(losses[0] - losses[1]) <= 1, "the shorts hold the same"


# -- a deleveraged hedge names the liquidation that deleveraged it ---------------------------------


def causes_of(tables, liquidation: int):
    names = ("liquidation", "cause", "source_liquidation", "amount_micro_usd")
    return [row[1:] for row in rows(tables, "breach_amounts", *names) if row[0] == liquidation]


def hedges(n_victims: int):
    """Return longs of 10 BTC with 200 USD, empty books, and a trader short all of it, long ETH."""
    lots = 10 * n_victims
    scenario = market(
        {
            "longs": people(*[(200.0, {"BTC": 10})] * n_victims),
            "hedger": people((250.0 * n_victims, {"BTC": -lots, "ETH": lots})),
            "other": people((1e6, {"ETH": -lots})),
        },
        assets=("BTC", "ETH"),
        duration_seconds=5.0,
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0, "rounds_per_step": 1},
    )
    model = model_of(scenario)
    model.world.index[2:, 0] = 7000
    model.world.index[3:, 0] = 6500
    model.world.index[3:, 1] = 4500
    return model


def test_a_deleveraged_hedge_names_its_source():
    """It loses 100 on 10 lots in step 2; in step 3 they would have made 50 more, ETH eats 550."""
    tables = tables_of(hedges(1))
    (account, step, asset) = rows(tables, "liquidations", "account", "step", "asset")[1]
    assert (account, step, asset) == (1_000_000, 3, -1)
    maintenance = Fraction(1, 20)
    eaten = 100 + 50 + 50 * 10 * maintenance * Fraction(1, 10)
    assert [row for row in causes_of(tables, 1) if row[0] == "adl"] == [("adl", 0, eaten * USD)]


def test_each_source_has_its_own_amount_and_they_add_up():
    tables = tables_of(hedges(3))
    found = rows(tables, "liquidations", "liquidation", "account", "step")
    assert [row[1:] for row in found[:3]] == [(0, 2), (1, 2), (2, 2)]
    (mine,) = [number for number, account, _ in found if account == 1_000_000]
    adl = [(source, amount) for cause, source, amount in causes_of(tables, mine) if cause == "adl"]
    assert [source for source, _ in adl] == [0, 1, 2]
    assert len({amount for _, amount in adl}) == 1, "they have lost the same"
    others = [source for cause, source, _ in causes_of(tables, mine) if cause != "adl"]
    assert set(others) == {-1}


def test_a_leg_opened_anew_remembers_what_its_own_deleveraging_gave_it():
    """Its 10 lots went at 90 instead of 70 in step 2; 2 new ones bought at 100 breach in step 3."""
    long = {**people((500.0, {"BTC": 10}), mode="isolated"), "free_wallet": 0.8}
    scenario = market(
        {"idle": people((1.0, {})), "long": long, "short": people((1e6, {"BTC": -10}))},
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0},
    )
    model = scripted(scenario, {2: [Ask(2, -2, TICKS)], 3: [buy_at_market(1, 2)]})
    model.world.index[2:] = TICKS - 3000
    tables = tables_of(model)
    assert rows(tables, "liquidations", "account", "mode", "step") == [
        (1_000_000, "isolated", 2), (1_000_000, "isolated", 3),
    ]  # fmt: skip
    gave = [
        amount for cause, source, amount in causes_of(tables, 1) if (cause, source) == ("adl", 0)
    ]
    assert gave == [-200 * USD]
