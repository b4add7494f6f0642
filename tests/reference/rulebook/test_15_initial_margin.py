"""15. Stricter initial margin when isolated, leverage caps by asset and bracket, open interest."""

from __future__ import annotations

import json
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest

from tests.markets import (
    ORDER_BOOK,
    USD,
    Ask,
    accepted,
    market,
    model_of,
    people,
    scripted,
    tables_of,
)

FINE = {"kind": "perpetual", "initial_price_usd": 100.0, "tick_size_usd": 0.01, "lot_size": 1e-4}
ORDER = 100_000  # lots of 1 cent: 1,000 USD

BRACKETS = [
    {"floor_usd": 0.0, "maintenance_rate": 0.02, "max_leverage": 10.0},
    {"floor_usd": 1000.0, "maintenance_rate": 0.08, "max_leverage": 5.0},
]


def trader(wealth_usd, mode, **changes):
    """Return a model of one flat account; isolated asks 1.25 times what the bracket asks."""
    scenario = market(
        {"one": people((1.0, {}), mode=mode)},
        assets__BTC=FINE,
        margin__isolated__initial_margin_factor=1.25,
        **changes,
    )
    model = model_of(scenario)
    model.world.clearing.accounts.wallet[0] = round(wealth_usd * USD)
    return model


def is_accepted(wealth_usd, mode, lots=ORDER, **changes):
    return accepted(trader(wealth_usd, mode, **changes), 0, lots) == lots


@pytest.mark.parametrize("side", [1, -1])
def test_an_order_that_cross_accepts_is_refused_when_isolated(side):
    """1,000 USD at 10x: 100 USD in cross, 125 in isolated, to the micro-USD."""
    order = side * ORDER
    assert is_accepted(100.0, "cross", order) and not is_accepted(100.0, "isolated", order)
    assert not is_accepted(99.999999, "cross", order)
    assert is_accepted(125.0, "isolated", order)
    assert not is_accepted(124.999999, "isolated", order)


@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_the_venue_refuses_it_and_says_so(mode):
    scenario = market(
        {"one": people((110.0, {}), mode=mode), "other": people((1e6, {}))},
        market__book=ORDER_BOOK,
        margin__isolated__initial_margin_factor=1.25,
    )
    model = scripted(scenario, {1: [Ask(0, 10, 10_000)], 2: [Ask(1, -10, 10_000)]})
    tables = tables_of(model)
    assert tables["counts"]["orders"].tolist() == [2]
    assert tables["counts"]["refused"].tolist() == [int(mode == "isolated")]
    assert tables["counts"]["fills"].tolist() == [int(mode == "cross")]


@pytest.mark.parametrize("side", [1, -1])
def test_an_assets_own_cap_overrules_its_brackets(side):
    """4x instead of 10x: 250 USD for 1,000, and 312.50 when isolated."""
    cap = {"margin__max_leverage": {"BTC": 4.0}}
    order = side * ORDER
    assert is_accepted(250.0, "cross", order, **cap)
    assert not is_accepted(249.999999, "cross", order, **cap)
    assert is_accepted(312.5, "isolated", order, **cap)
    assert not is_accepted(312.499999, "isolated", order, **cap)


def test_a_cap_above_the_brackets_changes_nothing():
    assert is_accepted(100.0, "cross", margin__max_leverage={"BTC": 50.0})
    assert not is_accepted(99.999999, "cross", margin__max_leverage={"BTC": 50.0})


@pytest.mark.parametrize("side", [1, -1])
def test_one_lot_over_the_floor_of_a_bracket_has_its_leverage(side):
    """1,000 USD are 10x; 1,000.01 USD are 5x, all of them: initial margin is a step."""
    tiers = {"margin__brackets": {"BTC": BRACKETS}}
    assert is_accepted(100.0, "cross", side * ORDER, **tiers)
    over = side * (ORDER + 1)
    assert not is_accepted(200.001999, "cross", over, **tiers)
    assert is_accepted(200.002, "cross", over, **tiers)


@pytest.mark.parametrize("price", [10_000, 10_001])
def test_it_is_the_notional_at_the_mark_that_finds_the_bracket(price):
    model = trader(150.0, "cross", margin__brackets={"BTC": BRACKETS})
    model.world.board.ticks[:] = price
    assert accepted(model, 0, ORDER) == (ORDER if price == 10_000 else 0)


# -- open interest ---------------------------------------------------------------------------------


def crowded(held, wealth_usd, mode="cross", *, lower=1000.0, upper=2000.0, **changes):
    """Return a model after one step in which ``held`` lots are open, and a flat account, row 2."""
    caps = {"kind": "open_interest", "lower_cap_usd": lower, "upper_cap_usd": upper}
    scenario = market(
        {
            "crowd": people((1e6, {"BTC": held}), (1e6, {"BTC": -held})),
            "one": people((1.0, {}), mode=mode),
        },
        assets__BTC=FINE,
        margin__isolated__initial_margin_factor=1.25,
        margin__requirement={"crowd": caps},
        **changes,
    )
    model = model_of(scenario)
    model.step()
    model.world.clearing.accounts.wallet[2] = round(wealth_usd * USD)
    return model


