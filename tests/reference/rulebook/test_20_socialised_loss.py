"""20. Socialised loss: by equity, by open interest, by profit, and by a haircut on withdrawal."""

from __future__ import annotations

from fractions import Fraction

import pytest

from stresslab.core.ledger import INSURANCE_FUND, SHORTFALL
from stresslab.liquidation.rules import LiquidationRules
from stresslab.liquidation.socialised import SOCIALISED_LOSSES
from stresslab.liquidation.socialised_loss import charge_per_contract, withdrawal_charge
from stresslab.liquidation.waterfall import Advance, Waterfall
from tests.markets import (
    TICKS,
    USD,
    buy_at_market,
    market,
    people,
    rows,
    scripted,
    state,
    sums,
    tables_of,
)

BOTTOMLESS = {"kind": "impact", "law": {"kind": "linear", "depth_usd": 1e18}}
PAID = ("deficit_micro_usd", "fund_micro_usd", "adl_micro_usd", "socialised_micro_usd")
every_variant = pytest.mark.parametrize("variant", sorted(SOCIALISED_LOSSES))
every_side = pytest.mark.parametrize("side", [1, -1])


def shared(variant: str, side: int, payers, *, away: int = 30, fund: float = 0.0, **changes):
    """Run a pool of 30 lots and 300 USD against `external`; return payments in USD and the model.

    ``payers`` are (wealth, lots on the other side). The mark goes ``away`` USD against the pool,
    at a whole loss of 30 USD each: of 30 away the pool owes 600.
    """
    wealths, lots = zip(*payers, strict=True)
    model = scripted(
        market(
            {
                "pool": people((300.0, {})),
                "payers": people(*((float(wealth), {}) for wealth in wealths)),
            },
            assets=("BTC", "ETH"),
            market__book=BOTTOMLESS,
            liquidation__adl=False,
            liquidation__insurance_fund_usd=fund,
            liquidation__socialised_loss={"kind": variant},
            **changes,
        ),
        {
            1: [buy_at_market(0, 30 * side)]
            + [buy_at_market(1 + k, -side * n) for k, n in enumerate(lots) if n]
        },
    )
    before = sums(model)
    model.world.index[2:, 0] = TICKS - 100 * away * side
    tables = tables_of(model)
    assert sums(model) == before
    paid = dict.fromkeys(range(len(payers)), 0)
    for account, loss in rows(tables, "socialised", "account", "loss_micro_usd"):
        paid[account - 1_000_000] += loss
    owed = (30 * away - 300) * USD - sum(tables["waterfall"]["fund_micro_usd"].tolist())
    assert sum(paid.values()) == owed > 0, "sum paid is the loss, to the unit"
    return [Fraction(amount, USD) for amount in paid.values()], model, tables


@every_side
def test_by_equity_everybody_pays_the_same_part(side):
    """Equities 1,000 + 300, 100 + 300, 500 and 800: a fifth of 3,000."""
    paid, _, _ = shared("by_equity", side, [(1000, 10), (100, 10), (500, 0), (800, 0)])
    assert paid == [260, 80, 100, 160]


@every_side
def test_by_open_interest_both_sides_pay_per_contract(side):
    """12 shorts and, on the pool's own side, 3 and 1: 600 over 16 contracts is 37.5 each."""
    payers = [(1000, 12), (3000, -3), (900, -1), (800, 0)]
    paid, _, _ = shared("by_open_interest", side, payers)
    charge = charge_per_contract(Fraction(600), 4, 12)
    assert charge == Fraction(75, 2)
    assert paid == [12 * charge, 3 * charge, charge, 0]


def test_what_does_not_divide_is_within_a_unit_of_the_charge_per_contract():
    paid, _, _ = shared("by_open_interest", 1, [(1000, 5), (3000, -1), (900, 1)])
    charge = charge_per_contract(Fraction(600), 6, 1)
    for lots, amount in zip((5, 1, 1), paid, strict=True):
        assert abs(amount - lots * charge) < Fraction(1, USD)
        assert charge_per_contract(Fraction(600), 6, 1, Fraction(1, USD)) - amount / lots < 1


@every_side
def test_holders_pay_no_more_than_their_equity_and_the_rest_is_shared_by_equity(side):
    """600 over 7 contracts are 86 each; one holder has 30 left, the other 6 contracts pay 95."""
    paid, _, _ = shared("by_open_interest", side, [(2000, 5), (60, -1), (2000, -1)])
    assert paid == [5 * 95, 30, 95]


def test_without_any_holder_the_loss_is_shared_by_equity():
    paid, _, _ = shared("by_open_interest", 1, [(1000, 0), (500, 0)])
    assert paid == [400, 200]


@every_side
def test_by_profit_only_winners_of_the_market_pay(side):
    """Profits of 600, 300 and a loss: 600 is two thirds of 900."""
    paid, _, _ = shared("by_profit", side, [(1000, 20), (5000, 10), (900, -1), (800, 0)])
    assert paid == [400, 200, 0, 0]


