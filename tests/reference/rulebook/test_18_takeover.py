"""18. Takeover at the bankruptcy price: what fills bring beyond it, or miss, is the fund's.

Prices of fills are set by resting orders; expected amounts come from the venues' formulas, which
the package states as functions of their own.
"""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from stresslab.core.ledger import INSURANCE_FUND
from stresslab.liquidation.insurance_fund import fund_delta, takeover_delta
from stresslab.margin.bankruptcy import bankruptcy_price
from stresslab.margin.cross_account import CrossAccount, CrossPosition
from tests.markets import (
    LIMIT,
    ORDER_BOOK,
    TICKS,
    TIERS,
    USD,
    Ask,
    changed,
    market,
    one_leg,
    people,
    rows,
    run,
    scripted,
    sums,
    tables_of,
)

every_side = pytest.mark.parametrize("side", [1, -1])
TAKEOVER = {"kind": "takeover"}
COLUMNS = ("filled_lots", "fee_micro_usd", "penalty_micro_usd")


def silo(side=1, **changes):
    """Return an isolated position of 10 lots at 10x, bankrupt at 90 or 110 USD."""
    return market(
        {
            "one": people((100.0, {"BTC": side * 10}), mode="isolated"),
            "rich": people((1e6, {"BTC": -side * 10}), (1e6, {"BTC": 0})),
        },
        market__book=ORDER_BOOK,
        margin__isolated__closure=TAKEOVER,
        margin__isolated__penalty_rate=0.0125,
        liquidation__feedback="market",
        **changes,
    )


def played(scenario, price, quotes):
    """Return model and log of a market with resting orders whose index jumps in step 2."""
    model = scripted(scenario, {1: [Ask(2, lots, ticks, LIMIT) for lots, ticks in quotes]})
    model.world.index[2:] = price
    before = sums(model)
    tables = tables_of(model)
    assert sums(model) == before, "not a unit came or went"
    return model, tables


def fund_path(tables):
    return tables["totals"]["insurance_fund_micro_usd"].tolist()


@every_side
@pytest.mark.parametrize("off", [-200, -1, 0, 1, 399, 400])
def test_the_fund_gains_or_loses_the_fill_against_the_bankruptcy_price(side, off):
    """``s q (p - B)`` to the unit; the trader is left with nothing and owes nothing."""
    exact = bankruptcy_price(side, Fraction(100), Fraction(10))
    fill = int(100 * exact) + side * off
    _, tables = played(silo(side), TICKS - side * 600, [(side * 10, fill)])
    delta = takeover_delta(side, 10, Fraction(fill, 100), exact) * USD
    assert rows(tables, "forced_orders", *COLUMNS) == [(-side * 10, 0, delta)]
    start = 1_000_000 * USD
    assert fund_path(tables) == [start] + [start + delta] * 3
    assert tables["accounts"]["final_equity_micro_usd"].tolist()[0] == 0
    assert len(tables["waterfall"]["step"]) == 0
    assert tables["liquidations"]["outcome"].tolist() == ["closed"]
    assert tables["accounts"]["penalties_micro_usd"].tolist()[0] == delta


def test_without_takeover_the_trader_keeps_the_residue_less_the_penalty():
    """The same fill at 93 USD: 30 USD are left, 1.25 % of 930 are the penalty."""
    whole = changed(silo(), margin__isolated__closure={"kind": "whole"})
    _, tables = played(whole, 9400, [(10, 9300)])
    assert rows(tables, "forced_orders", *COLUMNS) == [(-10, 0, 11_625_000)]
    assert tables["accounts"]["final_equity_micro_usd"].tolist()[0] == 30 * USD - 11_625_000


def test_the_trading_fee_is_paid_from_the_gain_first():
    """At 90.04 USD the gain is 40 cents; 0.05 % of 900.40 USD would be 45 cents."""
    fees = {"maker_rate": 0.0, "taker_rate": 0.0005}
    for fill, fee, kept in ((9300, 465_000, 29_535_000), (9004, 400_000, 0), (8990, 0, -USD)):
        _, tables = played(silo(market__fees=fees), 9400, [(10, fill)])
        assert rows(tables, "forced_orders", *COLUMNS) == [(-10, fee, kept)]


