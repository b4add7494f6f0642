"""23. Circuit breakers, price bands on forced orders, pauses and a throttle, as levers to sweep."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from stresslab.core.columns import CANCEL_ALL, LIMIT
from stresslab.experiment.cells import make_plan
from stresslab.experiment.config import read_config
from stresslab.liquidation.fillable_price import fillable_price
from stresslab.margin.cross_account import CrossAccount, CrossPosition
from stresslab.market.circuit_breaker import CircuitBreaker
from stresslab.market.rules import BreakerRules
from tests.markets import (
    ORDER_BOOK,
    TICKS,
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
    tables_of,
)

UNIT = 10_000  # micro-USD of a tick times a lot
every_side = pytest.mark.parametrize("side", [1, -1])


def silo(side=1, lots=10, margin=100.0, **changes):
    """Return a market of one isolated position at 10x in an order book, marked to the index."""
    return market(
        {
            "one": people((margin, {"BTC": side * lots}), mode="isolated"),
            "rich": people((1e6, {"BTC": -side * lots}), (1e6, {"BTC": 0})),
        },
        **{"market__book": ORDER_BOOK, "liquidation__feedback": "market", **changes},
    )


def played(scenario, price, script=None, at=2):
    """Return the log of a market whose index jumps to a price in ticks."""
    model = scripted(scenario, script or {})
    model.world.index[at:] = price
    return tables_of(model)


def forced(tables):
    return rows(tables, "forced_orders", "step", "round", "filled_lots")


# -- circuit breakers ------------------------------------------------------------------------------


def halts(path, move, window, halt):
    """Return, by step, whether the market is halted, from the rule's text alone.

    A mark is compared with every mark of the last ``window`` steps that was seen after the last
    halt; a move of more than ``move`` halts the market for ``halt`` steps from then on.
    """
    until, start, told = -1, 0, []
    for step, mark in enumerate(path):
        if step >= until:
            since = [m for s, m in enumerate(path[:step]) if s >= max(start, step - window)]
            if any(abs(mark - m) > Fraction(str(move)) * m for m in since):
                until = start = step + halt
        told.append(step < until)
    return told


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("move", "window", "halt"), [(0.03, 3, 4), (0.05, 1, 2), (0.02, 10, 1)])
def test_a_market_is_halted_when_its_mark_moves_too_far_in_the_window(seed, move, window, halt):
    draws = np.random.default_rng(seed)
    path = np.rint(TICKS * np.exp(np.cumsum(draws.normal(0, 0.03, 60)))).astype(int).tolist()
    rules = BreakerRules(move=move, window_seconds=2.0 * window, halt_seconds=2.0 * halt)
    breaker, told = CircuitBreaker(rules, 1, 2.0), []
    for step, mark in enumerate(path):
        breaker.watch(step, np.array([mark]))
        told.append(bool(breaker.halted(step)[0]))
    assert told == halts(path, move, window, halt)
    assert 0 < sum(told) < 60


@every_side
@pytest.mark.parametrize("off", [0, 1])
def test_a_move_of_exactly_the_bar_is_no_move_beyond_it(side, off):
    breaker = CircuitBreaker(BreakerRules(move=0.05, window_seconds=1.0, halt_seconds=1.0), 2, 1.0)
    breaker.watch(1, np.array([TICKS, TICKS]))
    breaker.watch(2, np.array([TICKS + side * (500 + off), TICKS]))
    assert breaker.halted(2).tolist() == [off == 1, False], "and the other market trades on"


BREAKER = {"move": 0.05, "window_seconds": 1.0, "halt_seconds": 3.0}


@pytest.mark.parametrize(("stops", "traded"), [("trading", 5), ("liquidations", 2)])
def test_a_halt_stops_forced_orders_and_where_it_says_so_all(stops, traded):
    """The mark falls in step 2, too far; forced orders and a buyer of step 3 meet bids and asks.

    Orders of a halt are refused; after 3 s both the position is closed and the buyer is served.
    """
    scenario = silo(duration_seconds=8.0, market__circuit_breaker={**BREAKER, "stops": stops})
    quotes = [Ask(1, 10, 9300), Ask(1, -10, 9900)]
    buyer = {step: [buy_at_market(2, 1)] for step in (3, 4, 5)}
    tables = played(scenario, 9400, {1: quotes, **buyer})
    assert forced(tables) == [(5, 1, -10)]
    volume = dict(rows(tables, "path", "step", "volume_lots"))
    assert [volume[step] for step in (3, 4, 5)] == {"trading": [0, 0, 11]}.get(stops, [1, 1, 11])
    assert tables["path"]["is_halted"].tolist() == [0, 1, 1, 1, 0, 0, 0, 0]
    assert tables["counts"]["refused"].tolist() == [{"trading": 2}.get(stops, 0)]
    assert tables["liquidations"]["outcome"].tolist() == ["closed"] and traded
    free = played(changed(scenario, market__circuit_breaker=None), 9400, {1: quotes})
    assert forced(free) == [(2, 1, -10)]


def test_a_halt_lets_cancellations_through():
    scenario = silo(duration_seconds=4.0, market__circuit_breaker=BREAKER)
    script = {1: [Ask(1, 10, 9000)], 3: [Ask(1, 0, 0, CANCEL_ALL)]}
    best = rows(played(scenario, 9400, script), "path", "step", "best_bid_ticks")
    assert best == [(1, 9000), (2, 9000), (3, -1), (4, -1)]


def test_a_halt_in_one_market_leaves_the_other_alone():
    """Both fall, ETH by less than the bar: a cross pool of both sells ETH only, though smaller."""
    scenario = market(
        {"one": people((200.0, {"BTC": 12, "ETH": 8})),
         "rich": people((1e6, {"BTC": -12, "ETH": -8}))},
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.06), "e": fall(0.04, "ETH")},
        market__circuit_breaker={**BREAKER, "halt_seconds": 100.0},
        margin__cross__closure={"kind": "whole"},
    )  # fmt: skip
    tables = run(scenario)
    assert rows(tables, "forced_orders", "asset", "filled_lots") == []
    deeper = changed(scenario, market__shocks={"s": fall(0.14), "e": fall(0.05, "ETH")})
    assert rows(run(deeper), "forced_orders", "asset", "filled_lots") == [(1, -8)]


def test_a_stop_waits_for_the_end_of_a_halt():
    """Triggered in step 2 by the mark, it would be sent in step 3; the halt ends before step 5."""
    scenario = silo(duration_seconds=8.0, margin=500.0, market__circuit_breaker=BREAKER)
    model = scripted(scenario, {1: [Ask(1, 10, 9300)]})
    model.world.crowd.columns.stop_ticks[0, 0] = 9450
    model.world.index[2:] = 9400
    volume = dict(rows(tables_of(model), "path", "step", "volume_lots"))
    assert [volume[step] for step in (2, 3, 4, 5, 6)] == [0, 0, 0, 10, 0]
    assert model.world.clearing.accounts.position[0, 0] == 0


# -- price bands -----------------------------------------------------------------------------------

BOOKS = {
    "order_book": ORDER_BOOK,
    "impact": {"kind": "impact", "law": {"kind": "linear", "depth_usd": 500.0}},
}


@every_side
@pytest.mark.parametrize("feedback", ["market", "slipped"])
@pytest.mark.parametrize("off", [0, 1])
def test_no_fill_is_further_from_the_mark_than_the_band(side, feedback, off):
    """1 % of the mark: 94 ticks at 9,400 and 106 at 10,600; the offers beyond stay."""
    band = {"kind": "from_mark", "distance": 0.01}
    scenario = silo(side, liquidation__price_band=band, liquidation__feedback=feedback)
    price = TICKS - side * 600
    worst = price - side * price // 100 if side > 0 else price + price // 100
    quotes = [Ask(2, side * 4, worst, LIMIT), Ask(2, side * 6, worst - side * off, LIMIT)]
    tables = played(scenario, price, {1: quotes})
    filled = [lots for _, _, lots in forced(tables)]
    assert filled[0] == -side * (4 if off else 10)
    cash = rows(tables, "forced_orders", "filled_lots", "cash_micro_usd")
    assert all(side * (received + lots * worst * UNIT) >= 0 for lots, received in cash)
    without = played(changed(scenario, liquidation__price_band=None), price, {1: quotes})
    assert forced(without)[0][2] == -side * 10


@pytest.mark.parametrize("feedback", ["market", "slipped"])
def test_an_impact_book_fills_what_leaves_its_price_within_the_band(feedback):
    """5 lots are a depth, 1 %: of 10 lots at 91 USD, 5 leave the price at 99 % and no more.

    They are paid along the path, 99.5 % of the mark on average. Under `slipped` each round meets
    the book as it was, so the next round fills the rest.
    """
    scenario = silo(market__book=BOOKS["impact"], liquidation__feedback=feedback,
                    liquidation__price_band={"kind": "from_mark", "distance": 0.01})  # fmt: skip
    tables = played(scenario, 9100)
    found = rows(tables, "forced_orders", "step", "filled_lots", "cash_micro_usd")
    assert found[0] == (2, -5, 5 * 9100 * UNIT * 995 // 1000)
    assert found[1][:2] == ((2, -5) if feedback == "slipped" else (2, 0))


def test_orders_with_limits_fill_in_turn_and_each_keeps_its_own():
    """Two silos at 94 USD with bankruptcy prices 90 and 92; 20 lots sold bring the price to 90.24.

    Whoever is drawn first gets the first 10 lots of the path, 93.06 USD on average, and leaves it
    at 92.12 USD: the silo of 90 may still sell its 10 lots, that of 92 not one.
    """
    scenario = market(
        {
            "longs": people((100.0, {"BTC": 10}), (80.0, {"BTC": 10}), mode="isolated"),
            "rich": people((1e6, {"BTC": -20})),
        },
        duration_seconds=2.0,
        margin__brackets={
            "BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 18.0}]
        },
        market__book=BOOKS["impact"],
        market__shocks={"s": fall(0.06)},
        liquidation__feedback="market",
        liquidation__price_band={"kind": "bankruptcy"},
    )
    first, outcomes = 9306 * 10 * UNIT, set()
    for seed in range(1, 9):
        found = rows(run(scenario, seed=seed), "forced_orders", "round", "filled_lots",
                     "cash_micro_usd")[:2]  # fmt: skip
        outcomes.add(tuple(found))
    second = 10 * 9118 * UNIT  # half way from 92.12 to 90.24 USD
    assert outcomes == {
        ((1, -10, first), (1, 0, 0)),
        ((1, -10, second), (1, -10, first)),
    }


@every_side
@pytest.mark.parametrize("off", [0, 1])
def test_a_band_at_the_bankruptcy_price(side, off):
    """100 USD for 10 lots at 10x: 90 or 110 USD; a bid one tick beyond is not taken."""
    scenario = silo(side, liquidation__price_band={"kind": "bankruptcy"})
    quotes = {1: [Ask(2, side * 10, 10_000 - side * (1000 + off), LIMIT)]}
    tables = played(scenario, TICKS - side * 600, quotes)
    assert forced(tables)[0][2] == (-side * 10 if off == 0 else 0)


def test_what_no_one_takes_at_the_bankruptcy_price_goes_to_the_waterfall_at_that_price():
    """At 85 USD the silo owes 50 USD; the open lots are handed to the winner at 90 USD."""
    for feedback in ("market", "no_feedback"):
        scenario = silo(
            liquidation__price_band={"kind": "bankruptcy"}, liquidation__feedback=feedback,
            liquidation__insurance_fund_usd=0.0,
        )  # fmt: skip
        tables = played(scenario, 8500, {1: [Ask(2, 10, 8600)]})
        assert all(filled == 0 for *_, filled in forced(tables)) and forced(tables)
        assert rows(tables, "adl", "lots", "loss_micro_usd") == [(10, 50 * USD)]


def test_a_cross_leg_has_its_part_of_the_equity():
    """BTC 1,880 of 2,880 USD of maintenance's base: 94 - s · equity · 1,880 / 2,880 / 20 lots."""
    scenario = market(
        {"one": people((240.0, {"BTC": 20, "ETH": -10})),
         "rich": people((1e6, {"BTC": -20, "ETH": 10}))},
        assets=("BTC", "ETH"),
        market__book=ORDER_BOOK,
        margin__cross__closure={"kind": "whole"},
        liquidation__feedback="market",
        liquidation__price_band={"kind": "bankruptcy"},
    )  # fmt: skip
    account = CrossAccount(
        Fraction(240 - 1000),
        [
            CrossPosition(Fraction(20), 94, Fraction(1, 20)),
            CrossPosition(Fraction(-10), 100, Fraction(1, 20)),
        ],
    )
    share = account.net_collateral * Fraction(1880, 2880)
    worst = math.ceil(100 * (94 - share / 20))
    for off, filled in ((0, -20), (1, 0)):
        model = scripted(scenario, {1: [Ask(1, 20, worst - off, LIMIT)]})
        model.world.index[2:, 0] = 9400
        found = rows(tables_of(model), "forced_orders", "asset", "filled_lots")
        assert account.net_collateral == 120 and (0, filled) in found[:2]


