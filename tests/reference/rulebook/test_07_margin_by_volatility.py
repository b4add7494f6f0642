"""7. Margin that follows volatility: floors, caps, a speed limit, and `requirement` as a cause."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, isclose, sqrt
from random import Random

import numpy as np
import pytest

from stresslab.margin.tiers import initial_margin, maintenance_margin
from tests.markets import (
    ORDER_BOOK,
    TICKS,
    USD,
    Ask,
    accepted,
    buy_at_market,
    fall,
    lively,
    market,
    model_of,
    people,
    rows,
    run,
    scripted,
    state,
    tables_of,
)

#: The index goes up and down by 1 % and ends where it began; nobody trades, so the book price, and
#: with it the mark, never moves.
WIGGLE = [TICKS, TICKS, 10_100, TICKS, 10_100, TICKS, TICKS, TICKS, TICKS]
REALISED = {
    "kind": "volatility", "estimator": "realised", "price": "index",
    "window_seconds": 4.0, "horizon_seconds": 1.0,
}  # fmt: skip


def readings(index=WIGGLE, window=4):
    """Return the realised volatility after every step, 0 before the first."""
    squares = [0.0] * window + [((b - a) / a) ** 2 for a, b in pairwise(index)]
    return [
        sqrt(sum(squares[k : k + window]) / window) for k in range(1, len(squares) - window + 1)
    ]


def wiggling(mode, lots, wealth_usd=60.0, script=None, venue=None, **part):
    """Return a market whose mark stands still while its index moves."""
    scenario = market(
        {
            "one": people((wealth_usd, {"BTC": lots}), mode=mode),
            "other": people((1e6, {"BTC": -lots}), (1e4, {})),
        },
        market__book=ORDER_BOOK,
        market__mark={"rule": "mid"},
        margin__brackets={
            "BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 18.0}]
        },
        margin__cross={"closure": {"kind": "whole"}, "penalty_rate": 0.0},
        duration_seconds=float(len(WIGGLE) - 1),
        margin__requirement={"volatility": {**REALISED, **part}},
        **(venue or {}),
    )
    model = scripted(scenario, script or {})
    model.world.index[:, 0] = WIGGLE
    return model


def causes(tables, liquidation=0):
    found = rows(tables, "breach_amounts", "liquidation", "cause", "amount_micro_usd")
    return {cause: amount for number, cause, amount in found if number == liquidation}


# -- the decisive test: volatility rises at a fixed price ------------------------------------------


@pytest.mark.parametrize("lots", [10, -10])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_a_maintenance_add_on_liquidates_at_a_price_that_never_moved(mode, lots):
    """60 USD behind 1,000: enough for 5 %, not for what 4 times the volatility adds to it."""
    tables = tables_of(wiggling(mode, lots, maintenance={"multiple": 4.0}))
    assert set(tables["path"]["mark_ticks"].tolist()) == {TICKS}
    assert tables["price_moves"]["stage"].size == 0
    need = round(4 * readings()[1] * 10**9)  # of 1,000 USD, in micro-USD
    assert need > 10 * USD
    assert rows(tables, "liquidations", "mode", "step", "excess_before_micro_usd") == [
        (mode, 2, 10 * USD)
    ]
    assert tables["liquidations"]["maintenance_micro_usd"].tolist() == [50 * USD + need]
    assert causes(tables) == {"requirement": need}
    assert tables["breach_amounts"]["stage"].tolist() == [-1], "no price move is its parent"


@pytest.mark.parametrize("lots", [10, -10])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_an_initial_margin_add_on_liquidates_nobody(mode, lots):
    """Ten times as much of it refuses an order that was taken before, and closes nothing."""
    order = buy_at_market(2, lots // 10)
    script = {1: [Ask(2, lots // 10, 5000 if lots > 0 else 15_000)], 4: [order]}
    model = wiggling(mode, lots, script=script, initial={"multiple": 40.0, "cap": 1.0})
    c = model.world.clearing
    c.accounts.wallet[2], c.accounts.wallet[1] = 20 * USD, c.accounts.wallet[1] + 9980 * USD
    assert accepted(model, 2, lots // 10) == lots // 10
    tables = tables_of(model)
    assert max(tables["requirements"]["initial_add_on"]) > 0.2
    assert tables["liquidations"]["account"].size == 0
    assert tables["counts"]["orders"].tolist() == [2]
    assert tables["counts"]["refused"].tolist() == [1], "the second, at the higher margin"


@pytest.mark.parametrize("lots", [10, -10])
@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_it_calls_where_the_venue_calls_below_initial_margin(mode, lots):
    """60 USD are 4.44 more than the initial margin of 1,000 at 18x: 0.444 % more are a call."""
    for multiple, calls in ((0.4, 0), (40.0, 1)):
        assert max(readings()) * 0.4 < 0.06 - 1 / 18 < max(readings()) * 40
        venue = {"margin__call_below_initial": True, "margin__call_levels": [1.0]}
        tables = tables_of(wiggling(mode, lots, venue=venue, initial={"multiple": multiple}))
        assert tables["liquidations"]["account"].size == 0
        assert tables["accounts"]["n_margin_calls"].tolist()[0] == calls


def test_the_same_order_is_taken_where_nothing_is_added():
    script = {4: [buy_at_market(2, 1)]}
    tables = tables_of(wiggling("cross", 10, script=script, initial={"multiple": 1e-6}))
    assert tables["counts"]["orders"].tolist() == [1]
    assert tables["counts"]["refused"].tolist() == [0]


@pytest.mark.parametrize("lots", [10, -10])
def test_equity_at_the_raised_maintenance_holds_and_a_micro_usd_less_does_not(lots):
    need = max(round(4 * x * 10**9) for x in readings())
    for missing in (0, 1):
        model = wiggling("cross", lots, maintenance={"multiple": 4.0})
        wallet = model.world.clearing.accounts.wallet
        moved = need - 10 * USD - missing
        wallet[0], wallet[1] = wallet[0] + moved, wallet[1] - moved
        assert state(model, 0)[0] == 50 * USD + need - missing
        assert tables_of(model)["liquidations"]["account"].size == missing


def test_more_volatility_never_needs_less_margin():
    paths = []
    for swing in (0, 20, 50, 100, 300):
        model = wiggling("cross", 10, 1e3, maintenance={"multiple": 4.0})
        model.world.index[:, 0] = [TICKS + swing * (ticks != TICKS) for ticks in WIGGLE]
        paths.append(tables_of(model)["requirements"]["maintenance_add_on"].tolist()[-3:])
    assert paths[0] == [0.0] and paths[-1][0] > 0.1
    for low, high in pairwise(paths[1:]):
        assert all(a < b for a, b in zip(low, high, strict=True))


# -- the rule: estimators, floor, cap, speed limit -------------------------------------------------


def path_of(index, **part):
    """Return (step, initial add-on, maintenance add-on) as recorded over a path of the index."""
    scenario = market(
        {"one": people((1e6, {"BTC": 10}), (1e6, {"BTC": -10}))},
        duration_seconds=float(len(index) - 1),
        margin__requirement={"v": {"kind": "volatility", "horizon_seconds": 4.0, **part}},
    )
    model = model_of(scenario)
    model.world.index[:, 0] = index
    return rows(tables_of(model), "requirements", "step", "initial_add_on", "maintenance_add_on")


def test_ewma_is_the_weighted_mean_of_squared_returns():
    """A half-life of two steps keeps sqrt(1/2) of the variance; four steps double the deviation."""
    index = [10_000, 10_200, 10_098, 10_098, 10_098]
    found = path_of(
        index, estimator="ewma", half_life_seconds=2.0, price="index",
        initial={"multiple": 3.0}, maintenance={"multiple": 2.0},
    )  # fmt: skip
    kept, variance, expected = sqrt(0.5), 0.0, []
    for old, new in pairwise(index):
        variance = kept * variance + (1 - kept) * ((new - old) / old) ** 2
        expected.append(2 * sqrt(variance))
    assert [row[0] for row in found] == [0, 1, 2, 3, 4]
    assert found[0][1:] == (0.0, 0.0)
    for row, reading in zip(found[1:], expected, strict=True):
        assert isclose(row[1], 3 * reading, abs_tol=1e-9)
        assert isclose(row[2], 2 * reading, abs_tol=1e-9)


def test_realised_forgets_all_at_once_when_the_window_is_over():
    """One return of 2 % in a window of two steps: sqrt(0.0004 / 2) · sqrt(4), then nothing."""
    found = path_of(
        [10_000, 10_200, 10_200, 10_200, 10_200], estimator="realised", window_seconds=2.0,
        price="index", maintenance={"multiple": 1.0},
    )  # fmt: skip
    high = round(0.02 * sqrt(2), 9)
    assert [(step, need) for step, _, need in found] == [(0, 0.0), (1, high), (3, 0.0)]


def test_floor_and_cap_bound_the_add_on_and_its_level_starts_it():
    quiet, loud = 10_000, 13_000
    bounds = {"multiple": 1.0, "floor": 0.01, "cap": 0.05, "above": 0.03}
    found = path_of(
        [quiet, quiet, loud, loud, loud], estimator="realised", window_seconds=1.0, price="mark",
        maintenance=bounds,
    )  # fmt: skip
    assert [(step, need) for step, _, need in found] == [(0, 0.01), (2, 0.05), (3, 0.01)]
    inside = path_of(
        [10_000, 10_300, 10_300], estimator="realised", window_seconds=1.0, maintenance=bounds
    )
    assert inside[1] == (1, 0.03, 0.03)  # 0.03 · sqrt(4) less 0.03; initial margin follows


def test_the_speed_limit_up_and_down():
    """Up by 0.4 % and down by 0.1 % a second at most; the target jumps to 1 % and back to 0."""
    found = path_of(
        [10_000, 10_000, 10_050, 10_000, 10_050, 10_050, 10_050, 10_050], estimator="realised",
        window_seconds=1.0, initial={"multiple": 1.0, "cap": 0.5},
        maintenance={
            "multiple": 10.0, "cap": 0.01, "rise_per_second": 0.004, "fall_per_second": 0.001,
        },
    )  # fmt: skip
    needs = {step: need for step, _, need in found}
    assert needs == {0: 0.0, 2: 0.004, 3: 0.008, 4: 0.01, 5: 0.009, 6: 0.008, 7: 0.007}


def test_a_calm_market_opens_with_the_add_on_of_its_calm_volatility():
    """6 % a day are 1 % in 40 minutes; people are sized to these rates, so nobody is in breach."""
    part = {
        "kind": "volatility", "horizon_seconds": 2400.0, "maintenance": {"multiple": 2.0},
        "half_life_seconds": 3600.0,
    }  # fmt: skip
    scenario = lively(margin__requirement={"v": part})
    scenario["market"]["index"]["daily_volatility"] = 0.06
    model = model_of(scenario)
    tables = model.world.clearing.tables
    assert tables.rate[:, 0].tolist() == [70_000_000] * 2
    assert tables.initial[:, 0].tolist() == [120_000_000] * 2
    assert model.world.market.initial_rate.tolist() == [0.12, 0.12]


# -- what is added to rates ------------------------------------------------------------------------

TIERS = [
    {"floor_usd": 0.0, "maintenance_rate": 0.01, "max_leverage": 50.0},
    {"floor_usd": 1000.0, "maintenance_rate": 0.02, "max_leverage": 20.0},
    {"floor_usd": 5000.0, "maintenance_rate": 0.1, "max_leverage": 5.0},
]


@pytest.mark.parametrize(("initial", "maintenance"), [(0.03, 0.01), (0.0, 0.05), (0.9, 0.2)])
def test_the_add_on_comes_on_top_of_every_bracket(initial, maintenance):
    """Maintenance grows by the add-on times the notional, at every notional; nothing jumps."""
    announced = {"kind": "announced", "initial": initial, "maintenance": maintenance}
    scenario = market(
        {"one": people((1e6, {"BTC": 10}), (1e6, {"BTC": -10}))},
        margin__brackets={"BTC": TIERS},
        margin__requirement={"a": {**announced, "at_seconds": 2.0}},
    )
    model = model_of(scenario)
    t, draw = model.world.clearing.tables, Random(7)
    sizes = [draw.randrange(1, 10**10) for _ in range(200)]
    sizes += [10**9, 10**9 + 1, 5 * 10**9, 5 * 10**9 + 1]
    base = [int(maintenance_margin(t, 0, n)) for n in sizes]
    steps = [int(initial_margin(t, 0, n, 2)) for n in sizes]
    tables_of(model)
    assert model.world.market.initial_rate[0] == t.initial[0, 0] / 10**9, "traders know"
    more = Fraction(str(maintenance))
    extra = max(more, Fraction(str(initial)))
    for n, before, step in zip(sizes, base, steps, strict=True):
        now = int(maintenance_margin(t, 0, n))
        assert abs(now - (before + ceil(more * n))) <= 1
        asked = int(initial_margin(t, 0, n, 2))
        assert abs(asked - min(step + ceil(extra * n), n)) <= 1
        assert asked > now, "no position is opened in breach"


def test_an_announcement_may_come_into_force_along_a_line():
    """4 % over 4 seconds from the second on: nothing in step 2, then 1 % a step."""
    announced = {"kind": "announced", "maintenance": 0.04, "at_seconds": 2.0, "over_seconds": 4.0}
    scenario = market(
        {"one": people((1e6, {"BTC": 10}), (1e6, {"BTC": -10}))},
        duration_seconds=8.0,
        margin__requirement={"a": announced},
    )
    found = rows(run(scenario), "requirements", "step", "maintenance_add_on")
    assert found == [(0, 0.0), (3, 0.01), (4, 0.02), (5, 0.03), (6, 0.04)]


def test_parts_add_up_and_no_rate_exceeds_the_notional():
    parts = {
        name: {"kind": "announced", "initial": 0.1, "maintenance": need, "at_seconds": 1.0}
        for name, need in (("a", 0.6), ("b", 0.7))
    }
    scenario = market({"one": people((1e6, {"BTC": 10}), (1e6, {"BTC": -10}))},
                      margin__brackets={"BTC": TIERS}, margin__requirement=parts)  # fmt: skip
    model = model_of(scenario)
    tables = tables_of(model)
    assert rows(tables, "requirements", "step", "maintenance_add_on") == [(0, 0.0), (1, 0.9)]
    assert model.world.clearing.tables.rate[0].tolist() == [910_000_000, 920_000_000, 10**9]
    assert model.world.clearing.tables.initial[0].tolist() == [920_000_000, 950_000_000, 10**9]


def test_other_assets_and_spot_are_left_alone():
    assets = ("BTC", "ETH", "USDT")
    announced = {"kind": "announced", "maintenance": 0.01, "initial": 0.02, "at_seconds": 1.0}
    for named, expected in ((["ETH"], [0, 10, 0]), ([], [10, 10, 0])):
        scenario = market(
            {"one": people((1e6, {}))},
            assets=assets,
            margin__requirement={"a": {**announced, "assets": tuple(named)}},
        )
        scenario["assets"]["USDT"]["kind"] = "spot"
        del scenario["margin"]["brackets"]["USDT"]
        model = model_of(scenario)
        before = model.world.clearing.tables.rate[:, 0].copy()
        initial = model.world.clearing.tables.initial.copy()
        tables = tables_of(model)
        after = model.world.clearing.tables
        assert ((after.rate[:, 0] - before) // 10**6).tolist() == expected
        assert after.initial[2].tolist() == initial[2].tolist()
        assert set(tables["requirements"]["asset"].tolist()) == {0, 1}


# -- causes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [1, -1])
def test_a_price_move_and_a_requirement_in_one_step_are_told_apart(side):
    """Worked by hand, 10 lots of 100 USD at 5 %, then at 7 % with the price 4 % away.

    At the old price 2 % of 1,000 more are asked: 20. At the new rate the move takes 40 of equity
    and changes 7 % of 1,000 to 7 % of 960 or 1,040.
    """
    announced = {"kind": "announced", "maintenance": 0.02, "at_seconds": 2.0}
    scenario = market(
        {"one": people((100.0, {"BTC": 10 * side}), mode="isolated"),
         "other": people((1e6, {"BTC": -10 * side}))},
        margin__requirement={"a": announced},
    )  # fmt: skip
    model = model_of(scenario)
    model.world.index[2:, 0] = TICKS - 400 * side
    tables = tables_of(model)
    moved = 40 * USD - side * 2_800_000
    assert causes(tables) == {"requirement": 20 * USD, "price": moved}
    before, equity, need = rows(
        tables, "liquidations", "excess_before_micro_usd", "equity_micro_usd",
        "maintenance_micro_usd",
    )[0]  # fmt: skip
    assert (before, before - equity + need) == (50 * USD, 20 * USD + moved)


def test_postings_of_the_step_are_valued_at_the_old_rates():
    """Half of 10 lots sold in the step of the announcement: 25 released, then 2 % of 500 asked."""
    announced = {"kind": "announced", "maintenance": 0.02, "at_seconds": 2.0}
    scenario = market(
        {"one": people((59.0, {"BTC": 10})), "other": people((1e6, {"BTC": -10}))},
        market__fees={"maker_rate": 0.0, "taker_rate": 0.05},
        margin__requirement={"a": announced},
    )
    tables = tables_of(scripted(scenario, {2: [buy_at_market(0, -5)]}))
    assert causes(tables) == {"requirement": 10 * USD, "fees": 25 * USD, "own_execution": -25 * USD}


def test_a_requirement_that_was_judged_is_not_counted_again():
    """Raised in step 2, when the pool still holds; the fall of step 3 alone tips it over."""
    announced = {"kind": "announced", "maintenance": 0.02, "at_seconds": 2.0}
    scenario = market(
        {"one": people((75.0, {"BTC": 10})), "other": people((1e6, {"BTC": -10}))},
        market__shocks={"s": fall(0.01, at=3.0)},
        margin__requirement={"a": announced},
    )
    tables = run(scenario)
    assert causes(tables) == {"price": 10 * USD - 700_000}
    assert tables["liquidations"]["excess_before_micro_usd"].tolist() == [5 * USD]


@pytest.mark.parametrize("book", ["limit_order_book", "impact"])
def test_the_causes_of_a_lively_market_add_up_with_rates_that_never_rest(book):
    parts = {
        "v": {"kind": "volatility", "half_life_seconds": 5.0, "horizon_seconds": 5.0,
              "maintenance": {"multiple": 1.0, "cap": 0.2}, "initial": {"multiple": 2.0}},
        "d": {"kind": "depth", "notional_usd": 500.0, "half_life_seconds": 3.0,
              "maintenance": {"multiple": 1.0, "cap": 0.02, "rise_per_second": 0.001}},
        "o": {"kind": "open_interest", "lower_cap_usd": 1e5, "upper_cap_usd": 2e6},
    }  # fmt: skip
    tables = run(lively(book, margin__requirement=parts))
    n = len(tables["liquidations"]["account"])
    assert n > 15
    assert np.unique(tables["requirements"]["maintenance_add_on"]).size > 20
    eaten = [0] * n
    for number, amount in rows(tables, "breach_amounts", "liquidation", "amount_micro_usd"):
        eaten[number] += amount
    changes = rows(
        tables, "liquidations", "excess_before_micro_usd", "equity_micro_usd",
        "maintenance_micro_usd",
    )  # fmt: skip
    assert eaten == [before - (equity - need) for before, equity, need in changes]
    assert sum("requirement" in causes(tables, k) for k in range(n)) > 5


# -- a lever that can make things worse ------------------------------------------------------------

CALM = 0.3 * sqrt(10 / 86_400)  # deviation of the index over the horizon, 0.3 %
RISE = {"multiple": 1.0, "above": 4 * CALM, "cap": 0.05}


def forced_notional(book, cross_share, **part):
    """Return what was closed by force in three markets, in micro-USD."""
    rule = {"kind": "volatility", "half_life_seconds": 10.0, "horizon_seconds": 10.0, **part}
    scenario = lively(book, cross_share, margin__requirement={"v": rule} if part else {})
    closed = 0
    for seed in (1, 2, 3):
        orders = run(scenario, seed=seed)["forced_orders"]
        closed += int(np.abs(orders["filled_lots"] * orders["mark_ticks"]).sum())
    return closed


@pytest.mark.parametrize("cross_share", [0.0, 1.0])
@pytest.mark.parametrize("book", ["limit_order_book", "impact"])
def test_maintenance_that_follows_volatility_feeds_the_cascade_that_makes_it(book, cross_share):
    """After one shock; a slow rise feeds it less, one of initial margin alone hardly at all."""
    fixed = forced_notional(book, cross_share)
    fed = forced_notional(book, cross_share, maintenance=RISE)
    slow = forced_notional(book, cross_share, maintenance={**RISE, "rise_per_second": 0.0002})
    initial = forced_notional(book, cross_share, initial=RISE)
    assert fixed > 0
    assert fed > 1.07 * fixed
    assert slow - fixed < (fed - fixed) / 4
    assert initial - fixed < (fed - fixed) / 4


# -- where scenarios margin cross pools ------------------------------------------------------------


def hedged(wealth_usd, prices=(), **announced):
    """Return a hedged pool, 1,000 USD a side, whose only need is a charge of 1.5 % of 2,000."""
    part = {"kind": "announced", "at_seconds": 2.0, **announced}
    scenario = market(
        {
            "one": people((wealth_usd, {"BTC": 10, "ETH": -10})),
            "rest": people((1e6, {"BTC": -10, "ETH": 10})),
        },
        assets=("BTC", "ETH"),
        margin__portfolio={"classes": {"majors": ["BTC", "ETH"]}},
        margin__cross__closure={"kind": "least_common_share"},
        margin__call_below_initial=True,
        margin__call_levels=(1.0,),
        margin__requirement={"a": part},
    )
    model = model_of(scenario)
    model.world.index[2:] = prices or TICKS
    model.world.oracle[2:] = prices or TICKS
    return model


def test_the_add_on_is_to_the_charge_on_the_notional_of_each_leg():
    """2 % more of 2,000 USD: 70 are needed of 69.99, and 70 would do."""
    assert tables_of(hedged(70.0, maintenance=0.02))["liquidations"]["account"].size == 0
    tables = tables_of(hedged(69.99, maintenance=0.02))
    assert causes(tables) == {"requirement": 40 * USD}
    assert rows(tables, "liquidations", "excess_before_micro_usd", "maintenance_micro_usd") == [
        (39_990_000, 70 * USD)
    ]


def test_prices_of_the_step_act_at_the_new_charge():
    """Both rise by 1 %: the hedge gains nothing, and 3.5 % of 20 USD more are asked."""
    tables = tables_of(hedged(70.69, prices=(10_100, 10_100), maintenance=0.02))
    amounts = rows(tables, "breach_amounts", "cause", "asset", "amount_micro_usd")
    assert [x for x in amounts if x[0] == "requirement"] == [("requirement", -1, 40 * USD)]
    moved = {a: amount for cause, a, amount in amounts if cause == "price"}
    assert moved == {0: -10 * USD + 350_000, 1: 10 * USD + 350_000}


def test_a_charge_that_was_judged_is_not_counted_again():
    """75 hold against 70 in step 2; in step 3 the long leg loses 10 and the hedge is 10 short."""
    model = hedged(75.0, maintenance=0.02)
    model.world.index[3:, 0] = model.world.oracle[3:, 0] = 9_900
    tables = tables_of(model)
    assert tables["liquidations"]["excess_before_micro_usd"].tolist()[0] == 5 * USD
    assert set(causes(tables)) == {"price"}


def test_an_initial_add_on_calls_the_pool_and_refuses_its_orders():
    """2 % and 0.5 % on top of 1.5 %: 80 are needed to open, and 79.99 are called."""
    for wealth, n_calls in ((80.0, 0), (79.99, 1)):
        model = hedged(wealth, initial=0.02)
        assert accepted(model, 0, 1) == 1
        tables = tables_of(model)
        assert tables["accounts"]["n_margin_calls"].tolist()[0] == n_calls
        assert tables["liquidations"]["account"].size == 0
        assert accepted(model, 0, 1) == 0