@pytest.mark.parametrize(
    ("fill", "kept"), [(9300, 13_950_000), (9100, 10 * USD), (8900, -10 * USD)]
)
def test_the_fund_may_keep_only_a_part_of_the_fill(fill, kept):
    """1.5 % of 930 USD are 13.95 of a gain of 30; at 91 USD all 10 are below 13.65."""
    capped = changed(silo(), margin__isolated__closure={**TAKEOVER, "most_kept": 0.015})
    _, tables = played(capped, 9400, [(10, fill)])
    assert rows(tables, "forced_orders", *COLUMNS) == [(-10, 0, kept)]
    left = max(0, (fill - 9000) * 10 * USD // 100 - kept)
    assert tables["accounts"]["final_equity_micro_usd"].tolist()[0] == left


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_the_fund_never_goes_below_zero_and_the_waterfall_pays_the_rest(off):
    """A fill at 85 USD misses 50 USD; the fund has them, a micro-USD less, or one more."""
    scenario = silo(liquidation__insurance_fund_usd=1.0)
    model = scripted(scenario, {1: [Ask(2, 10, 8500, LIMIT)]})
    house = model.world.clearing.house
    house.cash[INSURANCE_FUND] = 50 * USD + off
    model.conservation.__init__(model.world.clearing.accounts, house)  # the fund begins with this
    model.world.index[2:] = 8600
    tables = tables_of(model)
    paid = 50 * USD + min(off, 0)
    assert rows(tables, "forced_orders", *COLUMNS) == [(-10, 0, -paid)]
    assert fund_path(tables)[1:] == [max(off, 0)] * 3
    names = ("deficit_micro_usd", "fund_micro_usd", "adl_micro_usd")
    expected = [(1, 0, 1)] if off < 0 else []
    assert rows(tables, "waterfall", *names) == expected


def test_what_finds_nobody_is_settled_when_it_does():
    """4 lots at 91 USD gain 4 USD; of 6 more at 88 USD, a step later, 12 USD are missing."""
    scenario = silo(duration_seconds=5.0)
    script = {1: [Ask(2, 4, 9100, LIMIT)], 3: [Ask(2, 6, 8800, LIMIT)]}
    model = scripted(scenario, script)
    model.world.index[2:] = 9100
    tables = tables_of(model)
    filled = [row for row in rows(tables, "forced_orders", "step", *COLUMNS) if row[1]]
    assert filled == [(2, -4, 0, 4 * USD), (3, -6, 0, -12 * USD)]
    assert fund_path(tables)[-1] == 1_000_000 * USD - 8 * USD
    assert tables["accounts"]["final_equity_micro_usd"].tolist()[0] == 0


@pytest.mark.parametrize("fills", [(9400, 10_100), (9100, 10_300), (9290, 10_290)])
def test_legs_of_a_cross_pool_are_settled_each_at_its_own_bankruptcy_price(fills):
    """20 BTC long at 94 USD and 10 ETH short at 102 USD; equity goes by maintenance margin."""
    scenario = market(
        {
            "one": people((240.0, {"BTC": 20, "ETH": -10})),
            "rich": people((1e6, {"BTC": -20, "ETH": 10}), (1e6, {"BTC": 0})),
        },
        assets=("BTC", "ETH"),
        market__book=ORDER_BOOK,
        margin__cross__closure={**TAKEOVER, "most_kept": 0.015},
        liquidation__feedback="market",
    )
    quotes = [Ask(2, 20, fills[0], LIMIT, 0), Ask(2, -10, fills[1], LIMIT, 1)]
    model = scripted(scenario, {1: quotes})
    model.world.index[2:] = (9400, 10_200)
    tables = tables_of(model)
    rate = Fraction(1, 20)
    account = CrossAccount(
        Fraction(240 - 2000 + 1000),
        [CrossPosition(Fraction(20), 94, rate), CrossPosition(Fraction(-10), 102, rate)],
    )
    assert account.net_collateral == 100 and account.maintenance == 145
    found = rows(tables, "forced_orders", "asset", "filled_lots", "penalty_micro_usd")
    assert [(asset, lots) for asset, lots, _ in found] == [(0, -20), (1, 10)]
    for (leg, lots, delta), fill in zip(found, fills, strict=True):
        exact = fund_delta(account, leg, abs(lots), Fraction(fill, 100), Fraction(15, 1000))
        assert abs(delta - exact * USD) <= 2, "the venue rounds up once, in the same direction"
    owed = tables["accounts"]["final_equity_micro_usd"].tolist()[0]
    assert owed >= 0 and len(tables["waterfall"]["step"]) == 0


def test_gains_of_a_round_reach_the_fund_before_it_pays():
    """An empty fund: one silo's fill gains 10 USD, the other's misses 10; nobody else pays.

    The loser has the lower id, so that going by id alone would leave it a deficit.
    """
    scenario = market(
        {
            "two": people((100.0, {"BTC": 10}), (100.0, {"ETH": 10}), mode="isolated"),
            "rich": people((1e6, {"BTC": -10, "ETH": -10}), (1e6, {"BTC": 0})),
        },
        assets=("BTC", "ETH"),
        market__book=ORDER_BOOK,
        margin__isolated__closure=TAKEOVER,
        liquidation__feedback="market",
        liquidation__insurance_fund_usd=0.0,
    )
    quotes = [Ask(3, 10, 8900, LIMIT, 0), Ask(3, 10, 9100, LIMIT, 1)]
    model = scripted(scenario, {1: quotes})
    model.world.index[2:] = 9400
    tables = tables_of(model)
    assert rows(tables, "forced_orders", "asset", "penalty_micro_usd") == [
        (0, -10 * USD), (1, 10 * USD),
    ]  # fmt: skip
    assert len(tables["waterfall"]["step"]) == 0 and fund_path(tables)[-1] == 0


def test_the_rest_of_a_step_down_may_be_taken_over():
    """At 80 USD 26 lots step down to 25, the end of the first bracket; those are taken over.

    The pool has 62.40 USD; the one lot closed pays nothing, the 25 leave all to the fund.
    """
    closure = {"kind": "tier_step_down", "rest": "takeover"}
    tables = run(one_leg(26, 26 * 20.0 + 62.4, 0.2, closure, tiers=TIERS))
    found = rows(tables, "forced_orders", "round", "filled_lots", "penalty_micro_usd")
    assert found == [(1, -1, 0), (2, -25, 62_400_000)]


@pytest.mark.parametrize(("margin", "kept"), [(83.5, 0), (83.49, 23_490_000)])
def test_a_backstop_takes_over_far_below_maintenance(margin, kept):
    """10 lots at 94 USD need 47 USD; at 23.50, half of it, the pool is still closed by itself."""
    scenario = market(
        {
            "one": people((margin, {"BTC": 10}), mode="isolated"),
            "rich": people((1e6, {"BTC": -10})),
        },
        margin__brackets={
            "BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 18.0}]
        },
        margin__isolated__closure={"kind": "share_then_whole", "backstop_below": 0.5},
    )
    model = scripted(scenario, {})
    model.world.index[2:] = 9400
    found = rows(tables_of(model), "forced_orders", "filled_lots", "penalty_micro_usd")
    assert found == [(-10, kept)]


def test_a_takeover_without_feedback_is_settled_at_the_mark():
    scenario = changed(silo(), liquidation__feedback="no_feedback")
    model = scripted(scenario, {})
    model.world.index[2:] = 9400
    assert rows(tables_of(model), "forced_orders", *COLUMNS) == [(-10, 0, 40 * USD)]
    assert run(changed(scenario, market__shocks={}))["forced_orders"]["lots"].size == 0


@pytest.mark.parametrize("rule", ["takeover", "band"])
def test_a_hedged_portfolio_shares_its_equity_by_what_its_legs_would_need(rule):
    """20 BTC long, 20 ETH short, margined as one book, which needs less than its legs.

    10 % less of BTC than of ETH leaves 38 USD: shares of all legs sum to them, neither more nor
    less. Taken over they are the fund's to the last unit; as limits they leave no deficit.
    """
    changes = {"margin__cross__closure": {"kind": "takeover" if rule == "takeover" else "whole"}}
    if rule == "band":
        changes["liquidation__price_band"] = {"kind": "bankruptcy"}
    scenario = market(
        {
            "one": people((238.0, {"BTC": 20, "ETH": -20})),
            "rich": people((1e6, {"BTC": -20, "ETH": 20}), (1e6, {"BTC": 0})),
        },
        assets=("BTC", "ETH"),
        market__book=ORDER_BOOK,
        margin__portfolio={"classes": {"majors": ["BTC", "ETH"]}},
        liquidation__feedback="market",
        **changes,
    )
    needs = (Fraction(1800), Fraction(2000))
    shares = [38 * need / sum(needs) for need in needs]
    limits = (math.ceil(100 * (90 - shares[0] / 20)), math.floor(100 * (100 + shares[1] / 20)))
    quotes = [Ask(2, 20, limits[0], LIMIT, 0), Ask(2, -20, limits[1], LIMIT, 1)]
    model = scripted(scenario, {1: quotes})
    model.world.index[2:, 0] = 9000
    tables = tables_of(model)
    found = rows(tables, "forced_orders", "asset", "filled_lots", "penalty_micro_usd")
    assert [(asset, lots) for asset, lots, _ in found] == [(0, -20), (1, 20)]
    sold = 20 * limits[0] * 10_000 - 20 * limits[1] * 10_000
    left = 238 * USD + sold
    kept = sum(gain for *_, gain in found)
    assert 0 <= left < 2 * 20 * 10_000, "within a tick of each limit"
    assert len(tables["waterfall"]["step"]) == 0
    assert left - 2 <= kept <= left if rule == "takeover" else kept == 0
    if rule == "band":
        beyond = [Ask(2, 20, limits[0] - 1, LIMIT, 0), Ask(2, -20, limits[1] + 1, LIMIT, 1)]
        model = scripted(scenario, {1: beyond})
        model.world.index[2:, 0] = 9000
        assert rows(tables_of(model), "forced_orders", "filled_lots")[:2] == [(0,), (0,)]