def rate_of(model):
    """Return the initial margin rate of the lowest bracket that is in force."""
    return Fraction(int(model.world.clearing.tables.initial[0, 0]), 10**9)


@pytest.mark.parametrize("side", [1, -1])
def test_half_way_between_the_caps_half_of_what_is_missing_to_one_is_added(side):
    """10 % and half of 90 %: 55 USD for 100, and 68.75 when isolated, to the micro-USD."""
    order = side * 10_000
    for mode, need in (("cross", 55.0), ("isolated", 68.75)):
        assert accepted(crowded(150_000, need, mode), 2, order) == order
        assert accepted(crowded(150_000, need - 1e-6, mode), 2, order) == 0


def test_it_begins_one_lot_above_the_lower_cap_and_is_whole_at_the_upper():
    """1,000 USD are 100,000 lots of 1 cent; each lot more adds 9e-6 to the rate."""
    found = {n: rate_of(crowded(n, 1.0)) for n in (99_999, 100_000, 100_001, 199_999, 200_000)}
    tenth, lot = Fraction(1, 10), Fraction(9, 10**6)
    assert list(found.values()) == [tenth, tenth, tenth + lot, 1 - lot, 1]
    assert rate_of(crowded(300_000, 1.0)) == 1


@pytest.mark.parametrize(("wealth", "lots"), [(100.0, 10_000), (99.999999, 0)])
def test_at_the_upper_cap_a_position_is_paid_in_full(wealth, lots):
    assert accepted(crowded(200_000, wealth), 2, 10_000) == lots


def test_it_is_the_engines_rate_in_the_published_example():
    """dYdX, liquidity tiers: 20 % at 1.5 million between caps of 1 and 2 million are 60 %."""
    file = Path(__file__).parents[2] / "data" / "margin_vectors.json"
    examples = json.loads(file.read_text(encoding="utf-8"))
    found = [x for x in examples if x["kind"] == "initial_margin.oi_scaled"]
    assert found
    for example in found:
        given = example["inputs"]
        bracket = {
            "floor_usd": 0.0,
            "maintenance_rate": 0.01,
            "max_leverage": 1 / given["base_imf"],
        }
        model = crowded(
            round(given["oi"] * 100), 1.0, lower=float(given["oi_lower"]),
            upper=float(given["oi_upper"]), margin__brackets={"BTC": [bracket]},
            traders__crowd=people(
                (1e9, {"BTC": round(given["oi"] * 100)}), (1e9, {"BTC": -round(given["oi"] * 100)})
            ),
        )  # fmt: skip
        assert float(rate_of(model)) * given["notional"] == example["expected"]["im"]


@pytest.mark.parametrize("caps", [(0.0, 0.0), (1000.0, 1000.0), (1000.0, 8000.0)])
def test_every_bracket_is_scaled_from_its_own_rate_and_rounded_up(caps):
    """Also caps that are equal: both 0 scale nothing, others at once."""
    lower, upper = (Fraction(str(cap)) for cap in caps)
    for held in (99_999, 100_000, 133_333, 299_999):
        model = crowded(held, 1.0, lower=caps[0], upper=caps[1], margin__brackets={"BTC": BRACKETS})
        open_usd, tables = Fraction(held, 100), model.world.clearing.tables
        for base, now in zip((Fraction(1, 10), Fraction(1, 5)), tables.initial[0], strict=True):
            k = Fraction(int(upper > 0 and open_usd >= upper))
            if upper > lower:
                k = min(max((open_usd - lower) / (upper - lower), Fraction(0)), Fraction(1))
            assert int(now) == ceil((base + k * (1 - base)) * 10**9)
        assert tables.rate[0].tolist() == [20_000_000, 80_000_000], "maintenance stands"


def test_it_liquidates_nobody():
    """Whoever holds a position with 101 USD behind 1,000 keeps it, though opening takes 1,000."""
    scenario = market(
        {"one": people((101.0, {"BTC": 10})), "other": people((1e6, {"BTC": -10}))},
        margin__requirement={
            "crowd": {"kind": "open_interest", "lower_cap_usd": 1.0, "upper_cap_usd": 2.0}
        },
        margin__call_below_initial=True,
        margin__call_levels=[1.0],
    )
    tables = tables_of(model_of(scenario))
    assert tables["requirements"]["initial_add_on"].tolist() == [0.0, 0.9]
    assert tables["accounts"]["n_margin_calls"].tolist() == [1, 0]
    assert tables["liquidations"]["account"].size == 0


def test_longs_are_counted_once_and_only_those_of_traders():
    """Two longs against one short, at 110 USD a lot of 100: 15 lots are 1,650 USD."""
    scenario = market(
        {"crowd": people((1e6, {"BTC": 10}), (1e6, {"BTC": 5}), (1e6, {"BTC": -15}))},
        margin__requirement={
            "crowd": {"kind": "open_interest", "lower_cap_usd": 0.0, "upper_cap_usd": 3300.0}
        },
        duration_seconds=1.0,
    )
    model = model_of(scenario)
    model.world.index[1:, 0] = 11_000
    tables = tables_of(model)
    assert tables["requirements"]["initial_add_on"].tolist() == [0.0, 0.45]
