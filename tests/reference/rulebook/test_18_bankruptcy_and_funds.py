"""18. Bankruptcy price, what the fund pays; funds shared or per market; never below zero."""

from __future__ import annotations

from fractions import Fraction

import pytest

from stresslab.core.ledger import INSURANCE_FUND
from stresslab.margin.bankruptcy import (
    bankruptcy_price,
    bankruptcy_price_of_margin,
    bankruptcy_quote,
)
from stresslab.margin.cross_account import CrossAccount, CrossPosition
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    fall,
    market,
    model_of,
    people,
    rows,
    run,
    state,
    sums,
    tables_of,
)

TICK_VALUE = 10_000  # micro-USD of one tick and lot
PAID = ("deficit_micro_usd", "fund_micro_usd", "adl_micro_usd", "socialised_micro_usd")


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("leverage", [2, 5, 10])
def test_an_isolated_pool_is_worth_nothing_at_its_bankruptcy_price(side, leverage):
    """``B = E (1 - s / L)``: 100 USD and 10 lots; a tick either way is 10 cents of equity."""
    wealth = 1000 / leverage
    model = model_of(
        market(
            {
                "one": people((wealth, {"BTC": 10 * side}), mode="isolated"),
                "other": people((1e5, {"BTC": -10 * side})),
            },
            margin__allotment="wealth",
        )
    )
    exact = Fraction(100) * (1 - Fraction(side, leverage))
    assert exact == bankruptcy_price(side, Fraction(100), Fraction(leverage))
    assert exact == bankruptcy_price_of_margin(side, 10, Fraction(100), Fraction(1000, leverage))
    ticks = exact * 100
    assert ticks.denominator == 1
    for off in (-1, 0, 1):
        equity, _, _ = state(model, 0, 1, marks=[int(ticks) + off])
        assert equity == side * off * 10 * TICK_VALUE


def two_legs(side: int, wealth: int, **changes):
    """Return a cross pool of 10 BTC and 5 ETH on one side in empty books, and its counterparties.

    Both fall, or rise, by 20 %; maintenance is 5 % of notional: two thirds of it belong to BTC.
    """
    held = {"BTC": 10 * side, "ETH": 5 * side}
    against = {name: -lots for name, lots in held.items()}
    return market(
        {"one": people((float(wealth), held)), "other": people((1e5, against))},
        assets=("BTC", "ETH"),
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0, **changes},
    )


@pytest.mark.parametrize("side", [1, -1])
def test_open_legs_of_a_cross_pool_are_taken_over_at_their_bankruptcy_quotes(side):
    """Collateral is shared by maintenance margin (MECHANICS 3.2); the quotes leave no deficit."""
    price = 100 - 20 * side
    model = model_of(two_legs(side, 200))
    model.world.index[2:] = price * 100
    tables = tables_of(model)
    account = CrossAccount(
        Fraction(200 - 100 * 15 * side),
        [
            CrossPosition(Fraction(10 * side), price, Fraction(1, 20)),
            CrossPosition(Fraction(5 * side), price, Fraction(1, 20)),
        ],
    )
    assert account.net_collateral == -100
    quotes = [bankruptcy_quote(account, 0, -10 * side), bankruptcy_quote(account, 1, -5 * side)]
    assert sum(quotes) + account.quote_balance in (0, Fraction(1, USD)), "nothing is owed"
    taken = rows(tables, "adl", "asset", "lots", "loss_micro_usd")
    assert [(asset, lots) for asset, lots, _ in taken] == [(0, 10 * side), (1, 5 * side)]
    for (asset, lots, loss), quote in zip(taken, quotes, strict=True):
        received = lots * price * USD + loss
        assert abs(received - quote * USD) <= 1, asset
    assert sum(loss for *_, loss in taken) == 100 * USD
    assert state(model, 0) == (0, 0, 0)


@pytest.mark.parametrize("side", [1, -1])
def test_a_single_leg_is_taken_over_at_its_bankruptcy_price_to_the_unit(side):
    """30 lots with 300 USD are worth nothing at 90 or 110; the mark is at 70 or 130."""
    scenario = market(
        {"one": people((300.0, {"BTC": 30 * side})), "other": people((1e5, {"BTC": -30 * side}))},
        market__book=ORDER_BOOK,
        liquidation={"feedback": "market", "insurance_fund_usd": 0.0},
    )
    model = model_of(scenario)
    model.world.index[2:] = TICKS - 3000 * side
    ((lots, loss),) = rows(tables_of(model), "adl", "lots", "loss_micro_usd")
    assert lots == 30 * side
    price = Fraction(100 - 30 * side) + Fraction(loss, USD) / lots
    assert price == bankruptcy_price(side, Fraction(100), Fraction(10)) == 100 - 10 * side