@every_side
@pytest.mark.parametrize("price", [94, 93, 91, 90, 88])
def test_the_fillable_price_is_that_of_the_published_function(side, price):
    band = {"kind": "fillable", "adjustment": 1.25, "spread": 1.5}
    at = price if side > 0 else 200 - price
    account = CrossAccount(
        Fraction(100 - side * 1000), [CrossPosition(Fraction(10 * side), at, Fraction(1, 20))]
    )
    exact = 100 * fillable_price(account, 0, Fraction(5, 4), Fraction(3, 2))
    worst = math.ceil(exact) if side > 0 else math.floor(exact)
    for off, filled in ((0, -side * 10), (1, 0)):
        scenario = silo(side, liquidation__price_band=band, liquidation__insurance_fund_usd=1e6)
        quotes = {1: [Ask(2, side * 10, worst - side * off, LIMIT)]}
        assert forced(played(scenario, at * 100, quotes))[0][2] == filled


# -- pauses ----------------------------------------------------------------------------------------


def test_in_a_pause_nobody_is_liquidated_and_no_deficit_is_settled():
    """In breach from step 2 and insolvent from step 3; the pause is of steps 2 to 4."""
    pause = {"maintenance": {"at_seconds": 2.0, "for_seconds": 3.0}}
    scenario = market(
        {"one": people((100.0, {"BTC": 10}), mode="isolated"), "rich": people((1e6, {"BTC": -10}))},
        duration_seconds=6.0,
        market__shocks={"s": fall(0.06), "t": fall(0.1, at=3.0)},
        liquidation__pauses=pause,
    )
    tables = run(scenario)
    assert rows(tables, "liquidations", "step", "end_step") == [(2, 5)]
    assert forced(tables) == [(5, 1, -10)]
    assert tables["waterfall"]["step"].tolist() == [5]
    without = run(changed(scenario, liquidation__pauses={}))
    assert forced(without) == [(2, 1, -10)] and len(without["waterfall"]["step"]) == 0


