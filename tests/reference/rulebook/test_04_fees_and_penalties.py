"""4. Maker, taker and liquidation fees; penalty rates by mode; the ledger balances."""

from __future__ import annotations

from fractions import Fraction

import pytest

from stresslab.core.ledger import FEES, INSURANCE_FUND
from tests.markets import (
    ORDER_BOOK,
    USD,
    Ask,
    buy_at_market,
    market,
    model_of,
    people,
    rows,
    scripted,
    sums,
    tables_of,
)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("rates", [(0.0125, 0.005), (0.003, 0.009), (0.01, 0.01)])
def test_the_same_breach_in_two_modes_pays_penalties_in_the_configured_ratio(rates, side):
    """100 USD behind 10 lots, both closed whole at a mark 6 % away: only the rate differs."""
    isolated, cross = (Fraction(str(rate)) for rate in rates)
    scenario = market(
        {
            "silo": people((100.0, {"BTC": 10 * side}), mode="isolated"),
            "pool": people((100.0, {"BTC": 10 * side})),
            "other": people((1e6, {"BTC": -20 * side})),
        },
        margin__isolated__penalty_rate=rates[0],
        margin__cross={
            "closure": {"kind": "whole"},
            "penalty_rate": rates[1],
            "initial_margin_factor": 1.0,
        },
        market__fees={"maker_rate": 0.0002, "taker_rate": 0.0005},
        liquidation__insurance_fund_usd=7.0,
    )
    model = model_of(scenario)
    before = sums(model)
    model.world.index[2:] = 10_000 - 600 * side
    tables = tables_of(model)
    closed = 10 * (100 - 6 * side) * USD
    found = {
        mode: (fee, penalty)
        for mode, fee, penalty in rows(
            tables, "forced_orders", "mode", "fee_micro_usd", "penalty_micro_usd"
        )
    }
    fee = closed * Fraction(5, 10_000)
    assert found == {"isolated": (fee, closed * isolated), "cross": (fee, closed * cross)}
    assert Fraction(found["isolated"][1], found["cross"][1]) == isolated / cross
    house = model.world.clearing.house
    assert house.cash[FEES] == 2 * fee
    assert house.cash[INSURANCE_FUND] == 7 * USD + closed * (isolated + cross)
    final = dict(rows(tables, "accounts", "account", "final_equity_micro_usd"))
    assert final[0] == 40 * USD - fee - closed * isolated
    assert final[1_000_000] == 40 * USD - fee - closed * cross
    assert sums(model) == before


@pytest.mark.parametrize("maker_rate", [0.0002, 0.0, -0.0001])
def test_who_rests_pays_the_makers_rate_and_who_takes_the_takers(maker_rate):
    scenario = market(
        {"maker": people((1e4, {})), "taker": people((1e4, {}))},
        market__book=ORDER_BOOK,
        market__fees={"maker_rate": maker_rate, "taker_rate": 0.0005},
    )
    model = scripted(scenario, {1: [Ask(0, -3, 10_010)], 2: [buy_at_market(1, 3)]})
    tables = tables_of(model)
    assert tables["counts"]["fills"].tolist() == [1]
    paid = dict(rows(tables, "accounts", "account", "fees_micro_usd"))
    cash = 300_300_000
    assert paid == {0: cash * Fraction(str(maker_rate)), 1_000_000: cash * Fraction(5, 10_000)}
    assert model.world.clearing.house.cash[FEES] == sum(paid.values())


@pytest.mark.parametrize(("rate", "paid"), [(0.0005, 50_005), (0.00049999, 50_004)])
def test_part_of_a_micro_usd_is_paid_in_full(rate, paid):
    """0.0005 of 100.01 USD is 50,005 micro-USD; a little less, 50,003.9999, is rounded up."""
    scenario = market(
        {"maker": people((1e4, {})), "taker": people((1e4, {}))},
        market__book=ORDER_BOOK,
        market__fees={"maker_rate": 0.0, "taker_rate": rate},
    )
    model = scripted(scenario, {1: [Ask(0, -1, 10_001)], 2: [buy_at_market(1, 1)]})
    tables = tables_of(model)
    assert dict(rows(tables, "accounts", "account", "fees_micro_usd"))[1_000_000] == paid
