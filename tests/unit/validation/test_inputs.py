"""Inputs of worked examples: what may be left out, and what is said when it may not."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from stresslab.core.errors import StresslabError
from stresslab.margin.portfolio import standard_scenarios
from stresslab.margin.portfolio.scenarios import ABSOLUTE, DOWN, LINEAR, NONE, UP
from stresslab.validation.conformance import evaluate
from stresslab.validation.conformance.inputs import Inputs, side_of

DATA = Path(__file__).parents[2] / "data"
VECTORS = {v["id"]: v for v in json.loads((DATA / "margin_vectors.json").read_text("utf-8"))}


def given(name, **changes):
    """Return the inputs of an example with some of them changed; None leaves one out."""
    return {**VECTORS[name]["inputs"], **changes}


@pytest.mark.parametrize("value", ["long", "LONG", "buy", 1, "1", 2.5, Fraction(1, 2)])
def test_longs_have_many_names(value):
    assert side_of(value) == 1
    assert side_of({"long": "short", "buy": "sell"}.get(str(value).lower(), "-1")) == -1


@pytest.mark.parametrize("value", ["flat", 0, "nan", ""])
def test_other_words_are_no_side(value):
    with pytest.raises(StresslabError):
        side_of(value)


def test_a_missing_input_is_named_with_what_is_given():
    with pytest.raises(StresslabError, match=r"input 'entry' is missing; given are \['leverage'"):
        evaluate("bankruptcy_price.linear_isolated", {"side": "long", "leverage": 5})


def test_sign_stands_for_side_and_contracts_for_quantity():
    assert Inputs({"qty": -3}).side == -1
    assert Inputs({"size": 3}).side == Inputs({}).side == 1
    assert Inputs({"contracts": "12", "contract_value": 0.5}).quantity == 6
    assert Inputs({"size": -3}).quantity == 3


# -- the other side, and what may be left out -----------------------------------------------------

MIRRORED = ["bybit-doc-long-50x", "gate-iso-fee-4", "binance-iso-5", "blofin-api-cross-swap"]


@pytest.mark.parametrize("name", MIRRORED)
def test_a_short_is_liquidated_above_what_a_long_is_below(name):
    vector = VECTORS[name]
    middle = vector["inputs"].get("entry") or vector["inputs"]["mark"]
    changed = {"margin_ratio": 2} if "margin_ratio" in vector["inputs"] else {}
    long, short = (
        evaluate(vector["kind"], given(name, side=side, **changed))["liq_price"]
        for side in ("long", "short")
    )

    assert 0 < long < middle < short


def test_no_fee_and_no_amount_are_zero():
    kind, name = "liq_price.linear_isolated_fee", "gate-iso-fee-4"
    free = evaluate(kind, given(name, taker_fee=None))

    assert free == evaluate(kind, given(name, taker_fee=0))
    without = evaluate("liq_price.linear_tiered_given", given("binance-iso-1", cum=None))
    assert without == evaluate("liq_price.linear_tiered_given", given("binance-iso-1", cum=0))


def test_other_positions_move_the_price():
    kind, name = "liq_price.linear_tiered_given", "binance-iso-5"
    alone = evaluate(kind, given(name))["liq_price"]

    assert evaluate(kind, given(name, other_pnl=1))["liq_price"] < alone
    assert evaluate(kind, given(name, other_mm=1))["liq_price"] > alone
    assert evaluate(kind, given(name, other_mm=1, other_pnl=1))["liq_price"] == alone
    short = evaluate("liq_price.dydx", given("dydx-doc-iso", mm_others=100))["liq_price"]
    assert short == pytest.approx((1000 + 9000 - 100) / 3.15)


def test_margin_added_moves_the_price_by_itself_over_quantity():
    kind, name = "liq_price.linear_isolated_entry_mm", "bybit-doc-long-50x"

    assert evaluate(kind, given(name, extra_margin=3000)) == {"liq_price": 16_700}
    assert evaluate(kind, given(name, side="short", mmr="0.00501", tick=0.5)) == {
        "liq_price": 20_299.5
    }


def test_bankruptcy_from_margin_or_leverage():
    kind = "bankruptcy_price.linear_isolated"
    by_margin = evaluate(kind, {"side": "short", "entry": 100, "qty": 2, "margin": 40})

    assert by_margin == evaluate(kind, {"side": "short", "entry": 100, "leverage": 5})
    added = evaluate(kind, {"side": "long", "entry": 100, "leverage": 5, "qty": 2, "extra": 4})
    assert added == {"bankruptcy_price": 78}
    ticked = evaluate(kind, {"side": "long", "entry": 100, "leverage": 3, "tick": 1})
    assert ticked == {"bankruptcy_price": 66}


def test_legs_of_a_hedge_share_a_price():
    """Equity at the price is what both legs need: 2.5 + pnl = maintenance of both."""
    long = {"qty": 3, "entry": 10, "mmr": 0.01, "cum": 0.01}
    short = {"qty": 1, "entry": 12, "mmr": 0.02}
    kind = "liq_price.linear_tiered_given"
    price = evaluate(kind, {"wallet": 2.5, "long": long, "short": short})["liq_price"]

    listed = [{**long, "side": "long"}, {**short, "side": "short"}]
    assert evaluate(kind, {"wallet": 2.5, "legs": listed}) == {"liq_price": price}
    equity = 2.5 + 3 * (price - 10) - (price - 12)
    assert equity == pytest.approx(3 * price * 0.01 - 0.01 + price * 0.02)


# -- cross accounts with leverage tables ----------------------------------------------------------

TABLES, CROSS = "liq_price.linear_cross_tables", "binance-faq-btc-cross"


@pytest.mark.parametrize(
    ("target", "mode", "price"),
    [("ETH", "cross", 1153.26), ("BTC", "isolated", 18_778.73), ("ETH", "isolated", 1114.78)],
)
def test_the_published_account_in_the_other_symbol_and_mode(target, mode, price):
    """Figures of the same help page, which the public tests quote too."""
    found = evaluate(TABLES, given(CROSS, target=target, mode=mode))

    assert found["liq_price"] == pytest.approx(price, abs=0.01)


def test_amounts_of_a_table_may_be_left_out():
    inputs = given(CROSS)
    tiers = {name: [row[:3] for row in rows] for name, rows in inputs["tiers"].items()}

    assert evaluate(TABLES, {**inputs, "tiers": tiers}) == evaluate(TABLES, inputs)


def test_hedged_legs_share_a_price_however_they_are_written():
    held = given(CROSS)["positions"]
    leg = held["BTC"]
    short = {**leg, "side": "short", "qty": 30.0}
    inputs = given(CROSS)
    listed = evaluate(TABLES, {**inputs, "positions": {**held, "BTC": [leg, short]}})
    named = {"long": {**leg, "side": None}, "short": {**short, "side": None}}
    by_name = evaluate(TABLES, {**inputs, "positions": {**held, "BTC": named}})

    assert listed == by_name
    assert 0 < listed["liq_price"] < evaluate(TABLES, inputs)["liq_price"]


def test_a_rich_long_is_never_liquidated():
    assert evaluate(TABLES, given(CROSS, wallet=1e9)) == {"liq_price": 0.0}


# -- what is asked for is what is given back ------------------------------------------------------


@pytest.mark.parametrize(
    ("left_out", "names"),
    [
        ([], {"rate", "premium_per_unit", "index_delta", "pnl"}),
        (["size"], {"rate", "premium_per_unit", "index_delta"}),
        (["window_s"], {"rate", "premium_per_unit"}),
        (["spot"], {"rate"}),
        (["spot", "cap", "clamp", "interest"], {"rate"}),
    ],
)
def test_a_funding_rate_costs_what_can_be_told(left_out, names):
    inputs = given("paradex-funding", **dict.fromkeys(left_out))

    assert set(evaluate("funding.rate_clamp", inputs)) == names


@pytest.mark.parametrize(
    ("premium", "rate"),
    [(0.0008, 0.0003), (-0.0008, -0.0003), (0.0003, 0.0001), (0.5, 0.02), (-0.5, -0.02)],
)
def test_rates_are_pulled_to_interest_and_capped(premium, rate):
    found = evaluate("funding.rate_clamp", given("paradex-funding", premium=premium, spot=None))

    assert found["rate"] == pytest.approx(rate)


def test_position_fields_give_the_prices_they_determine():
    fields = given("kucoin-api-1")
    kind = "liq_price.kucoin_position"

    assert set(evaluate(kind, {**fields, "pos_init": None})) == {"liq_price"}
    assert set(evaluate(kind, {**fields, "pos_margin": None})) == {"bankruptcy_price"}
    short = evaluate(kind, {**fields, "qty": -0.02, "pos_cost": -83.642})
    assert short == {"liq_price": 4341.2, "bankruptcy_price": 4363.95}


def test_defaults_of_cross_accounts():
    """Closing the whole position, in millionths of the quote currency."""
    kind = "bankruptcy_quote.cross_pro_rata"
    inputs = given("dydx-bankruptcy-1")
    bare = {"quote_balance": -4501, "positions": inputs["positions"]}

    assert evaluate(kind, bare) == evaluate(kind, inputs)
    third = evaluate(kind, {**inputs, "delta": "-0.0333333333"})
    assert third["quote_delta"] == pytest.approx(1500.333332, abs=1e-9)


@pytest.mark.parametrize("target", [-1, 1, "2"])
def test_a_position_that_is_not_there_is_named(target):
    with pytest.raises(StresslabError, match="is not the place of one of 1 positions"):
        evaluate("fillable_price", given("dydx-fillable-1", target=target))


@pytest.mark.parametrize("orders", [3, [1, 2], ["1.5", "1.5"], (3,)])
def test_orders_in_all_or_one_by_one(orders):
    inputs = given("paradex-imr", position=1, buy_orders=orders, sell_orders=None)

    assert evaluate("margin.imr_open_orders", inputs) == {"imr": 4 * 0.02 * 90_000}


def test_value_is_quantity_times_entry():
    kind, inputs = "margin.linear_im_mm_closing_fee", given("bybit-api-uma-eth")
    parts = {**inputs, "position_value": None, "qty": -0.3, "entry": 1789.75}

    assert evaluate(kind, parts) == evaluate(kind, inputs)


@pytest.mark.parametrize(
    ("size", "fills"),
    [
        (0, {}),
        (5, {"2": 5}),
        (10, {"2": 10}),
        (10.5, {"2": 10, "5": 0.5}),
        (-75, {"2": 10, "5": 20, "4": 30, "1": 10, "6": 5}),
        (1000, {"2": 10, "5": 20, "4": 30, "1": 10, "6": 10, "3": 20}),
    ],
)
def test_a_queue_of_any_size(size, fills):
    kind, name = "adl.queue_fill", "bitmex-adl-queue"

    assert evaluate(kind, given(name, liquidated_size=size)) == {"fills": fills, "price": 650}
    without = evaluate(kind, given(name, liquidated_size=size, bankruptcy_price=None))
    assert without == {"fills": fills}


def test_perpetuals_of_an_account_may_be_none_one_or_many():
    kind, name = "cross_health.weighted", "mango-health-1"
    perp = VECTORS[name]["inputs"]["perp"]
    half = {**perp, "base": -5, "quote": 50}

    assert evaluate(kind, given(name, perp=[half, half])) == evaluate(kind, given(name))
    assert evaluate(kind, given(name, perp=None)) == {"health": 0.0}
    own = {**perp, "asset_weight": 1, "liability_weight": 1, "overall_weight": 1}
    assert evaluate(kind, given(name, perp=own)) == {"health": pytest.approx(0.8 * 50)}


def test_portfolio_fields_may_be_left_out_and_flags_written_any_way():
    kind, name = "pm.scenario_grid_options", "derive-pm2-25"
    inputs = VECTORS[name]["inputs"]
    options = [
        {**option, "IsCall": {1: True, 0: "false"}[option["IsCall"]]}
        for option in inputs["portfolio"]["Options"]
    ]
    bare = {"portfolio": {**inputs["portfolio"], "Options": options, "Cash": None}}

    assert evaluate(kind, bare) == pytest.approx(evaluate(kind, inputs), rel=1e-12)
    lists = [
        {**feed, "OptionVolConfidences": [0.95, 1]} for feed in inputs["portfolio"]["OptionFeeds"]
    ]
    listed = {**inputs, "portfolio": {**inputs["portfolio"], "OptionFeeds": lists}}
    assert evaluate(kind, listed) == evaluate(kind, inputs)


def test_the_standard_grid_is_that_of_the_published_cases():
    listed = VECTORS["derive-pm2-25"]["inputs"]["scenarios"]
    names = {NONE: "None", UP: "Up", DOWN: "Down", LINEAR: "LINEAR", ABSOLUTE: "ABS"}
    ours = [[s.spot_factor, names[s.volatility], s.damping] for s in standard_scenarios()]

    assert len(ours) == len(listed) == 31
    for scenario in listed:
        (found,) = [o for o in ours if o[1] == scenario[1] and abs(o[0] - scenario[0]) < 1e-9]
        assert found[2] == pytest.approx(scenario[2])


def test_options_without_a_feed_are_named():
    inputs = VECTORS["derive-pm2-25"]["inputs"]
    blind = {**inputs, "portfolio": {**inputs["portfolio"], "OptionFeeds": []}}

    with pytest.raises(StresslabError, match="no feed for options expiring in"):
        evaluate("pm.scenario_grid_options", blind)


@pytest.mark.parametrize("value", ["ten", "inf", "1/0", [], "1e"])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(StresslabError, match="is not a finite number"):
        evaluate("collateral.borrowable", {"amount": value, "price": 1, "ltv": 1})