# -- throttle --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usd", "lots"),
    [(940.0, [10, 10]), (939.999999, [9, 9, 2]), (282.0, [3] * 6 + [2]), (1880.0, [20])],
)
def test_a_market_takes_only_so_much_in_a_step_and_the_most_urgent_pool_first(usd, lots):
    """Two silos of 10 lots at 94 USD, hopeless both; the second has less and is served first."""
    longs = people((62.0, {"BTC": 10}), (61.0, {"BTC": 10}), mode="isolated")
    scenario = market(
        {"longs": longs, "rich": people((1e6, {"BTC": -20}))},
        duration_seconds=9.0,
        margin__brackets={
            "BTC": [{"floor_usd": 0.0, "maintenance_rate": 0.05, "max_leverage": 18.0}]
        },
        market__shocks={"s": fall(0.06)},
        liquidation__usd_per_step=usd,
    )
    found = rows(run(scenario), "forced_orders", "step", "account", "filled_lots")
    left, expected = {0: 10, 1: 10}, []
    for step, room in enumerate(lots, start=2):
        sold = {}
        urgent = sorted((n for n in left if left[n]), key=lambda n: Fraction(2 - n, left[n]))
        for n in urgent:  # 2 and 1 USD of equity, over the lots that each still holds
            sold[n] = min(left[n], room)
            room -= sold[n]
            left[n] -= sold[n]
        expected += [(step, n, -sold[n]) for n in sorted(sold) if sold[n]]
    assert found == expected and not any(left.values())


