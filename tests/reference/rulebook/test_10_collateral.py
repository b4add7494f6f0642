"""Rule 10: spot as collateral, cut by haircuts that grow with size, seized and sold in its book.

One lot of anything is worth 100 USD before the first step, so n lots are n slices of 100 USD.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from stresslab.core.columns import MOVE_MARGIN
from stresslab.margin.requests import TAKEN, WALLET, answer_request
from tests.markets import (
    BRACKETS,
    LOT,
    TICKS,
    USD,
    accepted,
    asset,
    fall,
    market,
    model_of,
    people,
    rows,
    run,
    state,
    trade,
)

#: OKX's published discount table for BETH (18 July 2024): what counts of each slice.
OKX = [(0, "0.95"), (2_000_000, "0.85"), (4_000_000, "0.5"), (8_000_000, "0")]


def venue(collateral, *accounts, perpetuals=("BTC",), **changes):
    """Return a market of perpetuals and a coin that is collateral; one account takes the rest."""
    names = (*perpetuals, "USDX")
    others = {name: -sum(lots.get(name, 0) for _, lots in accounts) for name in perpetuals}
    groups = {"holders": people(*accounts), "rest": people((1e6, others))}
    scenario = market(groups, assets=names, **changes)
    scenario["assets"]["USDX"] = asset("spot")
    scenario["margin"]["brackets"] = dict.fromkeys(perpetuals, BRACKETS)
    scenario["margin"]["collateral"] = {"USDX": collateral}
    return scenario


def haircut_of(value, table):
    """Return the haircut of a value slice by slice, as a Fraction of USD (OKX's own wording)."""
    lost = Fraction(0)
    ends = [Fraction(floor) for floor, _ in table[1:]] + [max(Fraction(value), 10**18)]
    for (floor, rate), end in zip(table, ends, strict=True):
        inside = max(Fraction(0), min(Fraction(value), end) - floor)
        lost += inside * (1 - Fraction(rate))
    return lost


def tiers(table):
    return {"tiers": [{"floor_usd": float(f), "haircut": float(1 - Fraction(r))} for f, r in table]}


# -- the decisive test -----------------------------------------------------------------------------


def test_a_depeg_liquidates_a_position_whose_own_market_never_moved():
    """15 coins at a haircut of 5 % back 20 lots of BTC, which need 5 % of 2,000 = 100 USD.

    At 7 USD a coin they are worth 105, less 5.25: 25 cents short. BTC has not moved by a tick.
    """
    story = venue(
        {"haircut": 0.05}, (1500.0, {"BTC": 20, "USDX": 15}),
        market__shocks={"depeg": fall(0.93, "USDX")},
    )  # fmt: skip
    tables = run(story)
    found = rows(
        tables, "liquidations", "account", "step", "equity_micro_usd", "maintenance_micro_usd"
    )
    assert found == [(0, 2, 105 * USD, 105_250_000)]
    marks = rows(tables, "path", "asset", "mark_ticks")
    assert {ticks for place, ticks in marks if place == 0} == {TICKS}, "BTC never moved"
    eaten = rows(tables, "breach_amounts", "cause", "asset", "amount_micro_usd")
    assert eaten == [("price", 1, (1500 - 105) * USD - (75 * USD - 5_250_000))]
    causes = rows(tables, "price_causes", "asset", "cause", "share")
    assert causes == [(1, "index", 1.0)], "and the coin fell by itself"
    forced = rows(tables, "forced_orders", "asset", "filled_lots")
    assert forced[0][0] == 0 and forced[0][1] < 0, "the position is closed"


def test_without_the_depeg_nobody_is_liquidated_and_one_tick_decides():
    """Equity 15 p against 100 + 0.75 p: in breach below p = 100 / 14.25 = 7.0175 USD."""
    story = venue({"haircut": 0.05}, (1500.0, {"BTC": 20, "USDX": 15}))
    assert run(story)["liquidations"]["account"].size == 0
    model = model_of(story)
    for ticks in range(690, 720):
        equity, maintenance, _ = state(model, 0, marks=[TICKS, ticks])
        is_short = 15 * Fraction(ticks, 100) * Fraction(95, 100) < 100
        assert (equity < maintenance) == is_short == (ticks <= 701)


def test_a_short_is_liquidated_by_the_same_depeg():
    story = venue(
        {"haircut": 0.05}, (1500.0, {"BTC": -20, "USDX": 15}),
        market__shocks={"depeg": fall(0.93, "USDX")},
    )  # fmt: skip
    tables = run(story)
    assert rows(tables, "liquidations", "account", "step") == [(0, 2)]
    assert tables["breach_amounts"]["asset"].tolist() == [1]


def test_selling_seized_collateral_moves_its_own_price_and_names_the_liquidation():
    """A's coins are sold for its loss in BTC; their price breaks B, which holds no BTC at all.

    A: equity 500 after a fall by 10 %, need 5 % of 4,500 + 30 % of 1,000 = 525. Its coins are the
    larger leg: 3 of them bring 525 - 90 below 0.9 x 500. A depth of 30 USD for 1 % lets them fall
    by about 10 %. B has 50 USD to spare, and loses 10 x 10 of equity less 30 of requirement.
    """
    depth = {"kind": "linear", "depth_usd": 1e9, "depth_usd_by_asset": {"USDX": 30.0}}
    story = venue(
        {"haircut": 0.3}, (1000.0, {"BTC": 50, "USDX": 10}), (1000.0, {"ETH": 130, "USDX": 10}),
        perpetuals=("BTC", "ETH"),
        market__book={"kind": "impact", "law": depth},
        market__mark={"rule": "mid"},
        market__shocks={"s": fall(0.1, "BTC")},
        liquidation={"feedback": "market"},
    )  # fmt: skip
    tables = run(story)
    assert rows(tables, "liquidations", "account", "step", "round")[:2] == [(0, 2, 0), (1, 2, 1)]
    first = rows(tables, "forced_orders", "liquidation", "asset", "filled_lots")[0]
    assert first == (0, 2, -3), "the sale is in the coin's own book"
    coin = [row[2:] for row in rows(tables, "price_moves", "asset", "round", "from_ticks",
                                    "to_ticks") if row[:2] == (2, 1)]  # fmt: skip
    assert len(coin) == 1 and 8_900 < coin[0][1] < 9_200 and coin[0][0] == TICKS
    causes = rows(tables, "price_causes", "stage", "asset", "cause", "liquidation", "share")
    sales = [row for row in causes if row[1] == 2 and row[2] == "liquidation"]
    assert sales[0][3] == 0 and sales[0][4] == pytest.approx(1, abs=1e-3)
    eaten = rows(tables, "breach_amounts", "liquidation", "cause", "asset")
    assert [row[1:] for row in eaten if row[0] == 1] == [("price", 2)], "B broke by the sale alone"


def test_without_feedback_the_sale_moves_nothing_and_the_second_holder_survives():
    story = venue(
        {"haircut": 0.3}, (1000.0, {"BTC": 50, "USDX": 10}), (1000.0, {"ETH": 130, "USDX": 10}),
        perpetuals=("BTC", "ETH"), market__shocks={"s": fall(0.1, "BTC")},
    )  # fmt: skip
    tables = run(story)
    assert tables["liquidations"]["account"].tolist() == [0]
    assert tables["forced_orders"]["asset"].tolist()[0] == 2


# -- worked examples and boundaries ----------------------------------------------------------------


@pytest.mark.parametrize("usd", [1, 2_000_000, 2_000_001, 4_000_000, 4_000_001, 8_000_001, 10**7])
def test_the_discount_of_a_published_table_is_taken_slice_by_slice(usd):
    """5 % of the first 2 million, 15 % of the next, 50 % of the next 4, all of the rest."""
    model = model_of(venue(tiers(OKX), (2e7, {"USDX": 1})))
    accounts = model.world.clearing.accounts
    accounts.position[1, 0] = usd
    accounts.cash[0, 0] = 0
    equity, maintenance, _ = state(model, 0, marks=[TICKS, 100])
    assert equity == usd * USD
    assert maintenance == haircut_of(usd, OKX) * USD
    worked = {2_000_000: 100_000, 4_000_000: 400_000, 10**7: 4_400_000}
    assert usd not in worked or maintenance == worked[usd] * USD


def test_a_slice_at_a_haircut_of_one_backs_nothing():
    model = model_of(venue(tiers(OKX), (2e7, {"USDX": 1})))
    accounts = model.world.clearing.accounts
    accounts.cash[0, 0] = 0
    left = set()
    for usd in (8_000_000, 9_000_000, 50_000_000):
        accounts.position[1, 0] = usd
        equity, maintenance, _ = state(model, 0, marks=[TICKS, 100])
        left.add(equity - maintenance)
    assert left == {(1_900_000 + 1_700_000 + 2_000_000) * USD}


def test_a_larger_holding_counts_less_by_the_dollar_and_never_less_in_all():
    table = [(0, "0.9"), (500, "0.5"), (1000, "0.2")]
    model = model_of(venue(tiers(table), (2e7, {"USDX": 1})))
    accounts = model.world.clearing.accounts
    accounts.cash[0, 0] = 0
    counted = []
    for lots in range(1, 20):
        accounts.position[1, 0] = lots
        equity, maintenance, _ = state(model, 0)
        assert equity - maintenance == (100 * lots - haircut_of(100 * lots, table)) * USD
        counted.append(equity - maintenance)
    shares = [Fraction(c, 100 * USD * (k + 1)) for k, c in enumerate(counted)]
    assert shares[0] > shares[-1] and shares == sorted(shares, reverse=True)
    assert counted == sorted(counted)


@pytest.mark.parametrize(("addition", "most"), [(0.0, 80), (0.1, 70), (1.0, 0)])
def test_collateral_opens_perpetuals_less_its_haircuts_to_the_lot(addition, most):
    """10 coins at 20 % count 800 USD, at 20 + 10 % 700; a lot of 100 USD at 10x needs 10."""
    model = model_of(venue({"haircut": 0.2, "initial_addition": addition}, (1000.0, {"USDX": 10})))
    assert accepted(model, 0, 1) == (1 if most else 0)
    assert accepted(model, 0, most + 1) == 0
    assert accepted(model, 0, -most - 1) == 0
    assert accepted(model, 0, most) == most
    assert accepted(model, 0, -most) == -most


def test_collateral_buys_no_other_coin_and_no_isolated_margin():
    story = venue({"haircut": 0.2}, (1000.0, {"USDX": 10}))
    model = model_of(story)
    assert accepted(model, 0, 1) == 1
    assert accepted(model, 0, 1, asset=1) == 0, "spot is paid in money"
    model.world.clearing.accounts.chosen_mode[0, 0] = 1
    assert accepted(model, 0, 1) == 0, "so is the margin of an isolated position"
    model.world.clearing.accounts.cash[0, 0] += 100 * USD
    assert accepted(model, 0, 1) == 1 and accepted(model, 0, 1, asset=1) == 1
    assert accepted(model, 0, 2, asset=1) == 0


def test_margin_moved_into_an_isolated_position_is_money_too():
    """The wallet has 50 USD beside 10 coins; the coins move nothing."""
    story = market(
        {"one": people((1050.0, {"USDX": 10})), "two": people((1e6, {}))},
        assets=("USDX", "BTC", "ETH"),
    )
    story["assets"]["USDX"] = asset("spot")
    story["margin"]["brackets"] = {"BTC": BRACKETS, "ETH": BRACKETS}
    story["margin"]["collateral"] = {"USDX": {"haircut": 0.2}}
    model = model_of(story)
    c = model.world.clearing
    c.accounts.chosen_mode[1, 0] = 1
    trade(model, 0, 1, 1, asset=1)
    assert state(model, 0, pool=2)[0] == 10 * USD
    nothing = np.zeros_like(c.accounts.position)
    answers = [
        answer_request(c.accounts, c.house, c.journal, c.tables, model.world.board.ticks, nothing,
                       nothing, 0, 1, MOVE_MARGIN, amount)
        for amount in (40 * USD + 1, 40 * USD)
    ]  # fmt: skip
    assert answers == [WALLET, TAKEN]


def test_an_asset_without_haircuts_of_its_own_keeps_the_common_one():
    """It counts against maintenance, less 10 %, and opens nothing: what stood before."""
    story = venue({"haircut": 0.2}, (1000.0, {"USDX": 10}))
    story["margin"]["collateral"] = {}
    model = model_of(story)
    assert state(model, 0)[1] == LOT
    assert accepted(model, 0, 1) == 0


def test_margin_is_accepted_long_before_it_is_breached():
    """Whoever opens all that the venue takes is not in breach at once: initial covers both."""
    story = venue({"haircut": 0.2}, (1000.0, {"BTC": 80, "USDX": 10}))
    equity, maintenance, _ = state(model_of(story), 0)
    assert equity - maintenance == (1000 - 200 - 400) * USD