@every_side
def test_more_than_all_profit_is_shared_by_equity(side):
    """Profits are 300 and 150; the other 150 falls on 1,000, 5,000 and 750 left over."""
    paid, _, _ = shared("by_profit", side, [(1000, 10), (5000, 5), (750, 0)])
    over = [paid[0] - 300, paid[1] - 150, paid[2]]
    assert sum(over) == 150
    for amount, equity in zip(over, (1000, 5000, 750), strict=True):
        assert abs(amount - Fraction(150 * equity, 6750)) < Fraction(1, USD)


@every_side
def test_the_published_withdrawal_haircut(side):
    """Balances 100, 300 and -120 with a fund of 20: a quarter of every balance is kept."""
    paid, model, tables = shared("on_withdrawal", side, [(100, 0), (300, 0)], away=14, fund=20.0)
    charge = withdrawal_charge([Fraction(100), Fraction(300), Fraction(-120)], fund=Fraction(20))
    assert charge == Fraction(1, 4)
    assert paid == [100 * charge, 300 * charge]
    assert rows(tables, "waterfall", *PAID) == [(120 * USD, 20 * USD, 0, 100 * USD)]
    assert rows(tables, "socialised", "step", "liquidation", "asset") == [(4, -1, -1)] * 2
    assert model.world.clearing.house.cash[SHORTFALL] == 0


def test_nobody_pays_before_the_withdrawal():
    """50 USD stand against a maintenance of 44: a loss of 30 shared at once makes a breach."""
    payers = [(170, -10), (50, 0)]
    paid, _, now = shared("by_equity", 1, payers, away=12)
    assert paid == [30, 30]
    assert rows(now, "liquidations", "account", "step") == [(0, 2), (1_000_000, 3)]
    paid, model, later = shared("on_withdrawal", 1, payers, away=12)
    assert paid == [30, 30]
    assert rows(later, "liquidations", "account", "step") == [(0, 2)]
    assert state(model, 1)[0] == 20 * USD, "it gets less in the end all the same"


def test_a_fund_that_earns_pays_the_venues_advance_first():
    """Bankrupt in step 2 with 60 missing; in step 3 a penalty of 26.10 comes in: 33.90 are kept."""
    model = scripted(
        market(
            {"pool": people((300.0, {}), (500.0, {})), "payers": people((100.0, {}), (230.0, {}))},
            market__book=BOTTOMLESS,
            margin__cross={
                "closure": {"kind": "whole"},
                "penalty_rate": 0.01,
                "initial_margin_factor": 1.0,
            },
            liquidation__adl=False,
            liquidation__insurance_fund_usd=0.0,
            liquidation__socialised_loss={"kind": "on_withdrawal"},
        ),
        {1: [buy_at_market(0, 30), buy_at_market(1, 30)]},
    )
    model.world.index[2] = TICKS - 1200
    model.world.index[3:] = TICKS - 1300
    tables = tables_of(model)
    found = rows(tables, "waterfall", "step", "liquidation", *PAID)
    assert found[0] == (2, 0, 60 * USD, 0, 0, 60 * USD)
    penalty = sum(tables["forced_orders"]["penalty_micro_usd"].tolist())
    assert penalty == 26_100_000, "1 % of the second pool's 30 lots at 87"
    assert found[1] == (3, 0, 0, penalty, 0, -penalty)
    assert sum(tables["socialised"]["loss_micro_usd"].tolist()) == 60 * USD - penalty
    assert tables["totals"]["insurance_fund_micro_usd"][-1] == 0


@every_variant
def test_every_variant_pays_the_loss_to_the_unit(variant):
    """Nothing divides; every row names the liquidation that it paid for."""
    payers = [(1234, 7), (331, 3), (97, -2), (501, 0), (0.000007, 0)]
    _, _, tables = shared(variant, 1, payers, away=31)
    numbers = set(tables["socialised"]["liquidation"].tolist())
    assert numbers == ({-1} if variant == "on_withdrawal" else {0})
    ((deficit, _, _, socialised),) = rows(tables, "waterfall", *PAID)
    assert deficit == socialised == sum(tables["socialised"]["loss_micro_usd"].tolist())


@pytest.mark.parametrize(("earned", "left"), [(0, [7, 5]), (6, [1, 5]), (7, [5]), (13, [])])
def test_advances_are_repaid_oldest_first_to_the_last_unit(earned, left):
    """The venue has advanced 7 and 5 micro-USD; what the fund has earned pays the older first."""
    model = scripted(market({"one": people((1.0, {}))}, liquidation__insurance_fund_usd=0.0), {})
    house = model.world.clearing.house
    waterfall = Waterfall(
        model.world.clearing.accounts, house, model.world.clearing.journal,
        model.world.clearing.tables, LiquidationRules(),
    )  # fmt: skip
    waterfall.advances = [Advance(0, 0, 7), Advance(1, 0, 5)]
    house.cash[SHORTFALL], house.cash[INSURANCE_FUND] = -12, earned
    paid = sum(amount for _, amount in waterfall.repay())
    assert [advanced.owed for advanced in waterfall.advances] == left
    assert paid == 12 - sum(left)
    assert house.cash[SHORTFALL] == -sum(left) and house.cash[INSURANCE_FUND] == earned - paid