def test_each_market_has_a_throttle_of_its_own():
    scenario = market(
        {"one": people((200.0, {"BTC": 10, "ETH": 10}), mode="isolated"),
         "rich": people((1e6, {"BTC": -10, "ETH": -10}))},
        assets=("BTC", "ETH"),
        market__shocks={"s": fall(0.09, "BTC", "ETH")},
        liquidation__usd_per_step=500.0,
    )  # fmt: skip
    found = rows(run(scenario), "forced_orders", "step", "asset", "filled_lots")
    assert found == [(2, 0, -5), (2, 1, -5), (3, 0, -5), (3, 1, -5)]


def test_what_finds_nobody_does_not_use_the_throttle_up():
    """4 of 10 lots are bid in the first step; the second round has room for what is left."""
    scenario = silo(liquidation__usd_per_step=910.0, duration_seconds=2.0)
    tables = played(scenario, 9100, {1: [Ask(2, 4, 9000)]})
    assert forced(tables) == [(2, 1, -4), (2, 2, 0)]
    ordered = tables["forced_orders"]["lots"].tolist()
    assert ordered == [-10, -6]


# -- levers of an experiment -----------------------------------------------------------------------

LEVERS = {
    "scenario.market.circuit_breaker.move": [0.02, 0.1],
    "scenario.market.circuit_breaker.halt_seconds": [5.0, 15.0],
    "scenario.liquidation.price_band.distance": [0.01, 0.1],
    "scenario.liquidation.pauses.first.for_seconds": [1.0, 10.0],
    "scenario.liquidation.usd_per_step": [200.0, None],
    "scenario.margin.isolated.closure.share": [0.1, 0.5],
}