@pytest.mark.parametrize("off", [-1, 0, 1])
@pytest.mark.parametrize("side", [1, -1])
def test_the_fund_pays_to_its_last_unit_and_never_goes_below_zero(side, off):
    """600 USD are missing; the fund has a micro-USD more, as much, or one less."""
    scenario = market(
        {"one": people((300.0, {"BTC": 30 * side})), "other": people((1e5, {"BTC": -30 * side}))},
        liquidation__insurance_fund_usd=1.0,
    )
    model = model_of(scenario)
    house = model.world.clearing.house
    house.cash[INSURANCE_FUND] = 600 * USD + off
    model.conservation.__init__(model.world.clearing.accounts, house)  # the fund begins with this
    model.world.index[2:] = TICKS - 3000 * side
    tables = tables_of(model)
    from_fund = 600 * USD + min(off, 0)
    assert rows(tables, "waterfall", *PAID) == [(600 * USD, from_fund, 600 * USD - from_fund, 0)]
    assert tables["totals"]["insurance_fund_micro_usd"].tolist()[1:] == [max(off, 0)] * 3


def funds(shared: float, **own: float):
    """Return two silos of 10x in one account each that lose 200 USD more than they have."""
    return market(
        {
            "one": people((200.0, {"BTC": 20}), (200.0, {"ETH": -20}), mode="isolated"),
            "other": people((1e5, {"BTC": -20, "ETH": 20})),
        },
        assets=("BTC", "ETH"),
        liquidation__insurance_fund_usd=shared,
        liquidation__insurance_fund_by_asset_usd=own,
        liquidation__adl=False,
    )


def crash(scenario):
    model = model_of(scenario)
    before = sums(model)
    model.world.index[2:, 0], model.world.index[2:, 1] = 8000, 12_000
    tables = tables_of(model)
    assert sums(model) == before, "not a unit came or went"
    paid = rows(tables, "waterfall", "asset", "deficit_micro_usd", "fund_micro_usd")
    last = tables["path"]["insurance_fund_micro_usd"][-2:].tolist()
    return [(a, d // USD, f // USD) for a, d, f in paid], last, tables


def test_a_shared_fund_stands_for_every_market_until_it_is_empty():
    paid, own, tables = crash(funds(300.0))
    assert paid == [(0, 200, 200), (1, 200, 100)]
    assert own == [0, 0] and tables["totals"]["insurance_fund_micro_usd"][-1] == 0


def test_a_market_with_a_fund_of_its_own_draws_on_that_alone():
    """BTC has 50 of its own, ETH draws on the shared 300: no fund helps the other's market out."""
    paid, own, tables = crash(funds(300.0, BTC=50.0))
    assert sorted(paid) == [(0, 200, 50), (1, 200, 200)]
    assert own == [0, 0]
    assert tables["totals"]["insurance_fund_micro_usd"].tolist() == [350 * USD] + [100 * USD] * 3


def test_two_own_funds_are_kept_apart_to_the_unit():
    paid, own, _ = crash(funds(300.0, BTC=250.0, ETH=199.999999))
    assert sorted(paid) == [(0, 200, 200), (1, 200, 199)]
    assert own == [50 * USD, 0]


def test_a_penalty_goes_to_the_fund_of_its_market():
    """Both pools are closed with equity left: 1 % of 1,840 and of 2,160 USD."""
    scenario = funds(300.0, ETH=7.0)
    scenario["margin"]["isolated"]["penalty_rate"] = 0.01
    model = model_of(scenario)
    model.world.index[2:, 0], model.world.index[2:, 1] = 9200, 10_800
    tables = tables_of(model)
    assert len(tables["waterfall"]["asset"]) == 0
    penalty = dict(rows(tables, "forced_orders", "asset", "penalty_micro_usd"))
    assert penalty == {0: 18_400_000, 1: 21_600_000}
    assert tables["path"]["insurance_fund_micro_usd"][-2:].tolist() == [0, 7 * USD + penalty[1]]
    assert model.world.clearing.house.cash[INSURANCE_FUND] == 300 * USD + penalty[0]


def test_without_a_fund_of_its_own_nothing_is_recorded_for_a_market():
    tables = run(market({"a": people((300.0, {"BTC": 30}), (1e5, {"BTC": -30}))},
                        market__shocks={"s": fall(0.3)}))  # fmt: skip
    assert len(tables["waterfall"]["asset"]) == 1
    assert not tables["path"]["insurance_fund_micro_usd"].any()