@pytest.mark.parametrize("path", sorted(LEVERS))
def test_an_experiment_can_sweep_the_lever_and_it_matters(path):
    """Each lever at two settings, in the same market: the forced orders differ."""
    scenario = market(
        {
            "longs": people(*[(m, {"BTC": 10}) for m in (100.0, 104.0, 108.0)], mode="isolated"),
            "rich": people((1e6, {"BTC": -30})),
        },
        duration_seconds=30.0,
        market__book={"kind": "impact", "law": {"kind": "linear", "depth_usd": 400.0,
                                                "resilience_half_life_seconds": 5.0}},
        market__shocks={"s": fall(0.095)},
        market__circuit_breaker={"move": 0.05, "window_seconds": 1.0, "halt_seconds": 2.0},
        margin__isolated__closure={"kind": "share_per_step", "share": 0.2, "least_usd": 100.0},
        liquidation={
            "feedback": "market", "usd_per_step": 2000.0,
            "price_band": {"kind": "from_mark", "distance": 0.05},
            "pauses": {"first": {"at_seconds": 4.0, "for_seconds": 2.0}},
        },
    )  # fmt: skip
    design = {"replicates": 1, "arms": {"one": {}}, "points": {"grid": {path: LEVERS[path]}}}
    config = {"name": "levers", "seed": 1, "scenario": scenario, "designs": {"sweep": design}}
    plan = make_plan(read_config(config))
    assert [place.values[path] for place in plan.places] == LEVERS[path]
    steps = path.removeprefix("scenario.").replace(".", "__")
    logs = [forced(run(changed(scenario, **{steps: value}))) for value in LEVERS[path]]
    assert logs[0] and logs[1] and logs[0] != logs[1]


def test_no_lever_is_on_by_default():
    rules = model_of(silo())._scenario
    assert rules.market.circuit_breaker is None and rules.liquidation.price_band is None
    assert rules.liquidation.usd_per_step is None and rules.liquidation.pauses == {}
